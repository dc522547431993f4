// Running this program again and reading what it prints.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace ingle::cli {

struct Finished {
  std::string output;   ///< standard output
  int exit_status = 0;  ///< of the process; 128 + signal where one ended it
};

/// Starts this program's own executable with `arguments` (without the program's name), standard error passed through,
/// and waits. Errors: io_error, limit_exceeded (over 16 MiB of output).
base::Result<Finished> run_self(const std::vector<std::string>& arguments);

}  // namespace ingle::cli
