// The store's folder: where things lie, and the manifests that give blobs their names (store.h draws it).
// A manifest is {"version":1,"name":…,"sha256":…,"bytes":…,"source":…,"file_name":…,"installed_at":…}.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ingle::store {

struct Manifest {
  std::string name;
  std::string sha256;
  uint64_t bytes = 0;
  std::string source;     ///< the address that delivered it
  std::string file_name;  ///< what its publisher calls it
  std::string installed_at;
};
/// Errors: corrupt, unsupported (another version).
base::Result<Manifest> parse_manifest(std::string_view text);

class Layout {
 public:
  /// Creates the folders. Errors: permission_denied, io_error, no_space; unsupported for a store of another version.
  static base::Result<Layout> create(const std::filesystem::path& root);

  std::filesystem::path blob(std::string_view sha256) const { return root_ / "blobs" / "sha256" / sha256; }
  std::filesystem::path blob_folder() const { return root_ / "blobs" / "sha256"; }
  std::filesystem::path models_folder() const { return root_ / "models"; }
  std::filesystem::path partial(std::string_view key) const { return root_ / "partial" / key; }
  std::filesystem::path lock(std::string_view key) const { return root_ / "locks" / (std::string(key) + ".lock"); }
  const std::filesystem::path& root() const { return root_; }

  /// Nothing where the name has none, or a broken one.
  std::optional<Manifest> read_manifest(std::string_view name) const;
  std::vector<Manifest> manifests() const;  ///< by name; broken ones are left out
  base::Status write_manifest(const Manifest& manifest) const;
  base::Status remove_manifest(std::string_view name) const;

  /// Whether the blob is there with this size.
  bool has_blob(std::string_view sha256, uint64_t bytes) const;

  /// Removes what nobody finished for a week: partial downloads, temporary files, blobs without a name. Takes each
  /// one's lock first, and never waits. Failures are left for the next time.
  void collect_garbage(double max_age_seconds = 7 * 24 * 3600.0) const;

 private:
  std::filesystem::path root_;
};

}  // namespace ingle::store
