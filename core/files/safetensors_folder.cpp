// Hugging Face's folder layout: config.json, generation_config.json, and the weights in one file or in shards that
// model.safetensors.index.json lists.
#include <algorithm>
#include <system_error>
#include <utility>

#include "base/handed_files.h"
#include "core/files/error_text.h"
#include "core/files/json_config.h"
#include "core/files/json_events.h"
#include "core/files/model_file_builder.h"
#include "core/files/safetensors.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
namespace fs = std::filesystem;

constexpr std::string_view kIndexName = "model.safetensors.index.json";
constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;
constexpr uint64_t kMaxIndexBytes = uint64_t{64} << 20;  // 92,000 tensors of the largest open model take 9 MB
constexpr int kMaxIndexDepth = 32;

/// {"metadata": anything, "weight_map": {"TENSOR": "FILE", …}}
class IndexEvents final : public JsonEvents {
 public:
  SafetensorsIndex index;

  bool start_object(size_t) override { return enter(); }
  bool start_array(size_t) override {
    if (in_map_ && depth_ == 1) return refuse("weight_map is not an object");
    return enter();
  }
  bool end_object() override {
    if (--depth_ == 1) in_map_ = false;
    return true;
  }
  bool end_array() override { return --depth_, true; }

  bool key(std::string& key) override {
    if (depth_ == 1) {
      in_map_ = key == "weight_map";
      if (in_map_ && std::exchange(seen_map_, true)) return refuse("weight_map occurs twice");
    } else if (in_map_) {
      tensor_ = std::move(key);
    }
    return true;
  }

  bool string(std::string& value) override {
    if (!in_map_) return true;
    if (depth_ != 2) return refuse("weight_map is not an object");
    if (!is_plain_name(value)) {
      return refuse("tensor " + quote(tensor_) + " is in " + quote(value) +
                    ", which is not the name of a .safetensors file of this folder");
    }
    const std::string* shard = &*index.shards.insert(std::move(value)).first;
    if (!index.shard_of.emplace(tensor_, shard).second) return refuse("tensor " + quote(tensor_) + " occurs twice");
    return true;
  }

  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(int64_t) override { return other(); }
  bool number_unsigned(uint64_t) override { return other(); }
  bool number_float(double, const std::string&) override { return other(); }

 private:
  // No folders, no drive letters, no "..": the shards lie beside the index.
  static bool is_plain_name(std::string_view name) {
    return name.size() > std::string_view(".safetensors").size() && name.size() <= 255 &&
           name.ends_with(".safetensors") && name.find_first_of("/\\:") == std::string_view::npos && is_printable(name);
  }

  bool enter() {
    if (in_map_ && depth_ >= 2) return refuse("tensor " + quote(tensor_) + " is not given the name of a file");
    if (++depth_ > kMaxIndexDepth) return refuse("nested deeper than " + std::to_string(kMaxIndexDepth));
    return true;
  }

  bool other() {
    if (in_map_) return refuse("weight_map holds something other than names of files");
    return true;
  }

  int depth_ = 0;
  bool in_map_ = false;
  bool seen_map_ = false;
  std::string tensor_;
};

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// Names in `folder` that end in `extension`, sorted.
std::vector<fs::path> files_ending_in(const fs::path& folder, const fs::path& extension) {
  std::vector<fs::path> found = base::list_folder(folder);
  std::erase_if(found, [&](const fs::path& path) { return path.extension() != extension; });
  return found;
}

/// Another configuration, if there is one, with `prefix` before its names.
Status add_configuration(ModelFile& file, const fs::path& name, std::string_view prefix) {
  const fs::path path = file.folder / name;
  const auto text = base::read_file(path, kMaxConfigBytes);
  if (text.ok()) return flatten_json(*text, prefix, path.string(), file.metadata);
  if (text.error().code == ErrorCode::not_found) return {};
  return text.error();
}

/// modules.json is a list: "modules.0.type" and so on.
Status add_modules(ModelFile& file) {
  const fs::path path = file.folder / "modules.json";
  const auto text = base::read_file(path, kMaxConfigBytes);
  if (text.ok()) return flatten_json("{\"modules\": " + *text + "}", "", path.string(), file.metadata);
  if (text.error().code == ErrorCode::not_found) return {};
  return text.error();
}

Status read_configuration(ModelFile& file) {
  const fs::path config = file.folder / "config.json";
  auto text = base::read_file(config, kMaxConfigBytes);
  if (!text.ok() && text.error().code == ErrorCode::not_found) {
    const bool has_gguf = !files_ending_in(file.folder, ".gguf").empty();
    return Error{ErrorCode::not_found, "there is no " + config.string() +
                                           (has_gguf ? "; to open a GGUF model, give the .gguf file itself"
                                                     : "; a safetensors model needs its config.json beside it")};
  }
  if (!text.ok()) return text.error();
  INGLE_CHECK(flatten_json(*text, "", config.string(), file.metadata));

  INGLE_CHECK(add_configuration(file, "generation_config.json", "generation."));
  // What sentence-transformers puts behind the model.
  INGLE_CHECK(add_configuration(file, "1_Pooling/config.json", "pooling."));
  return add_modules(file);
}

