// Messages over a pair of pipes: each is its size (32 bits) and its bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "assistant/inference/messages.h"
#include "base/files.h"
#include "base/result.h"

namespace ingle::assistant {

/// A message as bytes, and back; nothing where they are none.
template <typename Message>
std::string encode(const Message& message) {
  WireWriter writer;
  writer(message);
  return writer.bytes();
}
template <typename Message>
std::optional<Message> decode(std::string_view bytes) {
  Message message;
  WireReader reader(bytes);
  reader(message);
  if (!reader.done()) return std::nullopt;
  return message;
}

class Channel {
 public:
  static constexpr uint32_t kMostBytes = 512u << 20;  ///< of a message

  Channel(base::FileDescriptor in, base::FileDescriptor out, std::chrono::milliseconds patience);

  /// For any thread. Errors: unavailable (nobody reads at the other end any more, or it takes nothing for `patience`;
  /// then nothing more can be sent), limit_exceeded.
  base::Status send(std::string_view bytes);
  /// Of one thread: waits for the next message. Nothing: the other end closed. Errors: corrupt, io_error.
  base::Result<std::optional<std::string>> receive();
  /// For any thread: the other end reads no further message.
  void close_sending();

 private:
  base::Status write(std::string_view bytes);
  base::Result<bool> read(char* to, size_t count, bool first);

  const base::FileDescriptor in_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;          ///< of what is sent
  base::FileDescriptor out_;  ///< does not block
  bool broken_ = false;
};

}  // namespace ingle::assistant
