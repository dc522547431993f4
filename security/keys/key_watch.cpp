// The kernel tells of changes in the folder, so that nothing wakes up while there are none. Where it does not, because
// there are as many watches as it allows or no folder, the file is looked at now and then.
#include "security/keys/key_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.h"

namespace ingle::security {
namespace {

using base::FileDescriptor;

constexpr int64_t kLookAgainSeconds = 2;        // where the kernel does not tell
constexpr int64_t kLongestSeconds = 24 * 3600;  // of waiting for an expiry: clocks may be set
constexpr uint32_t kChanges =
    IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

struct KeyWatch::State {
  const Keys& keys;
  std::function<void(const std::string&)> gone;
  FileDescriptor changes, stop;
  bool watched = false;
  std::set<std::string> valid = {}, told = {};
  int64_t next_expiry = 0;  ///< seconds since 1970; 0: none
  std::thread thread = {};

  // The folder is watched first, so that no change falls between; again each time, as another may be in its place.
  base::Result<std::vector<Key>> read() {
    watched = changes.get() >= 0 && ::inotify_add_watch(changes.get(), keys.folder().c_str(), kChanges) >= 0;
    return keys.list();
  }

  void look() {
    const auto list = read();
    next_expiry = 0;
    if (!list) return;
    const int64_t now = std::time(nullptr);
    std::set<std::string> left = std::exchange(valid, {});
    for (const Key& key : *list) {
      left.erase(key.id);
      if (key.expires && *key.expires <= now) {
        tell(key.id);
        continue;
      }
      valid.insert(key.id);
      if (key.expires) next_expiry = next_expiry == 0 ? *key.expires : std::min(next_expiry, *key.expires);
    }
    for (const std::string& id : left) tell(id);
  }

  void tell(const std::string& id) {
    if (told.insert(id).second) gone(id);
  }

  int patience_ms() const {
    if (next_expiry == 0 && watched) return -1;
    int64_t seconds = watched ? kLongestSeconds : kLookAgainSeconds;
    if (next_expiry != 0) seconds = std::min(seconds, next_expiry - std::time(nullptr));
    return static_cast<int>(std::max<int64_t>(seconds, 0) * 1000 + 1000);  // expiries are whole seconds
  }

  void run() {
    while (true) {
      look();
      std::array<pollfd, 2> waits = {{{stop.get(), POLLIN, 0}, {watched ? changes.get() : -1, POLLIN, 0}}};
      if (::poll(waits.data(), waits.size(), patience_ms()) < 0 && errno != EINTR) return;
      if (waits[0].revents != 0) return;
      std::array<char, 4096> events;
      while (watched && ::read(changes.get(), events.data(), events.size()) > 0)
        continue;  // what they are, look() says
    }
  }
};

KeyWatch::KeyWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}

KeyWatch::~KeyWatch() {
  const uint64_t one = 1;
  if (state_->thread.joinable() && ::write(state_->stop.get(), &one, sizeof one) == sizeof one) state_->thread.join();
}

base::Result<std::unique_ptr<KeyWatch>> KeyWatch::start(const Keys& keys,
                                                        std::function<void(const std::string&)> gone) {
  auto state =
      std::unique_ptr<State>(new State{keys, std::move(gone), FileDescriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
                                       FileDescriptor(::eventfd(0, EFD_CLOEXEC))});
  if (state->stop.get() < 0) return base::errno_error(errno, "make", "an event");
  INGLE_TRY(const std::vector<Key> list, state->read());
  for (const Key& key : list) state->valid.insert(key.id);
  std::unique_ptr<KeyWatch> watch(new KeyWatch(std::move(state)));
  watch->state_->thread = std::thread([state = watch->state_.get()] { state->run(); });
  return watch;
}

}  // namespace ingle::security
