// The files that a model's process is handed in, opened by who may.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/engine/engine.h"

namespace ingle::assistant {

class ModelFiles {
 public:
  struct File {
    std::filesystem::path path;
    base::FileDescriptor fd;
    bool direct = false;
  };

  /// What `model` (an absolute path) consists of, the options' adapters, the packed copies of its weights, and a new
  /// file for another copy; files for kept prefixes, of which all models' take at most `prefix_bytes` (0: none).
  /// Errors: as base::errno_error; limit_exceeded (more files than can be handed in).
  static base::Result<ModelFiles> open(const std::filesystem::path& model, const core::EngineOptions& options,
                                       uint64_t prefix_bytes = 0);

  const std::vector<File>& files() const { return files_; }
  /// Those of them that are for prefixes.
  const std::vector<std::filesystem::path>& prefix_files() const { return prefix_files_; }
  /// Below 0: none can be made here.
  int new_file() const { return new_file_.descriptor(); }

  /// What the process says of its copies. It is not believed: only this model's are named or deleted.
  void completed(const std::filesystem::path& path);
  void removed(const std::filesystem::path& path) const;

 private:
  bool is_own_copy(const std::filesystem::path& path) const;
  void open_prefix_files(const std::filesystem::path& folder, uint64_t most_bytes);

  std::filesystem::path copies_;  ///< the folder
  std::string owner_;
  uint64_t limit_bytes_ = 0;
  std::vector<File> files_;
  std::vector<std::filesystem::path> prefix_files_;
  base::NewFile new_file_;
};

/// Where prefixes are kept, below the cache folder.
std::filesystem::path prefix_folder(const std::filesystem::path& cache);
/// Deletes what is kept of a model that is gone: copies of its weights, prefixes.
void remove_kept_files(const std::filesystem::path& cache, const std::filesystem::path& model);

}  // namespace ingle::assistant
