// A built-in tool: what a model may call. One file per tool (assistant/tools/NAME.cpp defines `NAME_record`); the build
// collects them into tool_records(). Text that comes back, also an error's, is for the model to read.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ingle::assistant {

/// The most that a tool does to anything but its answer. Who runs tools asks a person before anything but `none`.
enum class Effect {
  none,      ///< calculates from its arguments and context; the built-ins so far
  reads,     ///< a person's files or data
  writes,    ///< changes or deletes them
  sends,     ///< lets data leave this machine
  executes,  ///< runs what a model wrote
};

/// "none", "reads", …
std::string_view effect_name(Effect effect);

/// What a tool may not take by itself.
struct ToolContext {
  std::function<std::chrono::sys_seconds()> now;
  /// What a person's clocks show, less UTC, at that time.
  std::function<std::chrono::seconds(std::chrono::sys_seconds)> utc_offset;
};

struct ToolRecord {
  std::string_view name;         ///< [a-z_]+
  std::string_view description;  ///< for the model: one or two sentences
  /// A JSON schema of type object in the subset of schema.h: every property with a description, and a maxLength where
  /// it is text; `additionalProperties` is false.
  std::string_view parameters;
  Effect effect = Effect::none;
  /// Gets arguments that match `parameters`; an object comes back. For any thread. An error says what to do
  /// differently.
  base::Result<base::Json> (*run)(const base::Json& arguments, const ToolContext& context) = nullptr;
};

inline constexpr size_t max_tool_arguments = size_t{64} << 10;  ///< bytes of JSON
inline constexpr size_t max_tool_result = size_t{16} << 10;     ///< bytes of JSON

/// All tools of this build, by name.
std::span<const ToolRecord* const> tool_records();

/// The tool of that name, or null.
const ToolRecord* find_tool(std::string_view name);

/// `parameters`, parsed.
base::Json tool_parameters(const ToolRecord& tool);

/// OpenAI's array, [{"type": "function", "function": {"name": …, "description": …, "parameters": …}}, …], as
/// Tools::parse and chat templates take it.
base::Json tools_json(std::span<const ToolRecord* const> tools = tool_records());

/// Checks the arguments and runs the tool. Errors: not_found (no such tool), invalid_argument (arguments that don't
/// match its schema), limit_exceeded (too long, or the result is); the tool's own.
base::Result<base::Json> run_tool(std::string_view name, const base::Json& arguments, const ToolContext& context);
/// Of a JSON text; an empty one has no arguments. Errors: also corrupt (it is no JSON).
base::Result<base::Json> run_tool_text(std::string_view name, std::string_view arguments, const ToolContext& context);

}  // namespace ingle::assistant
