#include "core/synth/mixes.h"

#include <algorithm>
#include <cassert>

namespace ingle::core {
namespace {

constexpr Mix kMixes[] = {
    {.name = "q4_0", .file_type = 2, .format = "Q4_0"},
    {.name = "q4_1", .file_type = 3, .format = "Q4_1"},
    {.name = "q4_k_m", .file_type = 15, .format = "Q4_K", .more_bits = "Q6_K"},
    {.name = "q5_k_m", .file_type = 17, .format = "Q5_K", .more_bits = "Q6_K"},
    {.name = "q6_k", .file_type = 18, .format = "Q6_K"},
    {.name = "q8_0", .file_type = 7, .format = "Q8_0"},
    {.name = "f16", .file_type = 1, .format = "F16"},
    {.name = "bf16", .file_type = 32, .format = "BF16"},
    {.name = "f32", .file_type = 0, .format = "F32"},
};

/// What takes the place of a format whose blocks are longer than the row.
struct Fallback {
  std::string_view format, shorter;
};
constexpr Fallback kFallbacks[] = {{"Q4_K", "Q5_0"}, {"Q5_K", "Q5_1"}, {"Q6_K", "Q8_0"}};

const QuantFormat& named(std::string_view name) {
  const QuantFormat* format = find_quant(name);
  assert(format != nullptr);
  return *format;
}

bool fits(const QuantFormat& format, const ShapeTensor& tensor) {
  return tensor.columns() % format.block_elements == 0;
}

/// The format of that name, or what takes its place where the tensor's rows are no whole blocks of it.
const QuantFormat& fitting(std::string_view name, const ShapeTensor& tensor) {
  if (fits(named(name), tensor)) return named(name);
  for (const Fallback& fallback : kFallbacks)
    if (name == fallback.format && fits(named(fallback.shorter), tensor)) return named(fallback.shorter);
  return named("F16");
}

/// The first eighth of the layers, the last, and every third between.
bool uses_more_bits(uint32_t layer, uint32_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

}  // namespace

std::span<const Mix> all_mixes() {
  return kMixes;
}

const Mix* find_mix(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kMixes), std::end(kMixes), [&](const Mix& mix) { return mix.name == name; });
  return found == std::end(kMixes) ? nullptr : found;
}

const QuantFormat& format_of(const Mix& mix, const Shape& shape, const ShapeTensor& tensor) {
  if (tensor.dims.size() < 2) return named("F32");
  const QuantFormat& format = named(mix.format);
  if (format.codes.bits == 0) return format;  // floats: one for all matrices
  const bool makes_logits = tensor.role == TensorRole::output || (shape.tied && tensor.role == TensorRole::embedding);
  if (makes_logits) return fitting(mix.format == "Q8_0" || !fits(format, tensor) ? "Q8_0" : "Q6_K", tensor);
  const bool sensitive = tensor.role == TensorRole::attention_value || tensor.role == TensorRole::network_down;
  const bool more = sensitive && !mix.more_bits.empty() && uses_more_bits(tensor.layer, shape.layers);
  return fitting(more ? mix.more_bits : mix.format, tensor);
}

uint64_t tensor_bytes_of(const Mix& mix, const Shape& shape) {
  uint64_t sum = 0;
  for (const ShapeTensor& tensor : tensors_of(shape))
    sum += format_of(mix, shape, tensor).bytes(tensor.columns() * tensor.rows());
  return sum;
}

}  // namespace ingle::core
