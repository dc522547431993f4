#include "core/memory/packed_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/handed_files.h"
#include "base/hash.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::array<char, 8> kMagic = {'I', 'N', 'G', 'L', 'E', 'P', 'K', 'D'};
constexpr uint64_t kDataAlignment = PackedCopyWriter::kChunk;
constexpr std::string_view kSuffix = ".packed";
constexpr uint64_t kDiskReserve = uint64_t{1} << 30;  ///< bytes left free on the disk

struct Header {
  std::array<char, 8> magic = kMagic;
  uint32_t version = PackedCopy::version;
  uint32_t sources = 0;
  uint64_t blocks = 0, data_bytes = 0, data_offset = 0;
  uint64_t hash = 0;
  uint64_t reserved[2] = {};
};
static_assert(sizeof(Header) == 64);

// Everything before the data, as bytes: header, stamps of the sources, hashes of the blocks.
class Tables {
 public:
  explicit Tables(const PackedCopyShape& shape) {
    header_.sources = static_cast<uint32_t>(shape.stamps.size());
    header_.blocks = shape.blocks;
    header_.data_bytes = shape.data_bytes;
    const uint64_t end = sizeof(Header) + shape.stamps.size() * sizeof(uint64_t) + shape.blocks * sizeof(PackedBlock);
    header_.data_offset = (end + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
    bytes_.resize(end);
  }

  uint64_t file_bytes() const { return header_.data_offset + header_.data_bytes; }
  uint64_t data_offset() const { return header_.data_offset; }
  std::span<std::byte> bytes() { return bytes_; }

  void fill(std::span<const uint64_t> stamps, std::span<const PackedBlock> blocks) {
    std::memcpy(this->stamps(), stamps.data(), stamps.size_bytes());
    std::memcpy(hashes(), blocks.data(), blocks.size_bytes());
    header_.hash = 0;
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    header_.hash = base::hash64(bytes_);
    std::memcpy(bytes_.data(), &header_, sizeof header_);
  }

  /// Whether bytes(), as read from a file, are what they should be.
  bool sound() {
    Header found;
    std::memcpy(&found, bytes_.data(), sizeof found);
    header_.hash = std::exchange(found.hash, 0);
    std::memcpy(bytes_.data(), &found, sizeof found);
    const bool same = base::hash64(bytes_) == header_.hash;
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    found.hash = header_.hash;
    return same && std::memcmp(&found, &header_, sizeof found) == 0;
  }

  std::byte* stamps() { return bytes_.data() + sizeof(Header); }
  std::byte* hashes() { return stamps() + header_.sources * sizeof(uint64_t); }

 private:
  Header header_;
  std::vector<std::byte> bytes_;
};

struct Found {
  std::filesystem::path path;
  std::filesystem::file_time_type used;
  uint64_t bytes = 0;
};

// The copies of a folder, the one that was not used for longest first.
std::vector<Found> list_copies(const std::filesystem::path& folder) {
  std::vector<Found> found;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    if (entry.path().extension() != kSuffix) continue;
    std::error_code gone;
    Found copy{entry.path(), entry.last_write_time(gone), entry.file_size(gone)};
    if (!gone) found.push_back(std::move(copy));
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.used < b.used; });
  return found;
}

}  // namespace

std::string packed_copy_owner(const std::filesystem::path& model) {
  const std::string path = std::filesystem::absolute(model).lexically_normal().string();
  return base::hash128_hex(std::as_bytes(std::span(path))).substr(0, 16) + "-";
}

// Who has a deleted copy mapped keeps it.
void make_room(const PackedCopyFolder& folder, uint64_t bytes) {
  base::remove_abandoned(folder.path, kSuffix);
  std::vector<Found> copies = list_copies(folder.path);
  uint64_t total = bytes;
  for (const Found& copy : copies) total += copy.bytes;
  for (const Found& copy : copies) {
    if (total <= folder.limit_bytes) return;
    std::error_code failure;
    if (std::filesystem::remove(copy.path, failure)) total -= copy.bytes;
  }
}

base::Result<PackedCopy> PackedCopy::open(const PackedCopyFolder& folder, const PackedCopyShape& shape) {
  const std::filesystem::path path = folder.file(shape);
  INGLE_TRY(const base::FileDescriptor fd, base::open_file(path));
  Tables tables(shape);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return base::errno_error(errno, "stat", path);
  if (!S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) != tables.file_bytes() ||
      !base::read_at(fd.get(), 0, tables.bytes(), path).ok() || !tables.sound())
    return Error{ErrorCode::corrupt, path.string() + " is damaged"};
  PackedCopy copy;
  copy.path_ = path;
  copy.blocks_.resize(shape.blocks);
  std::memcpy(copy.blocks_.data(), tables.hashes(), shape.blocks * sizeof(PackedBlock));
  copy.untouched_ = std::memcmp(tables.stamps(), shape.stamps.data(), shape.stamps.size() * sizeof(uint64_t)) == 0;
  void* mapping = ::mmap(nullptr, tables.file_bytes(), PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (mapping == MAP_FAILED) return base::errno_error(errno, "map", path);
  copy.mapping_ = static_cast<std::byte*>(mapping);
  copy.mapping_bytes_ = tables.file_bytes();
  copy.data_ = {copy.mapping_ + tables.data_offset(), shape.data_bytes};
  (void)::madvise(mapping, copy.mapping_bytes_, MADV_HUGEPAGE);
  auto direct = base::open_file(path, O_RDONLY | O_DIRECT);
  copy.cached_ = !direct.ok();  // not every file system can
  if (copy.cached_) direct = base::open_file(path);
  if (direct.ok()) copy.direct_ = std::move(direct).value();
  // The time says when it was last used, for make_room.
  (void)::futimens(fd.get(), nullptr);
  return copy;
}

