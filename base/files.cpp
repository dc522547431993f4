#include "base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/handed_files.h"
#include "base/hash.h"

namespace ingle::base {
namespace {

Result<struct stat> regular_file(int fd, const std::filesystem::path& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return errno_error(errno, "stat", path);
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::corrupt, path.string() + " is not a regular file"};
  return info;
}

uint64_t stamp_of(const struct stat& info) {
  // The content's time can be set to anything, the inode's cannot; files that are touched together share both.
  const int64_t parts[] = {static_cast<int64_t>(info.st_ino), info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                           info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
  return hash64(std::as_bytes(std::span(parts)));
}

constexpr std::string_view kTemporaryMark = ".XXXXXX";

}  // namespace

Error errno_error(int code, std::string_view action, const std::filesystem::path& path) {
  ErrorCode kind = ErrorCode::io_error;
  if (code == ENOENT || code == ENOTDIR) kind = ErrorCode::not_found;
  if (code == EACCES || code == EPERM || code == EROFS) kind = ErrorCode::permission_denied;
  // EFBIG: a limit on the size of files (ulimit -f) is a lack of space as well.
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) kind = ErrorCode::no_space;
  if (code == ENOMEM) kind = ErrorCode::out_of_memory;
  return Error{kind, "cannot " + std::string(action) + " " + path.string() + ": " +
                         std::error_code(code, std::generic_category()).message()};
}

Status read_at(int fd, uint64_t offset, std::span<std::byte> out, const std::filesystem::path& path) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "read", path);
    if (n == 0) return Error{ErrorCode::io_error, path.string() + " was cut short while in use"};
    out = out.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Status write_at(int fd, uint64_t offset, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "write", path);
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  INGLE_TRY(FileDescriptor fd, open_file(path));
  INGLE_TRY(const struct stat info, regular_file(fd.get(), path));
  const auto size = static_cast<uint64_t>(info.st_size);
  MappedFile file;
  file.stamp_ = stamp_of(info);
  file.path_ = path;
  if (size == 0) return file;
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return errno_error(errno, "map", path);
  file.data_ = static_cast<const std::byte*>(data);
  file.size_ = size;
  file.fd_ = std::move(fd);
  return file;
}

