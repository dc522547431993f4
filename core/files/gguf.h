// One GGUF file (a whole model or one part of it), parsed from memory. Format:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian:
//
//   "GGUF" u32:version u64:tensor_count u64:key_count
//   key_count    x { string:key u32:type value }
//   tensor_count x { string:name u32:dim_count u64:dims[dim_count] u32:ggml_type u64:offset }
//   padding to general.alignment (32 unless set), then the tensors' data; offsets count from there
//   string = u64:length bytes; array value = u32:item_type u64:count items
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/files/model_file.h"

namespace ingle::core {

struct GgufPart {
  Metadata metadata;
  std::vector<Tensor> tensors;  ///< data points into the parsed bytes; that names are unique is checked over all parts
};

/// Parses and checks everything but the tensors' values. `file` starts the messages. Takes memory in proportion to the
/// metadata, at most about ten times its bytes in the file.
/// Errors: corrupt, unsupported (version, endianness, tensor type), limit_exceeded (metadata over 128 MiB).
base::Result<GgufPart> parse_gguf(std::span<const std::byte> bytes, std::string_view file);

/// A part whose tensors' data is not there: it points at zeros.
struct GgufOutline {
  GgufPart part;
  base::MappedFile data;  ///< as long as the file has to be
};

/// As parse_gguf, of the first bytes of a file, which may end where the tensors' data begins. `too_short`, where it is
/// given, tells whether the error is that they end before. Errors: limit_exceeded, too, where the tensors of one
/// dimension, of which planning makes copies, are absurdly large.
base::Result<GgufOutline> describe_gguf(std::span<const std::byte> start, std::string_view file,
                                        bool* too_short = nullptr);

/// What ggml calls a tensor type, supported here or not: "IQ2_XXS"; empty for a number it has not given out.
std::string_view ggml_type_name(uint32_t id);

/// The keys by which a part knows its place: split.no, split.count, split.tensors.count.
struct GgufSplit {
  uint64_t number = 0;  ///< from 0
  uint64_t count = 1;
  std::optional<uint64_t> tensors;  ///< of all parts together
};

/// count = 1 where the file is whole. Error (corrupt): keys of a wrong type, or number >= count.
base::Result<GgufSplit> read_gguf_split(const Metadata& metadata, std::string_view file);

/// Maps and parses `path` and, where it is a part of a split file, the other parts beside it. The metadata is the first
/// part's. Errors: as parse_gguf, and not_found (names the missing part).
base::Result<ModelFile> open_gguf(const std::filesystem::path& path, FileContents contents);

}  // namespace ingle::core
