// For tests: a disk that forgets in a power cut what was not synced. SQLite's writes are seen by a VFS that is the
// system's but for three calls; syncs, also those of files and folders that SQLite does not make, by fsync() and
// fdatasync(), which the test program replaces (see sync()).
//
// What a cut leaves of a file: its bytes at the last sync, and of each write or truncation since then all, nothing, or
// some sectors, where others may be noise. Within one sector a later write never gives way to an earlier one. Of a
// folder: its names at its last sync or at any step since then, as file systems with a journal keep them.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/files.h"

namespace ingle::assistant {

class TestDisk {
 public:
  /// By path below the root.
  using Image = std::map<std::string, std::string>;

  /// Files below `root` are on it, if they are opened from now on; what is there already is synced. One at a time.
  explicit TestDisk(std::filesystem::path root) : root_(std::move(root)) {
    watch_folder(root_, true);
    current_ = this;
    sqlite3_vfs_register(vfs(), 1);
  }
  ~TestDisk() {
    sqlite3_vfs_unregister(vfs());
    current_ = nullptr;
  }
  TestDisk(const TestDisk&) = delete;
  TestDisk& operator=(const TestDisk&) = delete;

  /// Called before each write, truncation and sync; of a folder's sync there are few.
  std::function<void(bool is_of_folder)> before_step;

  /// What it might hold if the power failed now.
  Image cut(std::mt19937_64& random) {
    const std::lock_guard lock(mutex_);
    watch_folder(root_, false);
    Image image;
    folder_left(root_, random, image);
    return image;
  }

  static void write(const Image& image, const std::filesystem::path& folder) {
    for (const auto& [name, content] : image) {
      std::filesystem::create_directories((folder / name).parent_path());
      std::ofstream(folder / name, std::ios::binary) << content;
    }
  }

  /// Instead of fsync(): nothing has to reach the real disk, which makes hundreds of cuts quick.
  static int sync(int descriptor) {
    if (current_ != nullptr) current_->synced(descriptor);
    return 0;
  }

 private:
  struct Change {
    uint64_t offset;
    std::string bytes;
    bool is_size;  ///< a truncation to `offset`
  };
  struct File {
    base::FileDescriptor held;  ///< so that no other file gets its number
    std::string synced;
    std::vector<Change> changes;  ///< since then
  };
  using Names = std::map<std::string, ino_t>;
  /// What a patched file's methods are, which also leads to the real ones.
  struct Methods {
    sqlite3_io_methods own;
    const sqlite3_io_methods* real;
  };

  static sqlite3_vfs* vfs() {
    static sqlite3_vfs* const real = sqlite3_vfs_find(nullptr);
    static sqlite3_vfs own = [] {
      sqlite3_vfs made = *real;
      made.pNext = nullptr;
      made.zName = "test_disk";
      made.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
        const int opened = real->xOpen(real, name, file, flags, out);
        if (opened == SQLITE_OK && name != nullptr && current_ != nullptr) current_->opened(name, file);
        return opened;
      };
      return made;
    }();
    return &own;
  }

  void opened(const std::filesystem::path& path, sqlite3_file* file) {
    if (path.string().rfind(root_.string() + "/", 0) != 0) return;
    const std::lock_guard lock(mutex_);
    numbers_[file] = watch_file(path);

    static std::map<const sqlite3_io_methods*, Methods> patched;
    const auto [found, is_new] = patched.try_emplace(file->pMethods, Methods{*file->pMethods, file->pMethods});
    if (is_new) {
      found->second.own.xWrite = [](sqlite3_file* to, const void* bytes, int count, sqlite3_int64 offset) {
        if (current_ != nullptr)
          current_->changed(to, {static_cast<uint64_t>(offset),
                                 std::string(static_cast<const char*>(bytes), static_cast<size_t>(count)), false});
        return real_of(to)->xWrite(to, bytes, count, offset);
      };
      found->second.own.xTruncate = [](sqlite3_file* to, sqlite3_int64 size) {
        if (current_ != nullptr) current_->changed(to, {static_cast<uint64_t>(size), {}, true});
        return real_of(to)->xTruncate(to, size);
      };
    }
    file->pMethods = &found->second.own;
  }
  static const sqlite3_io_methods* real_of(sqlite3_file* file) {
    return reinterpret_cast<const Methods*>(file->pMethods)->real;
  }

