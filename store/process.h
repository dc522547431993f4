// Runs a program without a shell and collects what it prints.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace ingle::store {

struct ProcessResult {
  int exit_code = 0;   ///< 128 + signal where one ended it
  std::string output;  ///< stdout, or its last max_output bytes
  std::string errors;  ///< the same of stderr
};

/// command[0] is a path. The child gets no stdin, dies when the caller does, and is killed with its own children when
/// `cancelled` says so or the time is over. Errors: not_found, io_error, cancelled, network (time over).
base::Result<ProcessResult> run_process(const std::vector<std::string>& command,
                                        const std::vector<std::string>& environment, double timeout_seconds,
                                        const std::function<bool()>& cancelled, size_t max_output = 1 << 20);

}  // namespace ingle::store
