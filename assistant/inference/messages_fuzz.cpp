// What a hostile model's process may say to its server, and what a process of another build may be told: whatever
// decodes encodes to bytes that decode to the same.
#include <cstdlib>

#include "assistant/inference/channel.h"

namespace {

template <typename Message>
void round_trip(std::string_view bytes) {
  const auto message = ingle::assistant::decode<Message>(bytes);
  if (!message) return;
  const std::string again = ingle::assistant::encode(*message);
  const auto second = ingle::assistant::decode<Message>(again);
  if (!second || ingle::assistant::encode(*second) != again) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  round_trip<ingle::assistant::messages::FromEngine>(bytes);
  round_trip<ingle::assistant::messages::ToEngine>(bytes);
  return 0;
}
