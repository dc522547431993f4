#include "assistant/inference/model_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/handed_files.h"
#include "core/memory/packed_copy.h"
#include "core/scheduler/prefix_files.h"
#include "security/sandbox/policy.h"

namespace ingle::assistant {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

constexpr size_t kMostFiles = security::kLastPassedFd - security::kFirstPassedFd - 4;
constexpr std::string_view kCopySuffix = ".packed";
/// Of kept prefixes, for each model: as many conversations go on after a restart.
constexpr int kPrefixFiles = 12;
constexpr auto kPrefixAge = std::chrono::hours(30 * 24);

/// "NAME-00001-of-00003.gguf" without the part's number; empty where it is no such name.
std::string split_name(const fs::path& path) {
  constexpr std::string_view kForm = "-#####-of-#####.gguf";
  std::string name = path.filename().string();
  if (name.size() <= kForm.size()) return {};
  const std::string_view end = std::string_view(name).substr(name.size() - kForm.size());
  for (size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == '#' ? end[i] < '0' || end[i] > '9' : end[i] != kForm[i]) return {};
  return name.erase(name.size() - kForm.size(), std::string_view("-#####").size());
}

bool belongs_to_checkpoint(const fs::path& path) {
  return path.extension() == ".safetensors" || path.extension() == ".json" || path.extension() == ".jinja";
}

std::vector<fs::path> paths_of(const fs::path& model) {
  if (base::is_folder(model) || model.extension() == ".safetensors") {
    const fs::path folder = base::is_folder(model) ? model : model.parent_path();
    std::vector<fs::path> paths = base::list_folder(folder);
    std::erase_if(paths, [](const fs::path& path) { return !belongs_to_checkpoint(path); });
    if (const fs::path pooling = folder / "1_Pooling" / "config.json"; base::file_exists(pooling))
      paths.push_back(pooling);
    return paths;
  }
  const std::string split = split_name(model);
  if (split.empty()) return {model};
  std::vector<fs::path> paths = base::list_folder(model.parent_path());
  std::erase_if(paths, [&](const fs::path& path) { return split_name(path) != split; });
  return paths;
}

/// Prefixes that were not used for long, and the oldest ones of all models where there are too many bytes.
void remove_old_prefixes(const fs::path& folder, uint64_t most_bytes) {
  struct Found {
    fs::path path;
    fs::file_time_type written;
    uint64_t bytes;
  };
  std::vector<Found> found;
  uint64_t total = 0;
  for (const fs::path& path : base::list_folder(folder)) {
    std::error_code gone;
    Found file{path, fs::last_write_time(path, gone), fs::file_size(path, gone)};
    if (gone || path.extension() != core::PrefixFiles::kSuffix) continue;
    total += file.bytes;
    found.push_back(std::move(file));
  }
  std::ranges::sort(found, {}, &Found::written);
  const auto oldest_kept = fs::file_time_type::clock::now() - kPrefixAge;
  for (const Found& file : found) {
    if (file.written > oldest_kept && total <= most_bytes) return;
    base::remove_file(file.path);
    total -= file.bytes;
  }
}

}  // namespace

fs::path prefix_folder(const fs::path& cache) {
  return cache / "prefixes";
}

void remove_kept_files(const fs::path& cache, const fs::path& model) {
  const std::string owner = core::packed_copy_owner(model);
  for (const fs::path& folder : {cache / "packed", prefix_folder(cache)})
    for (const fs::path& path : base::list_folder(folder))
      if (path.filename().string().starts_with(owner)) base::remove_file(path);
}

base::Result<ModelFiles> ModelFiles::open(const fs::path& model, const core::EngineOptions& options,
                                          uint64_t prefix_bytes) {
  ModelFiles files;
  std::vector<fs::path> paths = paths_of(model);
  for (const core::LoraSpec& lora : options.loras) paths.push_back(lora.path);
  for (const fs::path& path : paths) {
    INGLE_TRY(base::FileDescriptor fd, base::open_file(path));
    files.files_.push_back({path, std::move(fd), false});
  }
  files.owner_ = core::packed_copy_owner(model);
  files.limit_bytes_ = options.packed_copy_bytes;
  files.copies_ = options.cache_folder / "packed";
  if (!options.cache_folder.empty() && options.packed_copy_bytes > 0) {
    for (const fs::path& path : base::list_folder(files.copies_)) {
      if (!files.is_own_copy(path)) continue;
      auto fd = base::open_file(path, O_RDWR);  // notes in it which state of the model it is of
      if (!fd) fd = base::open_file(path);
      if (!fd) continue;
      files.files_.push_back({path, std::move(fd).value(), false});
      if (auto direct = base::open_file(path, O_RDONLY | O_DIRECT); direct.ok())
        files.files_.push_back({path, std::move(direct).value(), true});
    }
    base::make_private_folder(files.copies_);
    auto made = base::NewFile::create(files.copies_ / (files.owner_ + "new" + std::string(kCopySuffix)));
    if (made.ok()) files.new_file_ = std::move(made).value();
  }
  if (files.files_.size() > kMostFiles)
    return Error{ErrorCode::limit_exceeded, model.string() + " has " + std::to_string(files.files_.size()) +
                                                " files, and a model's process can be handed " +
                                                std::to_string(kMostFiles) + "; merge its parts"};
  if (!options.cache_folder.empty() && prefix_bytes > 0)
    files.open_prefix_files(prefix_folder(options.cache_folder), prefix_bytes);
  return files;
}

// As many as there is place for: a model can do without.
void ModelFiles::open_prefix_files(const fs::path& folder, uint64_t most_bytes) {
  base::make_private_folder(folder);
  remove_old_prefixes(folder, most_bytes);
  for (int i = 0; i < kPrefixFiles && files_.size() < kMostFiles; ++i) {
    const fs::path path = folder / (owner_ + std::to_string(i) + std::string(core::PrefixFiles::kSuffix));
    base::FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (fd.get() < 0) return;
    files_.push_back({path, std::move(fd), false});
    prefix_files_.push_back(path);
  }
}

bool ModelFiles::is_own_copy(const fs::path& path) const {
  const std::string name = path.filename().string();
  return path.parent_path() == copies_ && name.starts_with(owner_) && name.ends_with(kCopySuffix);
}

void ModelFiles::completed(const fs::path& path) {
  struct stat info{};
  if (new_file_.descriptor() < 0 || !is_own_copy(path) || ::fstat(new_file_.descriptor(), &info) != 0) return;
  const auto bytes = static_cast<uint64_t>(info.st_size);
  if (bytes > limit_bytes_) return;
  core::make_room({copies_, limit_bytes_, owner_}, bytes);
  new_file_.rename(path);
  // Not synced: what a crash of the system damages is found by its hash. Without a copy, the next start packs again.
  static_cast<void>(new_file_.commit(false));
  new_file_ = {};
}

void ModelFiles::removed(const fs::path& path) const {
  if (is_own_copy(path)) base::remove_file(path);
}

}  // namespace ingle::assistant
