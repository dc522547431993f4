// Failure inside the module: an exception that never leaves it (grammar.cpp turns it into a Result), and the budget
// that every step of a compilation draws from.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "core/grammar/grammar.h"

namespace ingle::grammar {

struct Failure {
  base::ErrorCode code;
  std::string message;
};

[[noreturn]] inline void fail(base::ErrorCode code, std::string message) {
  throw Failure{code, std::move(message)};
}
[[noreturn]] inline void fail_limit(const std::string& what, uint64_t limit) {
  fail(base::ErrorCode::limit_exceeded, what + " are over the limit of " + std::to_string(limit));
}

/// What one compilation may still use.
class Budget {
 public:
  explicit Budget(const core::GrammarLimits& limits) : limits_(limits) {}
  const core::GrammarLimits& limits() const { return limits_; }

  /// A unit of work is about an edge looked at.
  void spend(uint64_t work) {
    work_ += work;
    if (work_ > limits_.max_work) fail_limit("the steps of compiling", limits_.max_work);
  }
  void take_states(uint64_t states) {
    states_ += states;
    if (states_ > limits_.max_states) fail_limit("the automata's states", limits_.max_states);
  }

 private:
  core::GrammarLimits limits_;
  uint64_t work_ = 0, states_ = 0;
};

}  // namespace ingle::grammar
