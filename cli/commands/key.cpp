// ingle key create|list|revoke [NAME]: who may ask a server for what.
#include <ctime>

#include "assistant/inference/model_files.h"
#include "cli/input.h"
#include "cli/keys.h"
#include "core/scheduler/prefix_files.h"
#include "security/keys/keys.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Status;

Json key_json(const security::Key& key) {
  Json json = {
      {"id", key.id}, {"name", key.name}, {"scopes", security::scope_names(key.scopes)}, {"created", key.created}};
  json["expires"] = key.expires ? Json(*key.expires) : Json();
  if (!key.origin.empty()) json["origin"] = key.origin;
  return json;
}

std::string date(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local = {};
  localtime_r(&time, &local);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &local);
  return text;
}

std::string scopes_text(security::Scopes scopes) {
  std::string text;
  for (const std::string_view name : security::scope_names(scopes))
    text += (text.empty() ? "" : ",") + std::string(name);
  return text;
}

Status create(Session& session, security::Keys& keys, const std::string& name) {
  security::Scopes scopes;
  for (const std::string& text : session.values.list("scope")) {
    INGLE_TRY(const security::Scope scope, security::parse_scope(text));
    scopes.add(scope);
  }
  if (scopes.empty()) scopes.add(security::Scope::chat);
  const int64_t now = std::time(nullptr), days = session.values.integer("days");
  std::optional<int64_t> expires;
  if (days > 0) expires = now + days * 24 * 60 * 60;
  INGLE_TRY(const security::Keys::Created created, keys.create(name, scopes, expires, now));
  if (session.json()) {
    Json json = key_json(created.key);
    json["token"] = created.token;
    return session.out_json(json);
  }
  session.terminal.notice(
      "ingle: this is the only time that the key is shown; what is kept can't be turned back into it");
  return session.terminal.out(created.token + "\n");
}

Status list(Session& session, const security::Keys& keys) {
  INGLE_TRY(const std::vector<security::Key> all, keys.list());
  if (session.json()) {
    Json json = Json::array();
    for (const security::Key& key : all) json.push_back(key_json(key));
    return session.out_json(json);
  }
  std::string out;
  for (const security::Key& key : all)
    out += pad(key.name, 20) + "  " + pad(scopes_text(key.scopes), 18) + "  since " + date(key.created) +
           (key.expires ? "  until " + date(*key.expires) : "") + (key.origin.empty() ? "" : "  for " + key.origin) +
           "\n";
  return session.terminal.out(out.empty() ? "no keys\n" : out);
}

/// What was kept for the key goes with it.
Status revoke(Session& session, security::Keys& keys, const std::string& name) {
  INGLE_TRY(const std::vector<security::Key> all, keys.list());
  INGLE_CHECK(keys.revoke(name));
  for (const security::Key& key : all)
    if (key.name == name || key.id == name)
      core::forget_prefixes(assistant::prefix_folder(session.paths.cache), security::key_principal(key.id));
  return {};
}

Status run(Session& session) {
  const std::string action = session.argument(0), name = session.argument(1);
  INGLE_TRY(security::Keys keys, security::Keys::open(keys_folder(session)));
  if (action == "list") return list(session, keys);
  if (name.empty())
    return Error{ErrorCode::invalid_argument,
                 "key " + action + " needs a name, as in 'ingle key " + action + " phone'"};
  return action == "create" ? create(session, keys, name) : revoke(session, keys, name);
}

constexpr Argument arguments[] = {
    {.name = "ACTION",
     .help = "what to do: create, list or revoke",
     .type = ValueType::choice,
     .required = true,
     .choices = "create list revoke"},
    {.name = "NAME", .help = "a key's name: whose it is", .type = ValueType::text},
};
constexpr Option options[] = {
    {.name = "scope",
     .type = ValueType::choice,
     .metavar = "SCOPE",
     .help = "what the key opens: chat (answers), models (fetching and removing them), admin (your conversations)",
     .fallback_note = "chat",
     .choices = "chat models admin",
     .repeatable = true},
    {.name = "days",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "days after which it opens nothing; 0: it does not expire",
     .fallback = "0",
     .minimum = 0,
     .maximum = 36500},
    json_option,
};
constexpr Example examples[] = {
    {"ingle key create phone", "A key for 'ingle serve', shown once."},
    {"ingle key revoke phone", "It opens nothing from now on, also at a server that runs."},
};

}  // namespace

extern const Command key_record;
const Command key_record{
    .name = "key",
    .summary = "make, list and revoke keys for a server",
    .description =
        "A program of another user, or one that wants to see more than models and answers, shows a key to 'ingle "
        "serve' "
        "(Authorization: Bearer …). Only hashes of keys are kept, in a file that you alone can read.",
    .arguments = arguments,
    .options = options,
    .examples = examples,
    .order = 26,
    .run = run,
};

}  // namespace ingle::cli
