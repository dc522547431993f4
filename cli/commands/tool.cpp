// ingle tool list|show|run [NAME] [ARGUMENTS]: the tools that a model may call, tried by hand.
#include "assistant/tools/tool.h"

#include <algorithm>
#include <ctime>

#include "base/utf8.h"
#include "cli/session.h"

namespace ingle::cli {
namespace {

using assistant::ToolContext;
using assistant::ToolRecord;
using base::Error;
using base::ErrorCode;
using base::Json;
using base::Status;

std::chrono::seconds local_offset(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm local = {};
  localtime_r(&seconds, &local);
  return std::chrono::seconds(local.tm_gmtoff);
}

ToolContext context() {
  ::tzset();
  return {.now = [] { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); },
          .utc_offset = local_offset};
}

std::string title(const Session& session, const ToolRecord& tool) {
  return session.terminal.styled_out(Style::bold, tool.name) + "\n";
}

Status list(const Session& session) {
  if (session.json()) return session.out_json(assistant::tools_json());
  std::string out;
  for (const ToolRecord* tool : assistant::tool_records())
    out += (out.empty() ? "" : "\n") + title(session, *tool) + wrap(tool->description, 80, 2);
  return session.terminal.out(out);
}

std::string parameter_text(const std::string& name, const Json& schema, bool required) {
  std::string line = "  " + name + ": " + schema["type"].get<std::string>() + (required ? ", required" : "");
  if (schema.contains("minimum")) line += ", from " + schema["minimum"].dump();
  if (schema.contains("maximum")) line += " to " + schema["maximum"].dump();
  return line + "\n" + wrap(schema["description"].get<std::string>(), 80, 4);
}

Status show(const Session& session, const ToolRecord& tool) {
  if (session.json()) {
    const ToolRecord* one[] = {&tool};
    Json json = assistant::tools_json(one)[0]["function"];
    json["effect"] = assistant::effect_name(tool.effect);
    return session.out_json(json);
  }
  const Json parameters = assistant::tool_parameters(tool);
  const Json required = parameters.value("required", Json::array());
  std::string out = title(session, tool) + wrap(tool.description, 80, 2) + "\nArguments\n";
  for (const auto& [name, schema] : parameters["properties"].items())
    out += parameter_text(name, schema, std::ranges::find(required, Json(name)) != required.end());
  return session.terminal.out(out + "\nEffect: " + std::string(assistant::effect_name(tool.effect)) + "\n");
}

/// "years_months_days: 0 years, 2 months, 3 days".
std::string result_line(const std::string& name, const Json& value) {
  std::string text;
  if (value.is_object()) {
    for (const auto& [part, count] : value.items()) text += (text.empty() ? "" : ", ") + count.dump() + " " + part;
  } else {
    text = value.is_string() ? base::escape_controls(value.get<std::string>()) : value.dump();
  }
  return name + ": " + text + "\n";
}

Status run_one(const Session& session, const ToolRecord& tool, const std::string& arguments) {
  const auto result = assistant::run_tool_text(tool.name, arguments, context());
  if (!result) {
    // Of a person's typing, not of a file.
    const ErrorCode code =
        result.error().code == ErrorCode::corrupt ? ErrorCode::invalid_argument : result.error().code;
    return Error{code, result.error().message};
  }
  if (session.json()) return session.out_json(*result);
  std::string out;
  for (const auto& [name, value] : result->items()) out += result_line(name, value);
  return session.terminal.out(out);
}

Status run(Session& session) {
  const std::string action = session.argument(0), name = session.argument(1), arguments = session.argument(2);
  if (action == "list") {
    if (!name.empty())
      return Error{ErrorCode::invalid_argument, "tool list takes no name; 'ingle tool show NAME' tells of one tool"};
    return list(session);
  }
  if (name.empty())
    return Error{ErrorCode::invalid_argument,
                 "tool " + action + " needs a name, as in 'ingle tool " + action + " calculator'"};
  const ToolRecord* tool = assistant::find_tool(name);
  if (tool == nullptr)
    return Error{ErrorCode::not_found, "there is no tool '" + name + "'; 'ingle tool list' shows those there are"};
  if (action == "run") return run_one(session, *tool, arguments);
  if (!arguments.empty())
    return Error{ErrorCode::invalid_argument, "tool show takes no arguments of the tool; 'ingle tool run' does"};
  return show(session, *tool);
}

constexpr Argument arguments[] = {
    {.name = "ACTION",
     .help = "what to do: list, show or run",
     .type = ValueType::choice,
     .required = true,
     .choices = "list show run"},
    {.name = "NAME", .help = "a tool's name", .type = ValueType::text, .asked = "tools"},
    {.name = "ARGUMENTS", .help = "its arguments, a JSON object", .type = ValueType::text},
};
constexpr Option options[] = {json_option};
constexpr Example examples[] = {
    {"ingle tool list", "What a model may call."},
    {"ingle tool run calculator '{\"expression\": \"15% of 80\"}'", "What it would get."},
};

}  // namespace

extern const Command tool_record;
const Command tool_record{
    .name = "tool",
    .summary = "show the tools that a model may call, and try them",
    .description =
        "A model gets the name, description and parameters of each tool and may ask for it to be run. These only "
        "calculate, so nobody is asked first. Chats do not offer them yet.",
    .arguments = arguments,
    .options = options,
    .examples = examples,
    .order = 52,
    .run = run,
};

}  // namespace ingle::cli
