// Checks that both containers share: a tensor's shape against its format, and tensors against one another.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/files/model_file.h"

namespace ingle::core {

/// A tensor's bytes in the file, before anything points at them.
struct TensorRange {
  std::string_view name;
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// The product, or nothing on overflow or where a dimension is 0.
std::optional<uint64_t> checked_elements(std::span<const uint64_t> dims);

/// The stand-in for a file of that many bytes of which only the description is looked at. Error: limit_exceeded.
base::Result<base::MappedFile> zeros_of(uint64_t bytes, std::string_view file);

/// Planning copies the vectors of a model (norms, biases), of which a description of a few bytes could promise
/// terabytes. Error: limit_exceeded.
base::Status check_vectors(std::span<const Tensor> tensors, std::string_view file);

/// Sorts by place. Error (corrupt): two ranges share a byte; `file` starts the message.
base::Status check_no_overlap(std::vector<TensorRange>& ranges, std::string_view file);

}  // namespace ingle::core
