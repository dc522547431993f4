// The system calls of this module: descriptors, durable files, free space, locks between processes, SHA-256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"

namespace ingle::store {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// A file that grows at its end. The error of a write that finds no space names the file system, and no bytes are lost:
/// what was written stays.
class AppendFile {
 public:
  /// Creates it where it is missing, and cuts it to `keep` bytes (keep ≤ its size) before appending.
  static Result<AppendFile> open(const std::filesystem::path& path, uint64_t keep);
  Status write(std::span<const std::byte> bytes);
  uint64_t size() const { return size_; }
  Status sync();

 private:
  std::filesystem::path path_;
  UniqueFd fd_;
  uint64_t size_ = 0;
};

/// Size of a regular file, or nothing where there is none.
std::optional<uint64_t> file_size_if_exists(const std::filesystem::path& path);
Status make_folders(const std::filesystem::path& folder);
/// Removes a file or a whole folder; what is already gone is fine.
Status remove_path(const std::filesystem::path& path);
/// Bytes that this user may still write to the file system of an existing folder.
Result<uint64_t> free_space(const std::filesystem::path& folder);
/// Age of a file's or folder's last change in seconds; 0 where unknown.
double age_seconds(const std::filesystem::path& path);

/// flock on a file: held until destroyed, released by the system when the process dies however it dies.
class FileLock {
 public:
  /// Nothing where somebody else (another process, or another FileLock of this one) holds it.
  static Result<std::optional<FileLock>> try_acquire(const std::filesystem::path& path);

 private:
  UniqueFd fd_;
};

class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();
  void update(std::span<const std::byte> bytes);
  /// 64 lower-case hex digits; ends the use of this object.
  std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_text(std::string_view text);
bool is_sha256_hex(std::string_view text);

/// SHA-256 of a file. `step` sees the bytes read so far and stops the work (error cancelled) by returning false.
Result<std::string> sha256_file(const std::filesystem::path& path, const std::function<bool(uint64_t)>& step);

/// UTC now as 2026-11-22T21:00:00Z.
std::string utc_now();

}  // namespace ingle::store
