// The parsers of a safetensors folder on arbitrary bytes: as a weights file and, from the ninth byte on, as the index
// and as config.json.
#include <cstdlib>

#include "core/files/json_config.h"
#include "core/files/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingle::core;
  const std::span<const uint8_t> input(data, size);
  const auto tensors = parse_safetensors(std::as_bytes(input), "fuzz");
  unsigned sum = 0;
  const auto description = describe_safetensors(std::as_bytes(input), "fuzz");
  if (tensors.ok() && !description.ok() && description.error().code != ingle::base::ErrorCode::limit_exceeded)
    std::abort();
  if (description.ok()) {
    for (const Tensor& tensor : description->tensors)
      if (!tensor.data.empty())
        sum += static_cast<unsigned>(tensor.data.front()) + static_cast<unsigned>(tensor.data.back());
  }
  if (tensors.ok()) {
    for (const Tensor& tensor : *tensors) {
      if (tensor.data.size() != tensor.format->bytes(tensor.elements())) std::abort();
      for (const std::byte value : tensor.data) sum += static_cast<unsigned>(value);
    }
  }
  if (size > 8) {
    const std::string_view text(reinterpret_cast<const char*>(data) + 8, size - 8);
    const auto index = parse_safetensors_index(text, "fuzz");
    if (index.ok() && index->shards.empty()) std::abort();
    Metadata metadata;
    if (!flatten_json(text, "generation.", "fuzz", metadata).ok()) metadata.values.clear();
    for (const auto& [key, value] : metadata.values) sum += static_cast<unsigned>(key.size() + value.index());
  }
  volatile unsigned sink = sum;
  (void)sink;
  return 0;
}
