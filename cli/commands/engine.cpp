// ingle __engine: the process that runs a model for `ingle serve`, which starts it.
#include "assistant/inference/engine_host.h"
#include "cli/command.h"
#include "cli/session.h"

namespace ingle::cli {
namespace {

base::Status run(Session&) {
  if (assistant::run_engine_host() == 0) return {};
  return base::Error{base::ErrorCode::invalid_argument, "'ingle serve' starts this, and tells it what to run"};
}

}  // namespace

extern const Command engine_record;
const Command engine_record{
    .name = "__engine",
    .summary = "run a model for a server",
    .hidden = true,
    .tolerates_config = true,
    .run = run,
};

}  // namespace ingle::cli
