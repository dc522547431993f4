// The signal handler may only touch lock-free atomics and call async-signal-safe functions.
#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace ingle::cli {
namespace {

constexpr int exit_interrupted = 130;
std::atomic<int> count{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void on_signal(int) {
  if (count.fetch_add(1) >= 1) _exit(exit_interrupted);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // not SA_RESTART: a read that waits for the person must return
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return count.load(std::memory_order_relaxed) > 0;
}
void clear_interrupt() {
  count.store(0);
}

}  // namespace ingle::cli
