// Split GGUF files: NAME-00001-of-0000N.gguf and its siblings. The first part carries the metadata (and possibly no
// tensors); every part says in split.no, split.count and split.tensors.count where it belongs.
#include <charconv>
#include <optional>
#include <utility>

#include "core/files/error_text.h"
#include "core/files/gguf.h"
#include "core/files/model_file_builder.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

/// "model", 2 and 3 of "model-00002-of-00003.gguf".
struct PartName {
  std::string prefix;
  uint64_t number = 0;  // from 1, as in the name
  uint64_t count = 0;
};

constexpr size_t kDigits = 5;

std::optional<uint64_t> parse_digits(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<PartName> parse_part_name(std::string_view name) {
  constexpr size_t tail = 1 + kDigits + 4 + kDigits + 5;  // -NNNNN-of-NNNNN.gguf
  if (name.size() <= tail) return std::nullopt;
  const std::string_view end = name.substr(name.size() - tail);
  if (end[0] != '-' || end.substr(1 + kDigits, 4) != "-of-" || end.substr(tail - 5) != ".gguf") return std::nullopt;
  const auto number = parse_digits(end.substr(1, kDigits));
  const auto count = parse_digits(end.substr(1 + kDigits + 4, kDigits));
  if (!number || !count) return std::nullopt;
  return PartName{std::string(name.substr(0, name.size() - tail)), *number, *count};
}

std::string padded(uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(digits.size() < kDigits ? kDigits - digits.size() : 0, '0') + digits;
}

std::string part_name(std::string_view prefix, uint64_t number, uint64_t count) {
  return std::string(prefix) + "-" + padded(number) + "-of-" + padded(count) + ".gguf";
}

Error corrupt(const std::filesystem::path& path, std::string_view what) {
  return Error{ErrorCode::corrupt, path.string() + ": " + std::string(what)};
}

struct MappedPart {
  base::MappedFile mapping;
  GgufPart content;
  GgufSplit split;
};

Result<MappedPart> map_part(const std::filesystem::path& path, FileContents contents) {
  MappedPart part;
  INGLE_TRY(part.mapping, base::MappedFile::open(path));
  if (contents == FileContents::description) {
    INGLE_TRY(GgufOutline description, describe_gguf(part.mapping.bytes(), path.string()));
    part.mapping = std::move(description.data);
    part.content = std::move(description.part);
  } else {
    INGLE_TRY(part.content, parse_gguf(part.mapping.bytes(), path.string()));
  }
  INGLE_TRY(part.split, read_gguf_split(part.content.metadata, path.string()));
  return part;
}

/// The part's name and its keys must tell the same place; that the parts of one name all differ follows from it.
Result<PartName> check_part_name(const std::filesystem::path& path, const GgufSplit& split) {
  auto name = parse_part_name(path.filename().string());
  const std::string place = "part " + std::to_string(split.number + 1) + " of " + std::to_string(split.count);
  if (!name) {
    return corrupt(path, "it is " + place + " of a split model, but its name does not end in " +
                             part_name("", split.number + 1, split.count) + "; restore the parts' names");
  }
  if (name->number != split.number + 1 || name->count != split.count) {
    return corrupt(path, "it is named part " + std::to_string(name->number) + " of " + std::to_string(name->count) +
                             ", but by its split.no and split.count it is " + place);
  }
  return std::move(*name);
}

/// A key that both the first and a later part hold must hold the same, or the parts are of different models.
Status check_same_model(const Metadata& first, const Metadata& other, const std::filesystem::path& path) {
  for (const auto& [key, value] : other.values) {
    if (key == "split.no" || key == "general.alignment") continue;
    const auto entry = first.values.find(key);
    if (entry != first.values.end() && entry->second != value) {
      return corrupt(
          path, "metadata key " + quote(key) + " differs from the first part's; the parts are of different models");
    }
  }
  return {};
}

Result<MappedPart> open_sibling(const std::filesystem::path& path, FileContents contents) {
  auto part = map_part(path, contents);
  if (part.ok() || part.error().code != ErrorCode::not_found) return part;
  return Error{ErrorCode::not_found,
               "part " + path.string() + " of the split model is missing; put all parts into one folder"};
}

void append(ModelFile& file, MappedPart part) {
  if (part.split.number == 0) file.metadata = std::move(part.content.metadata);
  for (Tensor& tensor : part.content.tensors) file.tensors.push_back(std::move(tensor));
  file.mappings.push_back(std::move(part.mapping));
}

Status append_all_parts(ModelFile& file, MappedPart opened) {
  INGLE_TRY(const PartName name, check_part_name(file.path, opened.split));
  const GgufSplit split = opened.split;
  const uint64_t opened_number = split.number;
  for (uint64_t number = 0; number < split.count; ++number) {
    const auto path = file.path.parent_path() / part_name(name.prefix, number + 1, split.count);
    MappedPart part;
    if (number == opened_number) {
      part = std::move(opened);  // NOLINT(bugprone-use-after-move): one number of the loop is this part's
    } else {
      INGLE_TRY(part, open_sibling(path, file.contents));
      INGLE_CHECK(check_part_name(path, part.split));
    }
    if (part.split.tensors != split.tensors)
      return corrupt(path, "its split.tensors.count differs from the other parts'");
    if (number > 0) INGLE_CHECK(check_same_model(file.metadata, part.content.metadata, path));
    append(file, std::move(part));
  }
  if (split.tensors && *split.tensors != file.tensors.size()) {
    return corrupt(file.path, "the parts hold " + std::to_string(file.tensors.size()) +
                                  " tensors, but split.tensors.count is " + std::to_string(*split.tensors));
  }
  return {};
}

}  // namespace

Result<GgufSplit> read_gguf_split(const Metadata& metadata, std::string_view file) {
  GgufSplit split;
  const auto read = [&](std::string_view key) -> Result<std::optional<uint64_t>> {
    const auto value = metadata.find_uint(key);
    if (metadata.has(key) && !value) {
      return Error{ErrorCode::corrupt, std::string(file) + ": corrupt GGUF: " + std::string(key) + " is not a count"};
    }
    return value;
  };
  INGLE_TRY(const auto number, read("split.no"));
  INGLE_TRY(const auto count, read("split.count"));
  INGLE_TRY(split.tensors, read("split.tensors.count"));
  split.number = number.value_or(0);
  split.count = count.value_or(1);
  if (split.count == 0) split.count = 1;  // written by some tools for a file that is whole
  if (split.number >= split.count) {
    return Error{ErrorCode::corrupt, std::string(file) + ": corrupt GGUF: split.no is " + std::to_string(split.number) +
                                         " of " + std::to_string(split.count) + " parts, counted from 0"};
  }
  return split;
}

Result<ModelFile> open_gguf(const std::filesystem::path& path, FileContents contents) {
  ModelFile file;
  file.container = ContainerFormat::gguf;
  file.contents = contents;
  file.path = path;
  INGLE_TRY(MappedPart part, map_part(path, contents));
  if (part.split.count > 1) {
    INGLE_CHECK(append_all_parts(file, std::move(part)));
  } else {
    const auto name = parse_part_name(path.filename().string());
    if (name && name->count > 1 && name->number > 1) {
      return corrupt(path, "it is named part " + std::to_string(name->number) + " of " + std::to_string(name->count) +
                               ", but has no split.count");
    }
    append(file, std::move(part));
  }
  INGLE_CHECK(ModelFileBuilder::index_tensors(file, path.string()));
  return file;
}

}  // namespace ingle::core
