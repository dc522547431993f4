// Weights as a device reads them, kept on disk between runs, so that only the first start of a model has to pack them.
//
// A copy is one file, named by its key: a hash of everything that decides what its bytes are. Layout (little-endian,
// version 1):
//   header    64 bytes: magic "INGLEPKD", version, sources, blocks, bytes of data, offset of the data, hash of all of
//             the header and the tables but itself
//   sources   uint64 per source file: base::MappedFile::stamp(), by which files and their states differ
//   blocks    per block of the data: hash of the source bytes it was made from, hash of its own
//   data      at a multiple of 2 MiB, so that a system with huge pages for files can map it with those
// Whoever opens a copy knows every number of it but the stamps and hashes beforehand, so nothing in the file is
// believed: it either is what was expected or counts as damaged. Blocks are for the user to check before he uses them.
//
// Files appear by renaming and are never written to afterwards, but for the stamps; processes share their pages.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace ingle::core {

struct PackedBlock {
  uint64_t source_hash = 0, packed_hash = 0;
};

/// What a copy must be. `key` covers the content of the sources (as far as can be known without reading all of them)
/// and the layout.
struct PackedCopyShape {
  std::string key;               ///< a file name
  std::vector<uint64_t> stamps;  ///< of each source
  uint64_t data_bytes = 0, blocks = 0;
};

/// The folder of packed copies and the most that it may hold.
struct PackedCopyFolder {
  std::filesystem::path path;  ///< empty: no copies
  uint64_t limit_bytes = 0;
  /// Whose copies are looked at and made: packed_copy_owner() of a model's path. What one model's process wrote (and
  /// may have been made to write by a hostile file) is never another's.
  std::string owner;

  bool used() const { return !path.empty() && limit_bytes > 0; }
  std::filesystem::path file(const PackedCopyShape& shape) const { return path / (owner + shape.key + ".packed"); }
};

/// What the names of a model's copies begin with.
std::string packed_copy_owner(const std::filesystem::path& model);
/// Deletes the copies that were not used for longest, and those of killed writers, until `bytes` more fit below the
/// folder's limit.
void make_room(const PackedCopyFolder& folder, uint64_t bytes);

/// A copy, mapped. Moves, does not copy.
class PackedCopy {
 public:
  /// Of the file's layout; part of every key.
  static constexpr uint32_t version = 1;

  /// Errors: not_found; corrupt (not what was expected, or damaged); as base::errno_error.
  static base::Result<PackedCopy> open(const PackedCopyFolder& folder, const PackedCopyShape& shape);

  PackedCopy() = default;
  PackedCopy(PackedCopy&& other) noexcept;
  PackedCopy& operator=(PackedCopy&& other) noexcept;
  ~PackedCopy();

  bool valid() const { return mapping_ != nullptr; }
  /// A view of this process alone: what is written to it (see make_writable) does not reach the file.
  std::span<std::byte> data() const { return data_; }
  std::span<const PackedBlock> blocks() const { return blocks_; }
  /// False: a source was touched since, so its blocks' source hashes have to be compared before the copy is used.
  bool sources_untouched() const { return untouched_; }
  /// Notes that the sources, as they are now, are what the copy was made from.
  void keep_for(const PackedCopyShape& shape) const;
  /// Reads a part of data() past the system's cache of files, into memory aligned as the data is: `to` and `offset` are
  /// equal modulo kSector. Reads whole sectors, also those that it only touches, and returns how many bytes of the part
  /// arrived: fewer where the file was cut short or its disk fails.
  static constexpr uint64_t kSector = 4096;
  uint64_t read(uint64_t offset, uint64_t bytes, std::byte* to) const;
  /// Takes whole pages of a part of data() out of this process: read() is used instead.
  void unmap(uint64_t offset, uint64_t bytes) const;
  /// Deletes the file, so that the next load makes another; this one stays as it is.
  void forget() const;
  /// Lets this process write to a part of data(), to mend it. False: the system refuses, for want of memory.
  bool make_writable(std::span<std::byte> part) const;

 private:
  std::filesystem::path path_;
  base::FileDescriptor direct_;  ///< for read()
  bool cached_ = false;          ///< it has to go through the cache after all
  std::byte* mapping_ = nullptr;
  size_t mapping_bytes_ = 0;
  std::span<std::byte> data_;
  std::vector<PackedBlock> blocks_;
  bool untouched_ = false;
};

/// Writes a copy while it is being packed.
class PackedCopyWriter {
 public:
  /// Creates the folder and a file in it, after deleting the copies that were not used for longest where the folder
  /// would hold more than its limit. Errors: no_space (it would fill the disk, or exceeds the limit by itself); as
  /// base::NewFile.
  static base::Result<std::unique_ptr<PackedCopyWriter>> create(const PackedCopyFolder& folder,
                                                                const PackedCopyShape& shape);

  /// Writes bytes to their place in the data. For any thread; an error shows in commit(). In parts of kChunk bytes at
  /// multiples of it, this is several times as fast as in small ones, and some systems then use huge pages.
  static constexpr uint64_t kChunk = uint64_t{2} << 20;
  void write(uint64_t offset, std::span<const std::byte> bytes);
  /// Has that part leave memory for the disk.
  void release(uint64_t offset, uint64_t bytes) const { file_.release(data_offset_ + offset, bytes); }
  /// Writes the tables and gives the file its name. Errors: the first one of all writes.
  base::Status commit(std::span<const PackedBlock> blocks);

 private:
  PackedCopyWriter(const PackedCopyShape& shape, base::NewFile file);

  const PackedCopyShape shape_;
  const uint64_t data_offset_;
  base::NewFile file_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  base::Error error_;  ///< under mutex_ until all writes are done
};

}  // namespace ingle::core