  ino_t watch_file(const std::filesystem::path& path) {
    // O_PATH: to close any other descriptor of it would drop SQLite's locks, which a new file has none of.
    base::FileDescriptor held(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat info = {};
    ::fstat(held.get(), &info);
    if (const auto [file, is_new] = files_.try_emplace(info.st_ino); is_new) {
      file->second.held = std::move(held);
      std::ifstream in(path, std::ios::binary);
      file->second.synced.assign(std::istreambuf_iterator<char>(in), {});
    }
    return info.st_ino;
  }

  void step(bool is_of_folder) {
    watch_folder(root_, false);
    if (before_step) before_step(is_of_folder);
  }

  void changed(sqlite3_file* file, Change change) {
    const std::lock_guard lock(mutex_);
    step(false);
    files_[numbers_.at(file)].changes.push_back(std::move(change));
  }

  void synced(int descriptor) {
    struct stat info = {};
    if (::fstat(descriptor, &info) != 0) return;
    const std::lock_guard lock(mutex_);
    step(S_ISDIR(info.st_mode));
    if (const auto file = files_.find(info.st_ino); file != files_.end()) {
      for (const Change& each : std::exchange(file->second.changes, {})) apply(each, file->second.synced);
    } else if (S_ISDIR(info.st_mode)) {
      const auto folder =
          folders_.find(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor)).string());
      if (folder != folders_.end()) folder->second.erase(folder->second.begin(), folder->second.end() - 1);
    }
  }

  static void apply(const Change& change, std::string& to) {
    if (change.is_size) return to.resize(change.offset);
    to.resize(std::max<size_t>(to.size(), change.offset + change.bytes.size()));
    to.replace(change.offset, change.bytes.size(), change.bytes);
  }

  /// Notes a folder's names, where they are not as they were at the last step, and those of folders in it.
  void watch_folder(const std::filesystem::path& path, bool is_synced) {
    Names names;
    std::vector<std::string> inner;
    DIR* const folder = ::opendir(path.c_str());
    while (const dirent* const entry = folder != nullptr ? ::readdir(folder) : nullptr) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      names[name] = entry->d_ino;
      if (entry->d_type == DT_DIR) {
        inner.push_back(name);
      } else if (is_synced) {
        watch_file(path / name);
      }
    }
    ::closedir(folder);
    const auto [states, is_new] = folders_.try_emplace(path.string());
    if (is_new && !is_synced) states->second.emplace_back();
    if (states->second.empty() || states->second.back() != names) states->second.push_back(std::move(names));
    for (const std::string& name : inner) watch_folder(path / name, is_synced);
  }

  void folder_left(const std::filesystem::path& path, std::mt19937_64& random, Image& image) {
    const std::vector<Names>& states = folders_.at(path.string());
    for (const auto& [name, number] : states[random() % states.size()]) {
      const std::string below = std::filesystem::relative(path / name, root_).string();
      if (folders_.contains((path / name).string())) {
        folder_left(path / name, random, image);
      } else if (const auto file = files_.find(number); file != files_.end()) {
        image[below] = file_left(file->second, random);
      } else {
        // Not SQLite's or not opened yet: empty. Shared memory is never synced: anything.
        image[below] = name.ends_with("-shm") ? noise(random() % 2 * 32768, random) : std::string();
      }
    }
  }

  static std::string file_left(const File& file, std::mt19937_64& random) {
    constexpr double kChances[] = {0, 0.1, 0.5, 0.9, 1};
    const auto happens = [&](double chance) { return std::uniform_real_distribution<>(0, 1)(random) < chance; };
    const double whole = kChances[random() % std::size(kChances)], torn = random() % 2 == 0 ? 0 : 0.3;
    const size_t sector = random() % 2 == 0 ? 512 : 4096;
    std::string left = file.synced;
    for (const Change& change : file.changes) {
      if (happens(whole)) {
        apply(change, left);
      } else if (!change.is_size && happens(torn)) {
        for (size_t at = 0, end = 0; at < change.bytes.size(); at = end) {
          end = std::min((change.offset + at) / sector * sector + sector - change.offset, change.bytes.size());
          if (happens(0.5)) apply({change.offset + at, change.bytes.substr(at, end - at), false}, left);
          if (happens(0.1)) apply({change.offset + at, noise(end - at, random), false}, left);
        }
      }
    }
    return left;
  }

  static std::string noise(size_t size, std::mt19937_64& random) {
    std::string bytes(size, 0);
    for (char& each : bytes) each = static_cast<char>(random());
    return bytes;
  }

  inline static TestDisk* current_ = nullptr;
  const std::filesystem::path root_;
  std::recursive_mutex mutex_;  ///< of all below; before_step may cut
  std::map<ino_t, File> files_;
  std::map<const sqlite3_file*, ino_t> numbers_;
  std::map<std::string, std::vector<Names>> folders_;  ///< the first state is synced
};

}  // namespace ingle::assistant
