#include "core/models/tensors.h"

namespace ingle::core {

using base::ErrorCode;

std::string ModelTensors::container_name(const std::string& name) const {
  if (gguf()) return name;
  const size_t dot = name.rfind('.');
  const std::string stem = name.substr(0, dot), suffix = name.substr(dot);
  const auto named = [&](const std::string& bare) {
    return file_.find_tensor(names_.prefix + bare) != nullptr ? names_.prefix + bare : bare;
  };
  for (const TensorName& entry : names_.top)
    if (stem == entry.gguf) return named(std::string(entry.json) + suffix);
  if (!stem.starts_with("blk.")) return name;
  const size_t part = stem.find('.', 4) + 1;
  for (const TensorName& entry : names_.layer)
    if (stem.substr(part) == entry.gguf)
      return named(names_.layers + stem.substr(4, part - 4) + std::string(entry.json) + suffix);
  return name;
}

void ModelTensors::fail(ErrorCode code, std::string message) {
  if (error_.message.empty()) error_ = {code, std::move(message)};
}

const Tensor* ModelTensors::require(const std::string& name, uint64_t rows, uint64_t columns) {
  const Tensor* tensor = find(name);
  if (tensor == nullptr) {
    fail(ErrorCode::corrupt, file_.path.string() + " lacks the tensor " + container_name(name));
  } else if (tensor->columns() != columns || tensor->rows() != rows) {
    fail(ErrorCode::corrupt, file_.path.string() + ": " + tensor->name + " is " + std::to_string(tensor->rows()) +
                                 " x " + std::to_string(tensor->columns()) + "; the model's parameters ask for " +
                                 std::to_string(rows) + " x " + std::to_string(columns));
    tensor = nullptr;
  }
  return tensor;
}

MatrixSource ModelTensors::source_of(const Tensor& tensor, RowRange rows, uint32_t columns) {
  return {tensor.name, tensor.format, tensor.data.data() + tensor.format->bytes(uint64_t{rows.begin} * columns),
          rows.count, columns};
}

MatrixId ModelTensors::matrix(const std::string& name, RowRange rows, uint32_t columns) {
  const Tensor* tensor = require(name, rows.total, columns);
  if (tensor == nullptr) return graph_.add_matrix({name, find_quant("F32"), nullptr, rows.count, columns});
  return graph_.add_matrix(source_of(*tensor, rows, columns));
}

std::vector<float> ModelTensors::decode(const std::string& name, uint32_t size) {
  std::vector<float> values(size);
  const Tensor* tensor = require(name, 1, size);
  if (tensor != nullptr)
    tensor->format->decode(tensor->data.data(), values.data(), size / tensor->format->block_elements);
  return values;
}

VectorId ModelTensors::vector(const std::string& name, uint32_t size, float add) {
  std::vector<float> values = decode(name, size);
  if (add != 0.0f)
    for (float& value : values) value += add;
  return graph_.add_vector(std::move(values), container_name(name));
}

VectorId ModelTensors::bias(const std::string& name, RowRange rows) {
  if (find(name) == nullptr) return -1;
  const std::vector<float> all = decode(name, rows.total);
  return graph_.add_vector({all.begin() + rows.begin, all.begin() + rows.begin + rows.count}, container_name(name));
}

}  // namespace ingle::core