Result<MappedFile> MappedFile::zeros(uint64_t size) {
  MappedFile file;
  if (size == 0) return file;
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED)
    return Error{ErrorCode::limit_exceeded, std::to_string(size) + " bytes are more than can be addressed"};
  file.data_ = static_cast<const std::byte*>(data);
  file.size_ = size;
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      stamp_(other.stamp_),
      path_(std::move(other.path_)),
      fd_(std::move(other.fd_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(stamp_, other.stamp_);
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

bool MappedFile::untouched() const {
  struct stat info{};
  const int failed = lives_on_handed_files() ? ::fstat(fd_.get(), &info) : ::stat(path_.c_str(), &info);
  return failed == 0 && stamp_of(info) == stamp_;
}

Status MappedFile::read(std::span<const std::byte> part, std::byte* out) const {
  return read_at(fd_.get(), static_cast<uint64_t>(part.data() - data_), {out, part.size()}, path_);
}

void MappedFile::release_pages(std::span<const std::byte> part) const {
  if (part.data() < data_ || part.data() + part.size() > data_ + size_) return;
  // Whoever looked at a page was given the aligned 64 KiB around it (Linux's fault_around_bytes), be they released
  // before.
  constexpr uintptr_t kAround = 64 << 10;
  const auto start = reinterpret_cast<uintptr_t>(data_);
  const auto first = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t begin = std::max(first & ~(kAround - 1), start);
  const uintptr_t end = std::min((first + part.size() + kAround - 1) & ~(kAround - 1), start + size_);
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

Result<std::string> read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  INGLE_TRY(const FileDescriptor fd, open_file(path));
  INGLE_TRY(const struct stat info, regular_file(fd.get(), path));
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > max_bytes)
    return Error{ErrorCode::limit_exceeded,
                 path.string() + " has " + std::to_string(size) + " bytes; the limit is " + std::to_string(max_bytes)};
  std::string content(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd.get(), content.data() + done, size - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "read", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  content.resize(done);
  return content;
}

int FileDescriptor::close() {
  return fd_ < 0 ? 0 : ::close(std::exchange(fd_, -1));
}

Result<NewFile> NewFile::create(const std::filesystem::path& path) {
  NewFile file;
  file.path_ = path;
  if (auto handed = take_handed_new_file(path)) {
    INGLE_TRY(file.fd_, std::move(*handed));
    return file;
  }
  file.temporary_ = path.string() + std::string(kTemporaryMark);
  file.fd_ = FileDescriptor(::mkostemp(file.temporary_.data(), O_CLOEXEC));
  if (file.fd_.get() < 0) {
    const int code = errno;
    return errno_error(code, "create", std::exchange(file.temporary_, {}));
  }
  (void)::flock(file.fd_.get(), LOCK_EX | LOCK_NB);
  return file;
}

NewFile& NewFile::operator=(NewFile&& other) noexcept {
  discard();
  path_ = std::move(other.path_);
  temporary_ = std::exchange(other.temporary_, {});
  fd_ = std::move(other.fd_);
  return *this;
}

NewFile::~NewFile() {
  discard();
}

void NewFile::discard() {
  if (fd_.get() >= 0 && !temporary_.empty()) ::unlink(temporary_.c_str());
  (void)fd_.close();
}

Status NewFile::write_at(uint64_t offset, std::span<const std::byte> bytes) const {
  return base::write_at(fd_.get(), offset, bytes, temporary_.empty() ? path_ : std::filesystem::path(temporary_));
}

void NewFile::release(uint64_t offset, uint64_t bytes) const {
  const auto at = static_cast<off_t>(offset), count = static_cast<off_t>(bytes);
  (void)::sync_file_range(fd_.get(), at, count,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  (void)::posix_fadvise(fd_.get(), at, count, POSIX_FADV_DONTNEED);
}

Status NewFile::commit(bool sync, Readers readers) {
  if (temporary_.empty()) {
    (void)fd_.close();
    complete_handed_new_file(path_);
    return {};
  }
  if (::fchmod(fd_.get(), readers == Readers::owner ? 0600 : 0644) != 0)
    return errno_error(errno, "set the mode of", temporary_);
  if (sync && ::fsync(fd_.get()) != 0) return errno_error(errno, "sync", temporary_);
  // Renamed before it is closed, and with that unlocked: nobody may take it for abandoned in between.
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return errno_error(errno, "rename", temporary_);
  if (fd_.close() != 0) return errno_error(errno, "close", path_);
  return {};
}

Status sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder.empty() ? "." : folder;
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return errno_error(errno, "open", path);
  // Some file systems cannot sync a folder (EINVAL); their renames are as durable as they get.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return errno_error(errno, "sync", path);
  return {};
}

void make_private_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  if (folder.empty() || std::filesystem::exists(folder, failure)) return;
  make_private_folder(folder.parent_path());
  if (!std::filesystem::create_directory(folder, failure)) return;
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failure);
  (void)sync_folder(folder.parent_path());
}

void remove_abandoned(const std::filesystem::path& folder, std::string_view suffix) {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    std::string name = entry.path().filename().string();
    if (name.size() <= kTemporaryMark.size()) continue;
    name.resize(name.size() - kTemporaryMark.size());
    if (!name.ends_with(suffix)) continue;
    const FileDescriptor fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (fd.get() >= 0 && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

Status write_file_atomic(const std::filesystem::path& path, std::string_view content, Readers readers) {
  INGLE_TRY(NewFile file, NewFile::create(path));
  INGLE_CHECK(file.write_at(0, std::as_bytes(std::span(content))));
  return file.commit(true, readers);
}

}  // namespace ingle::base
