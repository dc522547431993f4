// A model on disk, parsed and checked: typed metadata and named tensors that point into memory-mapped files.
// GGUF (single and split) and safetensors folders look the same from here.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/quants/quant.h"

namespace ingle::core {

/// One metadata value. Integers widen to 64 bits, floats to double; arrays are homogeneous.
using MetadataValue =
    std::variant<bool, int64_t, uint64_t, double, std::string, std::vector<bool>, std::vector<int64_t>,
                 std::vector<uint64_t>, std::vector<double>, std::vector<std::string>>;

/// Metadata by key. For GGUF, the file's keys. For safetensors, config.json with nested names joined by dots
/// ("rope_scaling.factor"), generation_config.json under "generation.", 1_Pooling/config.json under "pooling." and
/// modules.json under "modules."; null is absent, whole numbers are unsigned
/// unless negative, and arrays of unlike items become one key an item ("a.0.b").
class Metadata {
 public:
  std::map<std::string, MetadataValue, std::less<>> values;

  bool has(std::string_view key) const { return values.find(key) != values.end(); }
  /// nullptr where the key is absent or holds another type.
  const std::string* find_string(std::string_view key) const;
  const std::vector<std::string>* find_strings(std::string_view key) const;
  const std::vector<double>* find_doubles(std::string_view key) const;
  /// Any integer type, where the value fits.
  std::optional<uint64_t> find_uint(std::string_view key) const;
  /// Any number.
  std::optional<double> find_double(std::string_view key) const;
  std::optional<bool> find_bool(std::string_view key) const;
  /// An array of any integer type (or a bool array as 0/1), where all values fit.
  std::optional<std::vector<int64_t>> find_ints(std::string_view key) const;
};

/// A tensor's place. dims[0] is the contiguous dimension (GGUF's order): a matrix of `rows` outputs by `columns` inputs
/// has dims = {columns, rows, 1, 1}.
struct Tensor {
  std::string name;
  const QuantFormat* format = nullptr;
  std::array<uint64_t, 4> dims{1, 1, 1, 1};
  uint32_t dim_count = 0;
  std::span<const std::byte> data;  ///< exactly format->bytes(elements()) bytes, inside a mapping of the ModelFile

  uint64_t elements() const { return dims[0] * dims[1] * dims[2] * dims[3]; }
  uint64_t columns() const { return dims[0]; }
  uint64_t rows() const { return dims[1] * dims[2] * dims[3]; }
};

enum class ContainerFormat { gguf, safetensors };

enum class FileContents {
  all,
  description,  ///< what precedes the tensors' data; the file may end there. The data reads as zeros.
};

/// The tensors' bytes are the file's own pages: a file truncated by somebody else while it is mapped raises SIGBUS on
/// use.
class ModelFile {
 public:
  /// Opens a .gguf file (any part of a split one opens them all), a .safetensors file, or a folder with config.json and
  /// safetensors. Errors: not_found, corrupt, unsupported (names what is not supported and what is), limit_exceeded.
  static base::Result<ModelFile> open(const std::filesystem::path& path, FileContents contents = FileContents::all);
  /// The description of a GGUF file that lies elsewhere and is called `name`, from its first bytes. Nothing where they
  /// end before the description does. Errors: as open; unsupported (a part of a split file).
  static base::Result<std::optional<ModelFile>> describe(std::span<const std::byte> start, const std::string& name);

  ContainerFormat container = ContainerFormat::gguf;
  FileContents contents = FileContents::all;
  std::filesystem::path path;    ///< as given
  std::filesystem::path folder;  ///< for safetensors: where config.json, tokenizer.json are; else empty
  Metadata metadata;
  std::vector<Tensor> tensors;
  std::vector<base::MappedFile> mappings;

  /// nullptr where there is none.
  const Tensor* find_tensor(std::string_view name) const;
  uint64_t tensor_bytes() const;
  /// How many numbers the model learned: the elements of all tensors. An output matrix that only repeats the embedding,
  /// be it in another number format (as some converters write models that use one matrix for both), counts once.
  uint64_t parameters() const;

 private:
  std::map<std::string, size_t, std::less<>> tensor_index_;
  friend struct ModelFileBuilder;
};

}  // namespace ingle::core
