#include "assistant/pacing/pacer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "core/backends/cpu/cores.h"
#include "core/engine/engine.h"

namespace ingle::assistant {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBusy{50}, kIdle{500};  // between two looks

}  // namespace

Pacer::Pacer(LoadReader reader, const PaceLimits& limits, Hooks hooks)
    : reader_(std::move(reader)), controller_(limits), hooks_(std::move(hooks)), thread_([this] { run(); }) {}

Pacer::~Pacer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Pacer::run() {
  std::optional<core::Pace> last;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const int64_t now = base::monotonic_ns();
    const core::Pace pace = controller_.next(reader_.read(now, hooks_.own()), now);
    if (!last || *last != pace) hooks_.set(pace);
    last = pace;
    const milliseconds wait = hooks_.busy() ? kBusy : kIdle;
    lock.lock();
    changed_.wait_for(lock, wait, [this] { return stopping_; });
  }
}

std::unique_ptr<Pacer> make_pacer(uint32_t threads, Pacer::Hooks hooks) {
  PaceLimits limits{.threads = threads, .cores = 0};
  for (const core::CoreKind& kind : core::core_kinds()) limits.cores += kind.cores;
  if (const auto quota = core::allowed_cpu_time()) limits.cores = std::min(limits.cores, *quota);
  return std::make_unique<Pacer>(LoadReader(core::allowed_cpus(), {}), limits, std::move(hooks));
}

}  // namespace ingle::assistant
