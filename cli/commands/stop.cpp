// ingle stop: ends a server that runs.
#include <poll.h>
#include <signal.h>

#include <chrono>

#include "base/files.h"
#include "cli/interrupt.h"
#include "cli/running.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
using Clock = std::chrono::steady_clock;

// A server gives its answers 30 seconds.
constexpr std::chrono::seconds kPatience{40};
constexpr std::chrono::milliseconds kPause{20};

/// Waits a moment for it. A process's descriptor can be read from once it has ended.
bool has_ended(const base::FileDescriptor& process) {
  pollfd end{process.get(), POLLIN, 0};
  return poll(&end, 1, static_cast<int>(kPause.count())) > 0;
}

Status run(Session& session) {
  const auto folder = servers_folder(session);
  INGLE_TRY(const RunningServer server, choose_server(session));
  const std::string who = server.address() + " (pid " + std::to_string(server.pid) + ")";
  // The number may be another process's by the time that it gets the signal; what is open here may not.
  const base::FileDescriptor process = open_process(server.pid);
  const bool now = session.values.flag("now");
  if (process.get() < 0 || !still_runs(folder, server)) return session.terminal.out("stopped " + who + "\n");
  const auto begun = Clock::now();
  for (int rounds = 0; rounds == 0 || !has_ended(process); ++rounds) {
    // The second signal ends it at once.
    if (rounds == 0 || (now && rounds % 5 == 0)) {
      const Status sent = signal_process(process, SIGTERM);
      if (!sent && sent.error().code != ErrorCode::not_found) return sent.error();
    }
    if (interrupted()) return Error{ErrorCode::cancelled, ""};
    if (Clock::now() - begun > kPatience)
      return Error{ErrorCode::busy, who + " has not ended yet; 'ingle stop --now' does not let its answers end"};
  }
  return session.terminal.out("stopped " + who + "\n");
}

constexpr Option options[] = {
    {.name = "port",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "the port of the server that is meant",
     .fallback_note = "the only server",
     .minimum = 0,
     .maximum = 65535},
    {.name = "now", .help = "do not wait for answers in progress"},
};
constexpr Example examples[] = {
    {"ingle stop", "Lets answers in progress end, then ends the server."},
};

}  // namespace

extern const Command stop_record;
const Command stop_record{
    .name = "stop",
    .summary = "end a server that runs",
    .description =
        "Ends the server that 'ingle serve' started, in the background or elsewhere. It takes no more requests, "
        "answers "
        "in progress may take 30 seconds more. Returns when it has ended.",
    .options = options,
    .examples = examples,
    .order = 28,
    .run = run,
};

}  // namespace ingle::cli
