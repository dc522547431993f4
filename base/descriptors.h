// Descriptors that no path leads to, for other processes: pipes, and files in memory.
#pragma once

#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace ingle::base {

struct Pipe {
  FileDescriptor read, write;
};

/// Both ends are closed where another program is started. Errors: as errno_error.
Result<Pipe> make_pipe();

/// False: not all of it could be written, and errno says why.
bool write_all(int descriptor, std::string_view bytes);

/// The bytes as a file that nobody can change, to be read from its beginning. Errors: as errno_error.
Result<FileDescriptor> sealed_file(std::string_view bytes);

}  // namespace ingle::base
