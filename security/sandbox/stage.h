// What happens in the child between clone and exec: the descriptors, the limits, Landlock, the filter, exec.
#pragma once

#include <linux/filter.h>
#include <sys/resource.h>

#include <array>
#include <cstddef>
#include <utility>

namespace ingle::security {

/// All that the stage needs, made beforehand by launch(): the child shares the parent's memory until it execs, and may
/// neither allocate nor take a lock. Its own descriptors have numbers above kLastPassedFd.
struct Stage {
  struct Move {
    int from, to;
  };
  struct Limit {
    int resource;
    rlimit value;
  };

  const Move* moves = nullptr;  ///< ascending by `to`; all others up to kLastPassedFd are closed
  size_t move_count = 0;
  const Limit* limits = nullptr;
  size_t limit_count = 0;
  int niceness = 0;
  int ruleset = -1;  ///< of Landlock; -1: none
  sock_fprog filter{};
  int program = -1;
  char** arguments = nullptr;
  char** environment = nullptr;

  /// Where the child leaves why it failed, in memory that both see.
  struct Outcome {
    const char* failed_step;  ///< "limit"; null: it execed
    int failed_code;          ///< errno
  };
  Outcome* outcome = nullptr;
};

/// Runs the stage; for clone. Returns only on failure, and leaves the reason in the Stage.
int run_stage(void* stage);

}  // namespace ingle::security
