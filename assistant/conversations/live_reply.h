// A reply while it is written: what comes is seen at once by whoever looks, is on its way to the disk within 150 ms,
// and on the disk itself within two seconds (ConversationStore::tend).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "assistant/conversations/conversation.h"

namespace ingle::assistant {

/// For any thread.
class LiveReply {
 public:
  enum class Part : uint8_t { content, reasoning };
  /// More of a text: what stands before it, in UTF-16 code units, as JavaScript counts.
  struct Delta {
    int64_t conversation = 0, message = 0;
    Part part = Part::content;
    uint64_t at = 0;
    std::string text;
  };

  int64_t message() const { return message_; }
  int64_t conversation() const { return conversation_; }

  /// Adds whole code points. False: nobody wants more, it was stopped or deleted.
  bool push(Part part, std::string_view text);
  /// It has ended. Kept as it is even where it can't be written for now: that is tried again. Only the first call
  /// counts; after stop() it is `stopped`, whatever is said here.
  void finish(MessageState state, base::Json report, std::string error = {});
  /// Calls `stop`, once, when the person stops or deletes it; at once where that has happened.
  void on_stop(std::function<void()> stop);

 private:
  friend class ConversationStore;
  using Told = std::function<void(const Delta&)>;
  LiveReply(int64_t conversation, int64_t message, Told told, std::function<void()> ended)
      : conversation_(conversation), message_(message), told_(std::move(told)), ended_(std::move(ended)) {}

  bool has_ended() const;
  void stop(bool is_deleted);
  /// Goes on with what `message` has.
  void resume(const Message& message);
  /// What `message` holds of it.
  void show(Message& message) const;

  /// What is new since the last piece was written; all of it, once it has ended.
  struct Unwritten {
    std::string content, reasoning;
    size_t content_end = 0, reasoning_end = 0;
    int64_t number = 0;  ///< of the piece
    bool finished = false, deleted = false;
    bool unsynced = false;  ///< a power cut would take pieces that are written
    MessageState state = MessageState::writing;
    base::Json report;
    std::string error;
  };
  Unwritten unwritten() const;
  void written(const Unwritten& piece, bool synced);

  struct Text {
    std::string all;
    size_t flushed = 0;  ///< bytes that are in the database
    uint64_t units = 0;  ///< UTF-16 code units of all
  };

  const int64_t conversation_, message_;
  const Told told_;
  const std::function<void()> ended_;
  mutable std::mutex mutex_;  ///< of all below
  Text content_, reasoning_;
  int64_t pieces_ = 0;
  bool stopped_ = false, deleted_ = false, finished_ = false, unsynced_ = false;
  MessageState state_ = MessageState::writing;
  base::Json report_;
  std::string error_;
  std::function<void()> on_stop_;
};

}  // namespace ingle::assistant
