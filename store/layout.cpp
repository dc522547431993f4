#include "store/layout.h"

#include <algorithm>

#include "base/files.h"
#include "base/json.h"
#include "store/address.h"
#include "store/system.h"

namespace ingle::store {
namespace {

using base::Json;

constexpr uint64_t max_manifest_bytes = 64 * 1024;
constexpr std::string_view store_version = "1\n";

std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    out.push_back(at->path());
  return out;
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  INGLE_TRY(const Json json, base::parse_json(text, {.max_bytes = max_manifest_bytes, .max_depth = 4}));
  const Error broken{ErrorCode::corrupt, "the manifest is broken"};
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned()) return broken;
  if (json["version"] != 1u) return Error{ErrorCode::unsupported, "the manifest has an unknown version"};
  Manifest manifest;
  const auto read = [&](const char* field, std::string& out) {
    if (!json.contains(field) || !json[field].is_string()) return false;
    out = json[field].get<std::string>();
    return std::none_of(out.begin(), out.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  };
  if (!read("name", manifest.name) || !read("sha256", manifest.sha256) || !read("source", manifest.source) ||
      !read("file_name", manifest.file_name) || !read("installed_at", manifest.installed_at))
    return broken;
  if (!json.contains("bytes") || !json["bytes"].is_number_unsigned()) return broken;
  manifest.bytes = json["bytes"].get<uint64_t>();
  if (!is_valid_model_name(manifest.name) || !is_sha256_hex(manifest.sha256)) return broken;
  return manifest;
}

Result<Layout> Layout::create(const std::filesystem::path& root) {
  if (root.empty()) return Error{ErrorCode::invalid_argument, "the store needs a folder"};
  Layout layout;
  layout.root_ = root;
  for (const std::filesystem::path& folder :
       {layout.blob_folder(), layout.models_folder(), root / "partial", root / "locks"})
    INGLE_CHECK(make_folders(folder));
  const Result<std::string> version = base::read_file(root / "version", 100);
  if (!version.ok() && version.error().code != ErrorCode::not_found) return version.error();
  if (!version.ok()) INGLE_CHECK(base::write_file_atomic(root / "version", store_version));
  if (version.ok() && *version != store_version)
    return Error{ErrorCode::unsupported, root.string() + " was made by a newer version of this program"};
  return layout;
}

std::optional<Manifest> Layout::read_manifest(std::string_view name) const {
  if (!is_valid_model_name(name)) return std::nullopt;
  const Result<std::string> text = base::read_file(models_folder() / (std::string(name) + ".json"), max_manifest_bytes);
  if (!text.ok()) return std::nullopt;
  Result<Manifest> manifest = parse_manifest(*text);
  if (!manifest.ok() || manifest->name != name) return std::nullopt;
  return std::move(manifest).value();
}

std::vector<Manifest> Layout::manifests() const {
  std::vector<Manifest> out;
  for (const std::filesystem::path& path : entries_of(models_folder())) {
    if (path.extension() != ".json") continue;
    if (std::optional<Manifest> manifest = read_manifest(path.stem().string())) out.push_back(std::move(*manifest));
  }
  std::sort(out.begin(), out.end(), [](const Manifest& a, const Manifest& b) { return a.name < b.name; });
  return out;
}

Status Layout::write_manifest(const Manifest& manifest) const {
  Json json;
  json["version"] = 1;
  json["name"] = manifest.name;
  json["sha256"] = manifest.sha256;
  json["bytes"] = manifest.bytes;
  json["source"] = manifest.source;
  json["file_name"] = manifest.file_name;
  json["installed_at"] = manifest.installed_at;
  INGLE_CHECK(base::write_file_atomic(models_folder() / (manifest.name + ".json"),
                                      json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"));
  return base::sync_folder(models_folder());
}

Status Layout::remove_manifest(std::string_view name) const {
  INGLE_CHECK(remove_path(models_folder() / (std::string(name) + ".json")));
  return base::sync_folder(models_folder());
}

bool Layout::has_blob(std::string_view sha256, uint64_t bytes) const {
  return is_sha256_hex(sha256) && file_size_if_exists(blob(sha256)) == bytes;
}

void Layout::collect_garbage(double max_age_seconds) const {
  for (const std::filesystem::path& path : entries_of(root_ / "partial")) {
    // Every resumed byte changes the files inside, not the folder: the youngest of both counts.
    double age = age_seconds(path);
    for (const std::filesystem::path& file : entries_of(path)) age = std::min(age, age_seconds(file));
    if (age < max_age_seconds) continue;
    const Result<std::optional<FileLock>> lock = FileLock::try_acquire(this->lock(path.filename().string()));
    if (lock.ok() && lock->has_value()) (void)remove_path(path);
  }
  for (const std::filesystem::path& path : entries_of(models_folder())) {
    // write_file_atomic's temporary names end in ".json.XXXXXX".
    if (path.extension() != ".json" && age_seconds(path) >= max_age_seconds) (void)remove_path(path);
  }
  for (const std::filesystem::path& path : entries_of(blob_folder())) {
    const std::string sha256 = path.filename().string();
    if (!is_sha256_hex(sha256) || age_seconds(path) < max_age_seconds) continue;
    const Result<std::optional<FileLock>> lock = FileLock::try_acquire(this->lock(sha256));
    if (!lock.ok() || !lock->has_value()) continue;
    const std::vector<Manifest> named = manifests();
    if (std::none_of(named.begin(), named.end(), [&](const Manifest& m) { return m.sha256 == sha256; }))
      (void)remove_path(path);
  }
}

}  // namespace ingle::store
