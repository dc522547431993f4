#include "base/handed_files.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

namespace ingle::base {
namespace {

namespace fs = std::filesystem;

// Set once, before there are threads.
const HandedFiles* handed = nullptr;
std::atomic<bool> new_file_taken{false};

const HandedFile* find(const fs::path& path, bool direct) {
  const auto found = std::ranges::find_if(
      handed->files, [&](const HandedFile& file) { return file.path == path && file.direct == direct; });
  return found == handed->files.end() ? nullptr : &*found;
}

}  // namespace

void use_handed_files(HandedFiles files) {
  handed = new HandedFiles(std::move(files));  // until the process ends
}

bool lives_on_handed_files() {
  return handed != nullptr;
}

Result<FileDescriptor> open_file(const fs::path& path, int flags) {
  // O_NONBLOCK: opening a FIFO must not wait for the other end.
  if (handed == nullptr) {
    FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0) return errno_error(errno, "open", path);
    return fd;
  }
  const HandedFile* file = find(path, (flags & O_DIRECT) != 0);
  if (file == nullptr) return errno_error(ENOENT, "open", path);
  FileDescriptor fd(::dup(file->fd));
  if (fd.get() < 0) return errno_error(errno, "open", path);
  return fd;
}

bool file_exists(const fs::path& path) {
  std::error_code ignored;
  if (handed == nullptr) return fs::exists(path, ignored);
  return find(path, false) != nullptr || is_folder(path);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  if (handed == nullptr) return fs::is_directory(path, ignored);
  return !list_folder(path).empty();
}

std::vector<fs::path> list_folder(const fs::path& path) {
  std::vector<fs::path> found;
  if (handed == nullptr) {
    std::error_code error;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
      found.push_back(it->path());
  } else {
    for (const HandedFile& file : handed->files)
      if (!file.direct && file.path.parent_path() == path) found.push_back(file.path);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void remove_file(const fs::path& path) {
  std::error_code ignored;
  if (handed == nullptr) {
    fs::remove(path, ignored);
  } else if (handed->removed) {
    handed->removed(path);
  }
}

std::optional<Result<FileDescriptor>> take_handed_new_file(const fs::path& path) {
  if (handed == nullptr) return std::nullopt;
  if (handed->new_file < 0 || path.parent_path() != handed->new_file_folder || new_file_taken.exchange(true))
    return errno_error(EACCES, "create", path);
  FileDescriptor fd(::dup(handed->new_file));
  if (fd.get() < 0) return errno_error(errno, "create", path);
  return Result<FileDescriptor>(std::move(fd));
}

void complete_handed_new_file(const fs::path& path) {
  if (handed != nullptr && handed->completed) handed->completed(path);
}

}  // namespace ingle::base
