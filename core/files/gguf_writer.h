// Writes a GGUF file, version 3, little-endian (the format stands in gguf.h). The tensors' bytes come in any order and
// in pieces of any size, so that a file of many gigabytes takes memory for its description only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/quants/quant.h"

namespace ingle::core {

/// A metadata value; its C++ type chooses the type in the file.
using GgufValue =
    std::variant<bool, uint32_t, int32_t, uint64_t, int64_t, float, double, std::string, std::vector<uint32_t>,
                 std::vector<int32_t>, std::vector<float>, std::vector<std::string>>;

/// A tensor to be written. dims[0] is the contiguous dimension, as in Tensor.
struct GgufTensor {
  std::string name;
  const QuantFormat* format = nullptr;
  std::vector<uint64_t> dims;

  uint64_t elements() const;
  uint64_t bytes() const { return format->bytes(elements()); }
};

/// What a file says before its tensors' data. Keys and tensors stand in the file in this order.
struct GgufDescription {
  std::vector<std::pair<std::string, GgufValue>> metadata;
  std::vector<GgufTensor> tensors;
};

/// The bytes of a file before its tensors' data. Errors: as GgufWriter::create, but for the file's.
base::Result<std::string> gguf_header(const GgufDescription& description);

class GgufWriter {
 public:
  /// Writes the description under a temporary name beside `path`. Errors: invalid_argument (the description is none
  /// that GGUF can hold or others can read: see check_tensor), limit_exceeded, no_space (before anything is written),
  /// and those of base::NewFile.
  static base::Result<GgufWriter> create(const std::filesystem::path& path, GgufDescription description);

  /// Bytes of `tensors()[tensor]`, from its byte `offset` on. The range lies inside the tensor and was not written
  /// before.
  base::Status write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes);
  /// Every byte of every tensor was written: the file gets its name. Errors: internal where bytes are missing.
  base::Status commit();

  std::span<const GgufTensor> tensors() const { return tensors_; }
  uint64_t file_bytes() const { return file_bytes_; }

 private:
  base::NewFile file_;
  std::vector<GgufTensor> tensors_;
  std::vector<uint64_t> offsets_;  ///< in the file
  uint64_t file_bytes_ = 0, missing_bytes_ = 0;
};

}  // namespace ingle::core
