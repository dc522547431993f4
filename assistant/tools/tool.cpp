#include "assistant/tools/tool.h"

#include <algorithm>
#include <string>

#include "assistant/tools/schema.h"
#include "base/utf8.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;

constexpr base::JsonLimits kArgumentLimits = {.max_bytes = max_tool_arguments, .max_depth = 16, .max_members = 64};

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<const ToolRecord*> known_tool(std::string_view name) {
  if (const ToolRecord* tool = find_tool(name)) return tool;
  constexpr size_t kShown = 64;
  std::string names;
  for (const ToolRecord* tool : tool_records()) names += (names.empty() ? "" : ", ") + std::string(tool->name);
  return Error{ErrorCode::not_found,
               "there is no tool '" + base::escape_controls(name.substr(0, kShown)) + "'; the tools are " + names};
}

}  // namespace

std::string_view effect_name(Effect effect) {
  switch (effect) {
    case Effect::none:
      return "none";
    case Effect::reads:
      return "reads";
    case Effect::writes:
      return "writes";
    case Effect::sends:
      return "sends";
    case Effect::executes:
      break;
  }
  return "executes";
}

const ToolRecord* find_tool(std::string_view name) {
  const auto found = std::ranges::find(tool_records(), name, &ToolRecord::name);
  return found == tool_records().end() ? nullptr : *found;
}

Json tool_parameters(const ToolRecord& tool) {
  return base::parse_json(tool.parameters).value();  // tool_test.cpp parses them all
}

Json tools_json(std::span<const ToolRecord* const> tools) {
  Json out = Json::array();
  for (const ToolRecord* tool : tools)
    out.push_back(
        {{"type", "function"},
         {"function",
          {{"name", tool->name}, {"description", tool->description}, {"parameters", tool_parameters(*tool)}}}});
  return out;
}

Result<Json> run_tool(std::string_view name, const Json& arguments, const ToolContext& context) {
  INGLE_TRY(const ToolRecord* tool, known_tool(name));
  INGLE_CHECK(check_value(tool_parameters(*tool), arguments, "the arguments"));
  INGLE_TRY(Json result, tool->run(arguments, context));
  if (dump(result).size() > max_tool_result)
    return Error{ErrorCode::limit_exceeded, "the result is longer than 16 KiB; ask for a part of it"};
  return result;
}

Result<Json> run_tool_text(std::string_view name, std::string_view arguments, const ToolContext& context) {
  INGLE_CHECK(known_tool(name));
  if (arguments.find_first_not_of(" \t\r\n") == arguments.npos) return run_tool(name, Json::object(), context);
  auto parsed = base::parse_json(arguments, kArgumentLimits);
  if (!parsed) return Error{parsed.error().code, "the arguments are no usable JSON: " + parsed.error().message};
  return run_tool(name, *parsed, context);
}

}  // namespace ingle::assistant
