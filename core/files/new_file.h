// A new file that is complete or absent: written under a temporary name beside its own, in any order, then renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace ingle::core {

/// Removes what it wrote unless commit() succeeded. Moves, does not copy.
class NewFile {
 public:
  /// `path` is untouched until commit(). Errors: not_found (no such folder), permission_denied, no_space, io_error.
  static base::Result<NewFile> create(const std::filesystem::path& path);

  NewFile() = default;
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&& other) noexcept;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  /// Bytes that nobody writes are zero. Errors: no_space, io_error.
  base::Status write_at(uint64_t offset, std::span<const std::byte> bytes);
  /// Gives the file its name, in the place of what had it; with `sync` after its bytes are on the disk.
  base::Status commit(bool sync);

 private:
  int fd_ = -1;
  std::filesystem::path path_, temporary_;
};

}  // namespace ingle::core
