// Opening by path, and what a process does that gave its paths up (security/sandbox): it finds the descriptors that its
// starter handed in, under the names of their files, and nothing else. A file that it makes is its starter's, too, who
// gives it its name.
#pragma once

#include <fcntl.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace ingle::base {

struct HandedFile {
  std::filesystem::path path;
  int fd = -1;
  bool direct = false;  ///< opened with O_DIRECT
};

struct HandedFiles {
  std::vector<HandedFile> files;
  /// An empty file, open for writing, which becomes the first NewFile of this folder; below 0: none can be made.
  int new_file = -1;
  std::filesystem::path new_file_folder;
  /// For any thread: the new file is complete, and is to have this name; the file of that name is to be deleted.
  std::function<void(const std::filesystem::path&)> completed, removed;
};

/// From now on, this process opens what is in `files`. Once, before there are other threads. They own the descriptors.
void use_handed_files(HandedFiles files);
/// Whether it was called.
bool lives_on_handed_files();

/// `flags`: O_RDONLY, O_WRONLY, with O_DIRECT where past the system's cache. Errors: as errno_error.
Result<FileDescriptor> open_file(const std::filesystem::path& path, int flags = O_RDONLY);
bool file_exists(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);
/// The files in it, by name; empty where it can't be read.
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& path);
/// Errors are ignored.
void remove_file(const std::filesystem::path& path);

/// For NewFile: the handed in new file where `path` may be it; nothing in a process with paths.
std::optional<Result<FileDescriptor>> take_handed_new_file(const std::filesystem::path& path);
void complete_handed_new_file(const std::filesystem::path& path);

}  // namespace ingle::base
