// A model's tensors on their way into a graph: found by GGUF name in either container, with their shapes checked.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/models/model.h"

namespace ingle::core {

/// GGUF tensor name parts ("attn_norm") and what checkpoints call them.
struct TensorName {
  std::string_view gguf, json;
};

/// What checkpoints call all tensors. Of layer N's "blk.N.PART.weight" it is LAYERS + "N." + its name + ".weight".
struct TensorNames {
  std::span<const TensorName> top;
  std::string layers;
  std::vector<TensorName> layer;  ///< the first one that fits counts
  std::string prefix;             ///< that some checkpoints put before them
};

/// The rows of a matrix that a fused one holds.
struct RowRange {
  uint32_t begin = 0, count = 0, total = 0;
  static constexpr RowRange whole(uint32_t rows) { return {0, rows, rows}; }
};

/// Adds tensors to `graph`. The first error is kept, for the end; until then sources without data stand in, so that the
/// graph can be built to its end.
class ModelTensors {
 public:
  ModelTensors(const ModelFile& file, Graph& graph, TensorNames names)
      : file_(file), graph_(graph), names_(std::move(names)) {}

  bool gguf() const { return file_.container == ContainerFormat::gguf; }
  /// nullptr: the file has none of that (GGUF) name.
  const Tensor* find(const std::string& name) const { return file_.find_tensor(container_name(name)); }
  /// A matrix of rows.total x columns, or some of its rows.
  MatrixId matrix(const std::string& name, RowRange rows, uint32_t columns);
  /// A vector of that size, with `add` added to each element.
  VectorId vector(const std::string& name, uint32_t size, float add = 0.0f);
  /// Some elements of a vector of rows.total, or -1 where the file has none of that name.
  VectorId bias(const std::string& name, RowRange rows);
  static MatrixSource source_of(const Tensor& tensor, RowRange rows, uint32_t columns);

  void fail(base::ErrorCode code, std::string message);
  base::Status status() const { return error_.message.empty() ? base::Status() : base::Status(error_); }

 private:
  std::string container_name(const std::string& name) const;
  const Tensor* require(const std::string& name, uint64_t rows, uint64_t columns);
  std::vector<float> decode(const std::string& name, uint32_t size);

  const ModelFile& file_;
  Graph& graph_;
  const TensorNames names_;
  base::Error error_;
};

}  // namespace ingle::core
