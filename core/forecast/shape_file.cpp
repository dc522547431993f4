#include "core/forecast/shape_file.h"

#include <iterator>
#include <string>
#include <utility>

namespace ingle::core {

base::Result<std::pair<const Shape*, const Mix*>> shape_of(std::string_view name, std::string_view quantisation) {
  std::string mix_name(quantisation);
  for (char& c : mix_name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const Shape* const shape = find_shape(name);
  const Mix* const mix = find_mix(mix_name);
  if (shape == nullptr || mix == nullptr)
    return base::Error{base::ErrorCode::not_found,
                       "no shape is called '" + std::string(name) + "', or no mix '" + std::string(quantisation) + "'"};
  return std::pair(shape, mix);
}

base::Result<ModelFile> describe_shape(const Shape& shape, const Mix& mix) {
  GgufDescription description;
  description.metadata = {{"general.architecture", std::string(shape.architecture)},
                          {"general.name", std::string(shape.name)},
                          {"general.file_type", mix.file_type}};
  std::ranges::move(metadata_of(shape), std::back_inserter(description.metadata));
  for (ShapeTensor& tensor : tensors_of(shape)) {
    const QuantFormat& format = format_of(mix, shape, tensor);
    description.tensors.push_back({std::move(tensor.name), &format, std::move(tensor.dims)});
  }
  INGLE_TRY(const std::string header, gguf_header(description));
  INGLE_TRY(auto file, ModelFile::describe(std::as_bytes(std::span(header)), std::string(shape.name)));
  if (!file) return base::Error{base::ErrorCode::internal, "the description of a shape is not whole"};
  return std::move(*file);
}

uint64_t usual_tokenizer_bytes(uint32_t vocabulary) {
  constexpr uint64_t kBytesPerToken = 33;
  return kBytesPerToken * vocabulary;
}

}  // namespace ingle::core
