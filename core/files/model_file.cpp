#include "core/files/model_file.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/handed_files.h"
#include "core/files/error_text.h"
#include "core/files/gguf.h"
#include "core/files/model_file_builder.h"
#include "core/files/safetensors.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

bool starts_with(std::span<const std::byte> bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

/// Up to 4096 numbers of a row, decoded.
std::vector<float> start_of_row(const Tensor& matrix, uint64_t row) {
  constexpr uint64_t most = 4096;  // whole blocks of every format
  std::vector<float> out(std::min(matrix.columns(), most));
  const std::byte* data = matrix.data.data() + row * matrix.format->bytes(matrix.columns());
  matrix.format->decode(data, out.data(), out.size() / matrix.format->block_elements);
  return out;
}

/// Whether two matrices are one, but for rounding to their number formats, by a sample of their rows. Rounding to 2
/// bits changes a matrix by less than a tenth of its energy; unlike matrices differ by about as much as they hold.
bool holds_the_same(const Tensor& a, const Tensor& b) {
  constexpr uint64_t samples = 16;
  if (a.dims != b.dims || a.elements() == 0) return false;
  if (a.columns() % a.format->block_elements != 0 || a.columns() % b.format->block_elements != 0) return false;
  double energy = 0, difference = 0;
  for (uint64_t i = 0; i < samples; ++i) {
    const uint64_t row = (a.rows() - 1) * i / (samples - 1);
    const std::vector<float> x = start_of_row(a, row), y = start_of_row(b, row);
    for (size_t c = 0; c < x.size(); ++c) {
      const double distance = double{x[c]} - double{y[c]};
      energy += double{x[c]} * double{x[c]};
      difference += distance * distance;
    }
  }
  return difference <= energy / 4;  // false where anything is not a number
}

/// What people hand over by mistake, by its first bytes.
struct KnownStart {
  std::string_view bytes;
  std::string_view what;
};
constexpr KnownStart kKnownStarts[] = {
    {"version https://git-lfs", "a Git LFS pointer, not the model itself; fetch it with git lfs pull"},
    {"PK\x03\x04", "a zip archive (PyTorch .bin and .pt files are such); convert it to GGUF or safetensors"},
    {"\x80\x02", "a Python pickle; convert it to GGUF or safetensors"},
    {"lmgg", "a GGML file of before GGUF; convert it to GGUF"},
    {"fmgg", "a GGMF file of before GGUF; convert it to GGUF"},
    {"tjgg", "a GGJT file of before GGUF; convert it to GGUF"},
    {"\x89HDF", "an HDF5 file; convert it to GGUF or safetensors"},
    {"<!DOCTYPE", "a web page, not a model; the download address is wrong or needs a login"},
    {"<html", "a web page, not a model; the download address is wrong or needs a login"},
};

Error unknown_format(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  if (bytes.empty()) return Error{ErrorCode::corrupt, path.string() + " is empty"};
  for (const KnownStart& start : kKnownStarts) {
    if (starts_with(bytes, start.bytes)) {
      return Error{ErrorCode::unsupported, path.string() + " is " + std::string(start.what)};
    }
  }
  if (path.extension() == ".gguf") {
    return Error{ErrorCode::corrupt, path.string() + ": corrupt GGUF: it does not begin with the letters GGUF"};
  }
  return Error{ErrorCode::unsupported, path.string() + " is neither a GGUF nor a .safetensors file"};
}

Result<ModelFile> open_any(const std::filesystem::path& path, FileContents contents) {
  if (base::is_folder(path)) return open_safetensors_folder(path, contents);
  if (path.extension() == ".safetensors") return open_safetensors_file(path, contents);
  INGLE_TRY(const base::MappedFile probe, base::MappedFile::open(path));
  if (!starts_with(probe.bytes(), "GGUF")) return unknown_format(probe.bytes(), path);
  return open_gguf(path, contents);
}

Result<std::optional<ModelFile>> describe_start(std::span<const std::byte> start, const std::string& name) {
  if (!starts_with(start, "GGUF")) return unknown_format(start, name);
  bool too_short = false;
  auto description = describe_gguf(start, name, &too_short);
  if (too_short) return std::optional<ModelFile>();
  if (!description.ok()) return std::move(description).error();
  ModelFile file;
  file.contents = FileContents::description;
  file.path = name;
  INGLE_TRY(const GgufSplit split, read_gguf_split(description->part.metadata, name));
  if (split.count > 1) return Error{ErrorCode::unsupported, name + " is one part of a model in several files"};
  file.metadata = std::move(description->part.metadata);
  file.tensors = std::move(description->part.tensors);
  file.mappings.push_back(std::move(description->data));
  INGLE_CHECK(ModelFileBuilder::index_tensors(file, name));
  return std::optional(std::move(file));
}

// The parsers size memory by the bytes that are there, yet a huge file on a small machine may still be too much.
template <typename Opened, typename Open>
Result<Opened> caught(const std::string& name, Open open) {
  try {
    return open();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::out_of_memory, "not enough memory to read the metadata of " + name};
  } catch (const std::exception& e) {
    return Error{ErrorCode::internal, "cannot read " + name + ": " + e.what()};
  }
}

}  // namespace

base::Status ModelFileBuilder::index_tensors(ModelFile& file, std::string_view label) {
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    const std::string& name = file.tensors[i].name;
    if (!file.tensor_index_.emplace(name, i).second) {
      return Error{ErrorCode::corrupt, std::string(label) + ": tensor " + quote(name) + " occurs twice"};
    }
  }
  return {};
}

Result<ModelFile> ModelFile::open(const std::filesystem::path& path, FileContents contents) {
  return caught<ModelFile>(path.string(), [&] { return open_any(path, contents); });
}

Result<std::optional<ModelFile>> ModelFile::describe(std::span<const std::byte> start, const std::string& name) {
  return caught<std::optional<ModelFile>>(name, [&] { return describe_start(start, name); });
}

const Tensor* ModelFile::find_tensor(std::string_view name) const {
  const auto entry = tensor_index_.find(name);
  return entry == tensor_index_.end() ? nullptr : &tensors[entry->second];
}

uint64_t ModelFile::tensor_bytes() const {
  uint64_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += tensor.data.size();
  return bytes;
}

uint64_t ModelFile::parameters() const {
  uint64_t elements = 0;
  for (const Tensor& tensor : tensors) elements += tensor.elements();
  const bool gguf = container == ContainerFormat::gguf;
  const Tensor* embedding = find_tensor(gguf ? "token_embd.weight" : "model.embed_tokens.weight");
  const Tensor* output = find_tensor(gguf ? "output.weight" : "lm_head.weight");
  const bool repeated = embedding != nullptr && output != nullptr && holds_the_same(*embedding, *output);
  return elements - (repeated ? output->elements() : 0);
}

}  // namespace ingle::core
