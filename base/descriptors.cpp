#include "base/descriptors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace ingle::base {

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "make", "a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

Result<FileDescriptor> sealed_file(std::string_view bytes) {
  FileDescriptor file(::memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0) return errno_error(errno, "make", "a file in memory");
  if (!write_all(file.get(), bytes)) return errno_error(errno, "write", "a file in memory");
  if (::lseek(file.get(), 0, SEEK_SET) != 0 ||
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return errno_error(errno, "seal", "a file in memory");
  return file;
}

}  // namespace ingle::base
