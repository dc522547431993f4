#include "security/keys/key_file.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

constexpr int kVersion = 1;
constexpr size_t kMaxNameBytes = 64, kMaxOriginBytes = 300;
constexpr std::pair<Scope, std::string_view> kScopeNames[] = {
    {Scope::chat, "chat"}, {Scope::models, "models"}, {Scope::admin, "admin"}, {Scope::page, "page"}};

Error corrupt(const std::string& what) {
  return Error{ErrorCode::corrupt, "the file of keys is damaged: " + what};
}

std::string check_of(const Json& keys) {
  const std::string text = keys.dump();
  return base::hash128_hex(std::as_bytes(std::span(text)));
}

Result<std::string> read_text(const Json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return corrupt(std::string("no ") + member);
  return found->get<std::string>();
}

Result<int64_t> read_time(const Json& value, const char* member) {
  // Beyond what a 64-bit number holds, the parser makes a floating-point number of it.
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX))
    return corrupt(std::string(member) + " is no time");
  return value.get<int64_t>();
}

Result<Scopes> read_scopes(const Json& object) {
  const auto found = object.find("scopes");
  if (found == object.end() || !found->is_array()) return corrupt("no scopes");
  Scopes scopes;
  for (const Json& name : *found) {
    if (!name.is_string()) return corrupt("a scope is no text");
    INGLE_TRY(const Scope scope, parse_scope(name.get_ref<const std::string&>()));
    scopes.add(scope);
  }
  return scopes;
}

Result<Key> read_key(const Json& object) {
  if (!object.is_object()) return corrupt("a key is no object");
  Key key;
  INGLE_TRY(key.id, read_text(object, "id"));
  INGLE_TRY(key.name, read_text(object, "name"));
  if (!check_key_name(key.id) || !check_key_name(key.name)) return corrupt("a key's name");
  INGLE_TRY(key.scopes, read_scopes(object));
  const auto created = object.find("created"), expires = object.find("expires"), origin = object.find("origin");
  if (created == object.end()) return corrupt("no created");
  INGLE_TRY(key.created, read_time(*created, "created"));
  if (expires != object.end()) {
    INGLE_TRY(key.expires, read_time(*expires, "expires"));
  }
  if (origin != object.end()) {
    INGLE_TRY(key.origin, read_text(object, "origin"));
    if (key.origin.size() > kMaxOriginBytes) return corrupt("an origin is too long");
  }
  INGLE_TRY(const std::string hash, read_text(object, "sha256"));
  if (!from_hex(hash, key.hash)) return corrupt("sha256 is not 64 hexadecimal digits");
  return key;
}

}  // namespace

Result<Scope> parse_scope(std::string_view name) {
  for (const auto& [scope, spelled] : kScopeNames) {
    if (spelled == name) return scope;
  }
  return Error{ErrorCode::invalid_argument,
               "there is no scope '" + base::escape_controls(name) + "'; there are chat, models, admin"};
}

std::vector<std::string_view> scope_names(Scopes scopes) {
  std::vector<std::string_view> names;
  for (const auto& [scope, spelled] : kScopeNames) {
    if (scopes.has(scope)) names.push_back(spelled);
  }
  return names;
}

Status check_key_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes)
    return Error{ErrorCode::invalid_argument, "a key's name has 1 to 64 bytes"};
  if (base::escape_controls(name) != name)
    return Error{ErrorCode::invalid_argument, "a key's name is UTF-8 without control characters"};
  return {};
}

Result<std::vector<Key>> parse_key_file(std::string_view text) {
  INGLE_TRY(const Json file, base::parse_json(text, {.max_bytes = kMaxKeyFileBytes, .max_depth = 8}));
  if (!file.is_object() || !file.contains("version")) return corrupt("no version");
  if (file["version"] != kVersion)
    return Error{ErrorCode::unsupported, "the file of keys has version " + file["version"].dump(-1, ' ', true) +
                                             "; this program reads version 1"};
  const auto list = file.find("keys");
  if (list == file.end() || !list->is_array()) return corrupt("no keys");
  INGLE_TRY(const std::string check, read_text(file, "check"));
  if (check != check_of(*list)) return corrupt("its checksum differs");
  if (list->size() > kMaxKeys) return Error{ErrorCode::limit_exceeded, "the file of keys has over 256 keys"};
  std::vector<Key> keys;
  for (const Json& object : *list) {
    INGLE_TRY(Key key, read_key(object));
    const bool known = std::any_of(keys.begin(), keys.end(), [&](const Key& other) {
      return other.id == key.id || other.name == key.name || other.hash == key.hash;
    });
    if (known) return corrupt("two keys are the same");
    keys.push_back(std::move(key));
  }
  return keys;
}

std::string write_key_file(const std::vector<Key>& keys) {
  Json list = Json::array();
  for (const Key& key : keys) {
    Json object = {{"id", key.id}, {"name", key.name}, {"scopes", scope_names(key.scopes)}, {"created", key.created}};
    if (key.expires) object["expires"] = *key.expires;
    if (!key.origin.empty()) object["origin"] = key.origin;
    object["sha256"] = to_hex(key.hash);
    list.push_back(std::move(object));
  }
  const Json file = {{"version", kVersion}, {"keys", list}, {"check", check_of(list)}};
  return file.dump(1) + "\n";
}

}  // namespace ingle::security
