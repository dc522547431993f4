// The signal handler may only touch lock-free atomics and call async-signal-safe functions.
#include "cli/interrupt.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "cli/errors.h"

namespace ingle::cli {
namespace {

std::atomic<int> count{0};
std::atomic<bool> ending{false};
std::atomic<bool> hangup{false};
std::atomic<int> event{-1};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

extern "C" void on_signal(int signal) {
  const int code = errno;
  if (signal == SIGTERM) ending.store(true);
  if (count.fetch_add(1) >= 1) _exit(exit_interrupted);
  const uint64_t one = 1;
  (void)!::write(event.load(), &one, sizeof one);
  errno = code;
}

extern "C" void on_hangup(int) {
  const int code = errno;
  hangup.store(true);
  const uint64_t one = 1;
  (void)!::write(event.load(), &one, sizeof one);
  errno = code;
}

extern "C" void on_bus_error(int) {
  constexpr std::string_view text =
      "\ningle: a file in use was cut short, or its disk fails; start again ('rm' the file where that does not help)\n";
  (void)!::write(STDERR_FILENO, text.data(), text.size());
  _exit(exit_failure);
}

}  // namespace

void explain_bus_errors() {
  struct sigaction action{};
  action.sa_handler = on_bus_error;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
}

void catch_interrupts() {
  event.store(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // not SA_RESTART: a read that waits for the person must return
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void catch_hangups() {
  struct sigaction action{};
  if (sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = on_hangup;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGHUP, &action, nullptr);
}

bool take_hangup() {
  if (!hangup.exchange(false)) return false;
  uint64_t old = 0;
  // An interruption that comes in between counts all the same.
  if (!interrupted()) (void)!::read(event.load(), &old, sizeof old);
  return true;
}

bool interrupted() {
  return count.load(std::memory_order_relaxed) > 0;
}
void clear_interrupt() {
  if (terminated()) return;
  uint64_t old = 0;
  (void)!::read(event.load(), &old, sizeof old);
  count.store(0);
}
bool terminated() {
  return ending.load(std::memory_order_relaxed);
}
int interrupt_descriptor() {
  return event.load();
}

}  // namespace ingle::cli
