// Files: memory-mapped reading, whole reads with a bound, and writes that are complete or absent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ingle::base {

/// A read-only mapping of a whole file; moves, does not copy. The views die with it.
class MappedFile {
 public:
  /// Errors: not_found, permission_denied, io_error, corrupt (not a regular file).
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// Tells the system that this part will not be read again soon, so that its pages need not stay resident.
  void release_pages(std::span<const std::byte> part) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// The whole file. Errors: as MappedFile::open, and limit_exceeded over max_bytes.
Result<std::string> read_file(const std::filesystem::path& path, uint64_t max_bytes);

/// Writes to a temporary name beside `path`, syncs, renames. Errors: io_error, no_space, permission_denied.
Status write_file_atomic(const std::filesystem::path& path, std::string_view content);

/// An Error for errno `code` about `path`: "cannot open /x: No such file or directory".
Error errno_error(int code, std::string_view action, const std::filesystem::path& path);

}  // namespace ingle::base
