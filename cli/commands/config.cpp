// ingle config [path|example|KEY]: every setting's effective value and where it came from.
#include "cli/models.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "core/engine/engine.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Status;

/// One text of a value: yes, on and 1 are all true.
std::string plain(const Option& option, const std::string& text) {
  if (option.type != ValueType::toggle && option.type != ValueType::flag) return text;
  const auto truth = parse_bool(text);
  return truth.ok() && *truth ? "true" : "false";
}

/// The value as it would stand in config.toml, or "" where there is none.
std::string shown(const Value& value) {
  const bool bare = value.option->type == ValueType::toggle || value.option->type == ValueType::integer ||
                    value.option->type == ValueType::number;
  std::string out;
  for (const std::string& text : value.texts) {
    if (!out.empty()) out += ", ";
    out += bare ? plain(*value.option, text) : Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return value.option->repeatable && !value.texts.empty() ? "[" + out + "]" : out;
}

Json to_json(const Value& value) {
  const auto convert = [&](const std::string& text) -> Json {
    switch (value.option->type) {
      case ValueType::flag:
      case ValueType::toggle: {
        const auto truth = parse_bool(text);
        return truth.ok() && *truth;
      }
      case ValueType::integer: {
        const auto number = parse_integer(text);
        return number.ok() ? *number : 0;
      }
      case ValueType::number: {
        const auto number = parse_number(text);
        return number.ok() ? *number : 0.0;
      }
      default:
        return text;
    }
  };
  Json out;
  out["value"] = nullptr;
  if (value.option->repeatable) {
    out["value"] = Json::array();
    for (const std::string& text : value.texts) out["value"].push_back(convert(text));
  } else if (!value.texts.empty()) {
    out["value"] = convert(value.texts.back());
  }
  out["origin"] = std::string(origin_name(value.origin));
  if (!value.where.empty()) out["where"] = value.where;
  return out;
}

/// The setting's value; where nobody named one and the default depends on the machine alone, that.
Value value_of(const Session& session, std::string_view name) {
  Value value = session.values.at(name);
  if (!value.texts.empty()) return value;
  if (name == "store") value.texts = {store_folder(session).string()};
  if (name == "threads") value.texts = {std::to_string(core::default_threads())};
  return value;
}

Status print_all(Session& session) {
  if (session.json()) {
    Json out;
    for (const Option& option : all_settings()) out[std::string(option.name)] = to_json(value_of(session, option.name));
    return session.out_json(out);
  }
  std::string out;
  for (const Option& option : all_settings()) {
    const Value value = value_of(session, option.name);
    std::string text = shown(value);
    if (text.empty()) text = "-";
    std::string where = value.where.empty() ? std::string(origin_name(value.origin)) : value.where;
    if (value.origin == Origin::fallback && !option.fallback_note.empty()) {
      where += ": " + std::string(option.fallback_note);
    }
    const std::string line = pad(option.name, 20) + " " + pad(text, 28) + "  ";
    const bool named = value.origin != Origin::fallback;
    out += named ? session.terminal.styled_out(Style::bold, line) + where
                 : line + session.terminal.styled_out(Style::dim, where);
    out += "\n";
  }
  return session.terminal.out(out);
}

/// A file with every setting commented out, to start from.
std::string example_file() {
  std::string out = "# Ingle's configuration. Each line is the default; remove the # to change it.\n";
  for (const Option& option : all_settings()) {
    out += "\n# " + std::string(option.help) + "\n";
    if (!option.fallback_note.empty()) out += "# (default: " + std::string(option.fallback_note) + ")\n";
    Value value;
    value.option = &option;
    if (!option.fallback.empty()) value.texts.emplace_back(option.fallback);
    const std::string text = shown(value);
    out += "#" + std::string(option.name) + " = " + (text.empty() ? (option.repeatable ? "[]" : "...") : text) + "\n";
  }
  return out;
}

Status run(Session& session) {
  const std::string what = session.argument(0);
  if (what == "path" || what == "example") {
    const std::string text = what == "path" ? session.paths.config_file.string() + "\n" : example_file();
    if (!session.json()) return session.terminal.out(text);
    return session.out_json({{what, what == "path" ? session.paths.config_file.string() : text}});
  }
  INGLE_CHECK(resolve_settings(session));
  if (what.empty()) return print_all(session);
  if (find_setting(what) == nullptr) {
    std::vector<std::string_view> names;
    for (const Option& option : all_settings()) names.push_back(option.name);
    const std::string_view near = nearest(what, names);
    return Error{ErrorCode::not_found,
                 "no setting is called '" + what + "'; " +
                     (near.empty() ? "see 'ingle config'" : "did you mean '" + std::string(near) + "'?")};
  }
  const Value value = value_of(session, what);
  if (session.json()) return session.out_json(to_json(value));
  std::string out;
  for (const std::string& text : value.texts) out += plain(*value.option, text) + "\n";
  return session.terminal.out(out);
}

constexpr Argument arguments[] = {{.name = "path|example|KEY",
                                   .help = "path: where the file is; example: a file to start from; KEY: one value",
                                   .asked = "config"}};
constexpr Option options[] = {json_option};
constexpr Example examples[] = {
    {"ingle config", "All effective values."},
    {"INGLE_TEMP=0.2 ingle config temp", "0.2"},
    {"ingle config example | install -Dm644 /dev/stdin \"$(ingle config path)\"", "A file to edit."},
};

}  // namespace

extern const Command config_record;
const Command config_record{
    .name = "config",
    .summary = "print the effective settings and where each came from",
    .description =
        "A setting is named by its flag, else by the environment (INGLE_TOP_K for top-k), else by the "
        "configuration file, else by its default.",
    .arguments = arguments,
    .options = options,
    .groups = group_all,
    .examples = examples,
    .order = 80,
    .tolerates_config = true,
    .run = run,
};

}  // namespace ingle::cli
