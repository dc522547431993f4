// requantize IN FORMAT OUT.gguf: a model with its matrices in another number format, to measure what arithmetic in that
// format costs (bench/quality.py). Encoded by core/quants from the values that IN decodes to.
//
// A matrix whose rows are no whole blocks of FORMAT gets Q8_0, as other quantisers do; vectors stay as they are.
#include <cstdio>
#include <string>

#include "core/files/gguf_writer.h"
#include "core/files/model_file.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

/// The reader widens numbers; in files they are 32 bits wide, and other programs insist on it.
Result<GgufValue> narrow(const std::string& key, const MetadataValue& value) {
  const auto cast = [](const auto& from, auto to) {
    to.assign(from.begin(), from.end());
    return GgufValue(std::move(to));
  };
  if (const auto* x = std::get_if<bool>(&value)) return GgufValue(*x);
  if (const auto* x = std::get_if<std::string>(&value)) return GgufValue(*x);
  if (const auto* x = std::get_if<int64_t>(&value)) return GgufValue(static_cast<int32_t>(*x));
  if (const auto* x = std::get_if<uint64_t>(&value)) return GgufValue(static_cast<uint32_t>(*x));
  if (const auto* x = std::get_if<double>(&value)) return GgufValue(static_cast<float>(*x));
  if (const auto* x = std::get_if<std::vector<std::string>>(&value)) return GgufValue(*x);
  if (const auto* x = std::get_if<std::vector<double>>(&value)) return cast(*x, std::vector<float>());
  if (const auto* x = std::get_if<std::vector<int64_t>>(&value)) return cast(*x, std::vector<int32_t>());
  if (const auto* x = std::get_if<std::vector<uint64_t>>(&value)) return cast(*x, std::vector<uint32_t>());
  return Error{ErrorCode::unsupported, "metadata key " + key + " is a list of booleans, which is not written here"};
}

const QuantFormat* format_for(const Tensor& tensor, const QuantFormat* wanted) {
  if (tensor.dim_count < 2) return tensor.format;
  for (const QuantFormat* format : {wanted, find_quant("Q8_0")})
    if (tensor.columns() % format->block_elements == 0) return format;
  return tensor.format;
}

Status convert(const Tensor& from, size_t index, GgufWriter& writer) {
  const QuantFormat& to = *writer.tensors()[index].format;
  if (&to == from.format) return writer.write(index, 0, from.data);
  const uint64_t row_bytes = from.format->bytes(from.columns());
  std::vector<float> values(from.columns());
  std::vector<std::byte> encoded(to.bytes(from.columns()));
  for (uint64_t row = 0; row < from.rows(); ++row) {
    from.format->decode(from.data.data() + row * row_bytes, values.data(),
                        from.columns() / from.format->block_elements);
    to.encode(values.data(), encoded.data(), from.columns() / to.block_elements);
    INGLE_CHECK(writer.write(index, row * encoded.size(), encoded));
  }
  return {};
}

Status requantize(const char* in, const QuantFormat* wanted, const char* out) {
  INGLE_TRY(const ModelFile model, ModelFile::open(in));
  GgufDescription description;
  for (const auto& [key, value] : model.metadata.values) {
    INGLE_TRY(GgufValue narrowed, narrow(key, value));
    description.metadata.emplace_back(key, std::move(narrowed));
  }
  for (const Tensor& tensor : model.tensors) {
    description.tensors.push_back(
        {tensor.name, format_for(tensor, wanted), {tensor.dims.begin(), tensor.dims.begin() + tensor.dim_count}});
  }
  INGLE_TRY(GgufWriter writer, GgufWriter::create(out, std::move(description)));
  for (size_t i = 0; i < model.tensors.size(); ++i) INGLE_CHECK(convert(model.tensors[i], i, writer));
  return writer.commit();
}

}  // namespace
}  // namespace ingle::core

int main(int count, char** arguments) {
  const auto* format = count == 4 ? ingle::core::find_quant(std::string_view(arguments[2])) : nullptr;
  if (format == nullptr) {
    std::fprintf(stderr, "requantize IN FORMAT OUT.gguf, FORMAT one of %s\n", ingle::core::quant_names().c_str());
    return 2;
  }
  const auto done = ingle::core::requantize(arguments[1], format, arguments[3]);
  if (!done.ok()) std::fprintf(stderr, "requantize: %s\n", done.error().message.c_str());
  return done.ok() ? 0 : 1;
}