PackedCopy::PackedCopy(PackedCopy&& other) noexcept {
  *this = std::move(other);
}

PackedCopy& PackedCopy::operator=(PackedCopy&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(direct_, other.direct_);
  std::swap(cached_, other.cached_);
  std::swap(mapping_, other.mapping_);
  std::swap(mapping_bytes_, other.mapping_bytes_);
  std::swap(data_, other.data_);
  std::swap(blocks_, other.blocks_);
  std::swap(untouched_, other.untouched_);
  return *this;
}

PackedCopy::~PackedCopy() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_bytes_);
}

void PackedCopy::keep_for(const PackedCopyShape& shape) const {
  Tables tables(shape);
  tables.fill(shape.stamps, blocks_);
  const auto fd = base::open_file(path_, O_WRONLY);
  // Half written, it counts as damaged.
  if (fd.ok()) (void)!::pwrite(fd->get(), tables.bytes().data(), tables.bytes().size(), 0);
}

uint64_t PackedCopy::read(uint64_t offset, uint64_t bytes, std::byte* to) const {
  const uint64_t before = offset % kSector, start = static_cast<uint64_t>(data_.data() - mapping_) + offset - before;
  const uint64_t whole = (before + bytes + kSector - 1) / kSector * kSector;
  uint64_t have = 0;
  while (have < before + bytes) {
    const ssize_t n = ::pread(direct_.get(), to - before + have, whole - have, static_cast<off_t>(start + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<uint64_t>(n);
    if (have % kSector != 0) break;  // the file ends there
  }
  if (cached_)
    (void)::posix_fadvise(direct_.get(), static_cast<off_t>(start), static_cast<off_t>(whole), POSIX_FADV_DONTNEED);
  return have < before ? 0 : std::min(have - before, bytes);
}

void PackedCopy::unmap(uint64_t offset, uint64_t bytes) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE)), begin = reinterpret_cast<uintptr_t>(data_.data());
  const uintptr_t first = (begin + offset + page - 1) / page * page, last = (begin + offset + bytes) / page * page;
  if (first >= last) return;
  // The place stays taken: what else came there would end with this mapping.
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  void* const place = ::mmap(reinterpret_cast<void*>(first), last - first, PROT_NONE, flags, -1, 0);
  static_cast<void>(place);  // where that fails, the part stays mapped, and nobody reads it
}

void PackedCopy::forget() const {
  base::remove_file(path_);
}

bool PackedCopy::make_writable(std::span<std::byte> part) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(part.data()) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(part.data()) + part.size();
  return ::mprotect(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE) == 0;
}

base::Result<std::unique_ptr<PackedCopyWriter>> PackedCopyWriter::create(const PackedCopyFolder& folder,
                                                                         const PackedCopyShape& shape) {
  const uint64_t bytes = Tables(shape).file_bytes();
  const std::string what = "packed weights of " + std::to_string(bytes >> 20) + " MiB";
  if (bytes > folder.limit_bytes) return Error{ErrorCode::no_space, what + " are more than all copies may take"};
  if (!base::lives_on_handed_files()) {      // whose starter sees to this
    base::make_private_folder(folder.path);  // a model that only its owner may read is not for others when packed
    make_room(folder, bytes);
    std::error_code failure;
    const auto space = std::filesystem::space(folder.path, failure);
    if (!failure && space.available < bytes + kDiskReserve)
      return Error{ErrorCode::no_space, "no room for " + what + " in " + folder.path.string()};
  }
  INGLE_TRY(base::NewFile file, base::NewFile::create(folder.file(shape)));
  return std::unique_ptr<PackedCopyWriter>(new PackedCopyWriter(shape, std::move(file)));
}

PackedCopyWriter::PackedCopyWriter(const PackedCopyShape& shape, base::NewFile file)
    : shape_(shape), data_offset_(Tables(shape).data_offset()), file_(std::move(file)) {}

void PackedCopyWriter::write(uint64_t offset, std::span<const std::byte> bytes) {
  if (failed_.load(std::memory_order_relaxed)) return;
  base::Status written = file_.write_at(data_offset_ + offset, bytes);
  if (written.ok()) return;
  const std::lock_guard lock(mutex_);
  if (!failed_.exchange(true)) error_ = std::move(written).error();
}

base::Status PackedCopyWriter::commit(std::span<const PackedBlock> blocks) {
  if (failed_.load()) return error_;
  Tables tables(shape_);
  tables.fill(shape_.stamps, blocks);
  INGLE_CHECK(file_.write_at(0, tables.bytes()));
  // Not synced: what a crash of the system damages is found by its hash.
  return file_.commit(false);
}

}  // namespace ingle::core
