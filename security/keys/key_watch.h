// Who has to know when a key opens nothing any more, to drop what was kept for who had it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "security/keys/keys.h"

namespace ingle::security {

class KeyWatch {
 public:
  /// Calls `gone`, on a thread of its own, with the id of each key that is revoked by any process from now on, and of
  /// each that has expired or does. Each once. A file that can't be read says nothing; none is one without keys. `keys`
  /// outlives it. Errors: those of Keys::list().
  static base::Result<std::unique_ptr<KeyWatch>> start(const Keys& keys, std::function<void(const std::string&)> gone);
  /// Waits for a call of `gone` to return.
  ~KeyWatch();

 private:
  struct State;
  explicit KeyWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ingle::security
