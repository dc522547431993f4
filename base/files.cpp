#include "base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace ingle::base {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  /// Closes and reports: a full disk may only show here.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

Status write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "write", path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<uint64_t> regular_file_size(int fd, const std::filesystem::path& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return errno_error(errno, "stat", path);
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::corrupt, path.string() + " is not a regular file"};
  return static_cast<uint64_t>(info.st_size);
}

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

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return errno_error(errno, "open", path);
  INGLE_TRY(const uint64_t size, regular_file_size(fd.get(), path));
  MappedFile file;
  if (size == 0) return file;
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return errno_error(errno, "map", path);
  file.data_ = static_cast<const std::byte*>(data);
  file.size_ = size;
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release_pages(std::span<const std::byte> part) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) & ~(page - 1);
  const uintptr_t end = (reinterpret_cast<uintptr_t>(part.data()) + part.size()) & ~(page - 1);
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

Result<std::string> read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return errno_error(errno, "open", path);
  INGLE_TRY(const uint64_t size, regular_file_size(fd.get(), path));
  if (size > max_bytes)
    return Error{ErrorCode::limit_exceeded,
                 path.string() + " has " + std::to_string(size) + " bytes; the limit is " + std::to_string(max_bytes)};
  std::string content(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(fd.get(), content.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "read", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  content.resize(done);
  return content;
}

Status write_file_atomic(const std::filesystem::path& path, std::string_view content) {
  std::string temporary = path.string() + ".XXXXXX";
  FileDescriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (fd.get() < 0) return errno_error(errno, "create", temporary);
  Status written = write_all(fd.get(), content, temporary);
  if (written.ok() && ::fchmod(fd.get(), 0644) != 0) written = errno_error(errno, "set the mode of", temporary);
  if (written.ok() && ::fsync(fd.get()) != 0) written = errno_error(errno, "sync", temporary);
  if (fd.close() != 0 && written.ok()) written = errno_error(errno, "close", temporary);
  if (written.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) written = errno_error(errno, "rename", temporary);
  if (!written.ok()) ::unlink(temporary.c_str());
  return written;
}

}  // namespace ingle::base