Status append_file(ModelFile& file, const fs::path& path) {
  INGLE_TRY(base::MappedFile mapping, base::MappedFile::open(path));
  std::vector<Tensor> tensors;
  if (file.contents == FileContents::description) {
    INGLE_TRY(SafetensorsDescription description, describe_safetensors(mapping.bytes(), path.string()));
    mapping = std::move(description.data);
    tensors = std::move(description.tensors);
  } else {
    INGLE_TRY(tensors, parse_safetensors(mapping.bytes(), path.string()));
  }
  for (Tensor& tensor : tensors) file.tensors.push_back(std::move(tensor));
  file.mappings.push_back(std::move(mapping));
  return {};
}

Result<SafetensorsIndex> read_index(const fs::path& path) {
  INGLE_TRY(const std::string text, base::read_file(path, kMaxIndexBytes));
  return parse_safetensors_index(text, path.string());
}

/// Each tensor must be where the index says, and none may be missing.
Status append_shards(ModelFile& file, const SafetensorsIndex& index) {
  const std::string index_path = (file.folder / kIndexName).string();
  for (const std::string& shard : index.shards) {
    const fs::path path = file.folder / shard;
    if (!base::file_exists(path))
      return Error{ErrorCode::not_found, "shard " + path.string() + " of the model is missing"};
    const size_t first = file.tensors.size();
    INGLE_CHECK(append_file(file, path));
    for (size_t i = first; i < file.tensors.size(); ++i) {
      const auto entry = index.shard_of.find(file.tensors[i].name);
      if (entry != index.shard_of.end() && *entry->second == shard) continue;
      return Error{ErrorCode::corrupt, index_path + ": tensor " + quote(file.tensors[i].name) + " is in " +
                                           quote(shard) + ", which the index does not say"};
    }
  }
  INGLE_CHECK(ModelFileBuilder::index_tensors(file, index_path));
  for (const auto& [name, shard] : index.shard_of) {
    if (file.find_tensor(name) != nullptr || is_computed_buffer(name)) continue;
    return Error{ErrorCode::corrupt, index_path + ": tensor " + quote(name) + " is not in " + quote(*shard)};
  }
  return {};
}

Status append_single(ModelFile& file, const fs::path& path) {
  INGLE_CHECK(append_file(file, path));
  return ModelFileBuilder::index_tensors(file, path.string());
}

Result<fs::path> only_weights(const fs::path& folder) {
  const fs::path usual = folder / "model.safetensors";
  if (base::file_exists(usual)) return usual;
  const auto found = files_ending_in(folder, ".safetensors");
  if (found.size() == 1) return found.front();
  if (found.empty()) return Error{ErrorCode::not_found, "there is no .safetensors file in " + folder.string()};
  return Error{ErrorCode::not_found, folder.string() + " has " + std::to_string(found.size()) +
                                         " .safetensors files and no " + std::string(kIndexName) +
                                         " to tell them apart"};
}

ModelFile start(const fs::path& path, const fs::path& folder, FileContents contents) {
  ModelFile file;
  file.contents = contents;
  file.container = ContainerFormat::safetensors;
  file.path = path;
  file.folder = folder;
  return file;
}

}  // namespace

Result<SafetensorsIndex> parse_safetensors_index(std::string_view text, std::string_view file) {
  IndexEvents events;
  INGLE_CHECK(events.run(text, file));
  if (events.index.shards.empty()) {
    return Error{ErrorCode::corrupt, std::string(file) + ": it has no weight_map, or an empty one"};
  }
  return std::move(events.index);
}

Result<ModelFile> open_safetensors_folder(const fs::path& folder, FileContents contents) {
  ModelFile file = start(folder, folder, contents);
  INGLE_CHECK(read_configuration(file));
  if (base::file_exists(folder / kIndexName)) {
    INGLE_TRY(const SafetensorsIndex index, read_index(folder / kIndexName));
    INGLE_CHECK(append_shards(file, index));
  } else {
    INGLE_TRY(const fs::path weights, only_weights(folder));
    INGLE_CHECK(append_single(file, weights));
  }
  return file;
}

Result<ModelFile> open_safetensors_file(const fs::path& path, FileContents contents) {
  if (!base::file_exists(path)) return base::errno_error(ENOENT, "open", path);
  ModelFile file = start(path, folder_of(path), contents);
  INGLE_CHECK(read_configuration(file));
  if (base::file_exists(file.folder / kIndexName)) {
    INGLE_TRY(const SafetensorsIndex index, read_index(file.folder / kIndexName));
    if (index.shards.count(path.filename().string()) > 0) {
      INGLE_CHECK(append_shards(file, index));
      return file;
    }
  }
  INGLE_CHECK(append_single(file, path));
  return file;
}

}  // namespace ingle::core
