// The GGUF parser on arbitrary bytes. The data spans are read, so that a wrong bound shows under AddressSanitizer.
#include <cstdlib>

#include "core/files/gguf.h"

namespace {

// What parses is also described, but where its vectors are absurd; a description may promise far more than there is.
void check_description(std::span<const std::byte> input, bool parses) {
  using namespace ingle::core;
  bool too_short = false;
  const auto description = describe_gguf(input, "fuzz", &too_short);
  if (description.ok() && too_short) std::abort();
  if (!description.ok() && parses && description.error().code != ingle::base::ErrorCode::limit_exceeded) std::abort();
  if (!description.ok()) return;
  for (const Tensor& tensor : description->part.tensors) {
    if (tensor.data.size() != tensor.format->bytes(tensor.elements())) std::abort();
    if (tensor.data.front() != std::byte{0} || tensor.data.back() != std::byte{0}) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingle::core;
  const std::span<const uint8_t> input(data, size);
  const auto part = parse_gguf(std::as_bytes(input), "fuzz");
  check_description(std::as_bytes(input), part.ok());
  if (!part.ok()) {
    if (part.error().message.empty()) std::abort();
    return 0;
  }
  unsigned sum = 0;
  for (const Tensor& tensor : part->tensors) {
    if (tensor.data.size() != tensor.format->bytes(tensor.elements())) std::abort();
    for (const std::byte value : tensor.data) sum += static_cast<unsigned>(value);
  }
  const auto split = read_gguf_split(part->metadata, "fuzz");
  if (split.ok() && split->number >= split->count) std::abort();
  volatile unsigned sink = sum;
  (void)sink;
  return 0;
}
