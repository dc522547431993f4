// The GGUF parser on arbitrary bytes. The data spans are read, so that a wrong bound shows under AddressSanitizer.
#include <cstdlib>

#include "core/files/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingle::core;
  const std::span<const uint8_t> input(data, size);
  const auto part = parse_gguf(std::as_bytes(input), "fuzz");
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
