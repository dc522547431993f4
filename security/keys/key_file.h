// The file of keys, as text:
//   {"version":1,"keys":[{"id":"…","name":"phone","scopes":["chat"],"created":1764000000,"expires":1795000000,
//                         "sha256":"…"}],"check":"…"}
// Times are seconds since 1970 (UTC); "expires" may be missing, and so may "origin": a page's, which alone may use it.
// "check" is hash128_hex of "keys" as nlohmann's dump() writes it: it finds damage and half-done edits. Anyone who can
// write the file can forge it; its mode keeps them out.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "security/keys/token.h"

namespace ingle::security {

/// What a key opens. None includes another.
enum class Scope : uint32_t {
  chat = 1,    ///< "chat": ask models
  models = 2,  ///< "models": fetch and remove models
  admin = 4,   ///< "admin": the person's conversations and settings
  page = 8,    ///< "page": become a page's token, once (Keys::exchange)
};

class Scopes {
 public:
  constexpr Scopes() = default;
  constexpr Scopes(std::initializer_list<Scope> list) {
    for (const Scope scope : list) add(scope);
  }
  constexpr void add(Scope scope) { bits_ |= static_cast<uint32_t>(scope); }
  constexpr bool has(Scope scope) const { return (bits_ & static_cast<uint32_t>(scope)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(const Scopes&, const Scopes&) = default;

 private:
  uint32_t bits_ = 0;
};

/// Error: invalid_argument (no such scope; names those that there are).
base::Result<Scope> parse_scope(std::string_view name);
/// "chat", "models", in a fixed order.
std::vector<std::string_view> scope_names(Scopes scopes);

struct Key {
  std::string id;    ///< random; never used again
  std::string name;  ///< a person's, unique in the file
  Scopes scopes;
  int64_t created = 0;
  std::optional<int64_t> expires;  ///< from this second on the key opens nothing
  std::string origin;              ///< of the page that alone may use it, "http://127.0.0.1:11911"; empty: anybody
  TokenHash hash{};
};

constexpr size_t kMaxKeys = 256;
constexpr size_t kMaxKeyFileBytes = size_t{1} << 20;

/// Error: invalid_argument (empty, over 64 bytes, not UTF-8, control characters).
base::Status check_key_name(std::string_view name);

/// Errors: corrupt, limit_exceeded, unsupported (another version).
base::Result<std::vector<Key>> parse_key_file(std::string_view text);

std::string write_key_file(const std::vector<Key>& keys);

}  // namespace ingle::security
