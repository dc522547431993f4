#include "core/files/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/files.h"

namespace ingle::core {

base::Result<NewFile> NewFile::create(const std::filesystem::path& path) {
  std::string temporary = path.string() + ".XXXXXX";
  NewFile file;
  file.fd_ = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (file.fd_ < 0) return base::errno_error(errno, "create", path);
  file.path_ = path;
  file.temporary_ = temporary;
  if (::fchmod(file.fd_, 0644) != 0) return base::errno_error(errno, "set the mode of", path);
  return file;
}

NewFile::NewFile(NewFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})) {}

NewFile& NewFile::operator=(NewFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  return *this;
}

NewFile::~NewFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

base::Status NewFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::errno_error(errno, "write", path_);
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

base::Status NewFile::commit(bool sync) {
  if (sync && ::fsync(fd_) != 0) return base::errno_error(errno, "sync", path_);
  // A full disk may only show when the file is closed.
  if (::close(std::exchange(fd_, -1)) != 0) return base::errno_error(errno, "close", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return base::errno_error(errno, "rename a new file to", path_);
  temporary_.clear();
  return {};
}

}  // namespace ingle::core
