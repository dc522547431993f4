// When to bring a model's weights back into memory while nobody asks anything: a while after the last pass, and again
// and again, as the system may give away what was not used for long. In small steps, so that whoever comes waits for
// one at most. Without a clock of its own.
#pragma once

#include <cstdint>

namespace ingle::core {

class IdlePreload {
 public:
  static constexpr uint64_t kStep = uint64_t{4} << 20;            ///< bytes: a few milliseconds
  static constexpr double kFirstSeconds = 5, kEverySeconds = 60;  ///< after the last pass; after the last round

  /// There was work: not now, and from the beginning next time.
  void worked(double now) { *this = {.due = now + kFirstSeconds}; }
  /// A step brought the bytes up to `next` into memory; 0: that was all.
  void stepped(double now, uint64_t next) { *this = {.due = next == 0 ? now + kEverySeconds : now, .from = next}; }

  double due = kFirstSeconds;  ///< when the next step is to be made, in the seconds of `now`
  uint64_t from = 0;           ///< … and where it begins
};

}  // namespace ingle::core
