// The keys of a server: who may ask it for what. Tokens are shown once and kept as hashes, in a file that its owner
// alone can read. Several processes may use one folder: a server that verifies, a command line that adds and revokes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "security/keys/key_file.h"

namespace ingle::security {

/// Whom a token stands for.
struct Principal {
  std::string id;
  std::string name;
  Scopes scopes;
  std::string origin;  ///< of the page that alone may use it; empty: anybody
};

/// What who comes with a key is called where things are kept for him.
inline std::string key_principal(std::string_view id) {
  return "key " + std::string(id);
}

/// For any thread. Times are seconds since 1970 (UTC), the caller's.
class Keys {
 public:
  /// FOLDER/keys.json; the folder is made (mode 0700) if it is not there. Errors: permission_denied where folder or
  /// file are another user's, or readable or writable by others (says what to do); those of parse_key_file; io_error.
  static base::Result<Keys> open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const;

  Keys(Keys&&) noexcept;
  Keys& operator=(Keys&&) noexcept;
  ~Keys();

  struct Created {
    std::string token;  ///< the only time that anybody sees it
    Key key;
  };
  /// Errors: invalid_argument (name, scopes, a name that is taken, a time that is over), limit_exceeded (256 keys),
  /// busy (somebody else holds the lock for more than 5 seconds), no_space, those of open().
  base::Result<Created> create(std::string_view name, Scopes scopes, std::optional<int64_t> expires, int64_t now);

  /// A token for a page of that origin, against one with Scope::page, which then opens nothing any more: of several who
  /// try the same, one succeeds. It opens chat, models and admin for 30 days. Errors: permission_denied (as verify(),
  /// or it has not that scope), those of create().
  base::Result<Created> exchange(std::string_view code, std::string_view origin, int64_t now);

  /// As they are in the file now, the oldest first. Errors: those of open().
  base::Result<std::vector<Key>> list() const;

  /// By name or id. The next verify() in any process knows. Errors: not_found, busy, those of open().
  base::Status revoke(std::string_view name_or_id);

  /// Whom `token` stands for. Reads the file again where it changed since, and compares with all keys, however early
  /// one fits. Errors: permission_denied (not a token, unknown, revoked, expired: one message for all), those of
  /// open().
  base::Result<Principal> verify(std::string_view token, int64_t now) const;

 private:
  struct State;
  explicit Keys(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ingle::security
