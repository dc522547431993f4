// Files: memory-mapped reading, whole reads with a bound, and writes that are complete or absent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace ingle::base {

/// An open file descriptor, closed with its owner.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { (void)close(); }
  int get() const { return fd_; }
  /// 0, or -1 and errno: a full disk may only show here.
  int close();

 private:
  int fd_;
};

/// All of `out` or `bytes`, from or to that place of an open file; `path` is for errors, which are as errno_error;
/// io_error where the file ends too early.
Status read_at(int fd, uint64_t offset, std::span<std::byte> out, const std::filesystem::path& path);
Status write_at(int fd, uint64_t offset, std::span<const std::byte> bytes, const std::filesystem::path& path);

/// A read-only mapping of a whole file; moves, does not copy. The views die with it.
class MappedFile {
 public:
  /// Errors: not_found, permission_denied, io_error, corrupt (not a regular file).
  static Result<MappedFile> open(const std::filesystem::path& path);

  /// Stands in for a file of `size` bytes that is not here: zeros, which take no memory.
  /// Error: limit_exceeded (more than can be addressed).
  static Result<MappedFile> zeros(uint64_t size);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Tells files and their states apart: a hash, as of open(), of the inode and of when it and the content changed.
  uint64_t stamp() const { return stamp_; }
  /// Whether the file of that path has this stamp still. Says nothing about changes within one tick of its clock.
  bool untouched() const;

  /// Copies a part of bytes() from the file. Unlike reading the mapping, this leaves no pages of the file with the
  /// process, and fails where the file was cut short meanwhile. Error: io_error.
  Status read(std::span<const std::byte> part, std::byte* out) const;

  /// Tells the system that this part will not be read again soon, so that its pages need not stay resident, nor those
  /// that it gave the process along with them. What is no part of bytes() is left alone.
  void release_pages(std::span<const std::byte> part) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  uint64_t stamp_ = 0;
  std::filesystem::path path_;
  FileDescriptor fd_;
};

/// Who may read a new file. What holds conversations is its owner's.
enum class Readers { everyone, owner };

/// A file that appears under its name when it is committed, complete, or never. Until then it is NAME.XXXXXX in the
/// same folder, locked, so that what a killed process left can be told from what one is writing (remove_abandoned).
class NewFile {
 public:
  /// Errors: io_error, no_space, permission_denied, not_found.
  static Result<NewFile> create(const std::filesystem::path& path);

  NewFile() = default;
  NewFile(NewFile&& other) noexcept = default;
  NewFile& operator=(NewFile&& other) noexcept;
  ~NewFile();

  /// For any thread. What lies between written parts is zeros. Errors: io_error, no_space.
  Status write_at(uint64_t offset, std::span<const std::byte> bytes) const;
  /// Writes that part to the disk and gives up the system's copy of it in memory.
  void release(uint64_t offset, uint64_t bytes) const;
  /// Below 0: none is open.
  int descriptor() const { return fd_.get(); }
  /// The name that commit() will give it, in the same folder.
  void rename(std::filesystem::path path) { path_ = std::move(path); }
  /// `sync`: on the disk before it has the name. Without, a crash of the system may leave a damaged file.
  Status commit(bool sync, Readers readers = Readers::everyone);

 private:
  void discard();

  std::filesystem::path path_;
  std::string temporary_;
  FileDescriptor fd_;
};

/// A power cut does not undo what was made, renamed or removed in this folder before. Errors: io_error, not_found.
Status sync_folder(const std::filesystem::path& folder);

/// Makes a folder, and those above it, for its owner alone, so that a power cut leaves them. One that is there stays as
/// it is; errors are ignored.
void make_private_folder(const std::filesystem::path& folder);

/// Deletes what killed processes left of NewFiles called *`suffix`.
void remove_abandoned(const std::filesystem::path& folder, std::string_view suffix);

/// The whole file. Errors: as MappedFile::open, and limit_exceeded over max_bytes.
Result<std::string> read_file(const std::filesystem::path& path, uint64_t max_bytes);

/// Writes to a temporary name beside `path`, syncs, renames. Errors: io_error, no_space, permission_denied.
Status write_file_atomic(const std::filesystem::path& path, std::string_view content,
                         Readers readers = Readers::everyone);

/// An Error for errno `code` about `path`: "cannot open /x: No such file or directory".
Error errno_error(int code, std::string_view action, const std::filesystem::path& path);

}  // namespace ingle::base
