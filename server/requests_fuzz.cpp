// What clients send: paths, and bodies as every route's table and the readers of chats take them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/api/anthropic.h"
#include "server/api/chat.h"
#include "server/api/response_input.h"
#include "server/api/response_routes.h"
#include "server/api/route.h"
#include "server/http/target.h"

using namespace ingle;          // NOLINT(google-build-using-namespace)
using namespace ingle::server;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Target target = parse_target(text);
  if (!target.path.empty() && target.path.front() != '/') __builtin_trap();
  const auto body = base::parse_json(text, {.max_bytes = size_t{1} << 20, .max_depth = 128});
  if (!body) return 0;
  for (const Route* route : all_routes()) {
    Reader reader(*body);
    reader.check(route->fields);
    if (reader.error() || route->path != "/v1/chat/completions") continue;
    if (read_messages(reader, "messages").empty()) __builtin_trap();
  }
  Reader openai(*body), anthropic(*body);
  ChatSetup setup;
  const base::Json messages = read_messages(openai, "messages");  // of a body that nobody checked, too
  read_tools(openai, setup);
  read_template_options(openai, setup.chat);
  read_answer_form(openai);
  read_anthropic_chat(anthropic);
  read_output_config(anthropic);
  if (!openai.error()) {
    const auto turns = droppable_turns(messages, Overflow::drop_middle);
    const auto count = [](const base::Json& kept) -> base::Result<size_t> { return kept.size(); };
    const auto cut = cut_turns(messages, turns, size % 8, count);
    if (!cut || cut->kept.size() + cut->dropped.size() != messages.size()) __builtin_trap();
  }
  Reader responses(*body);
  const base::Json items = read_input(responses);
  if (!responses.error() && messages_of({std::make_shared<ItemList>(items)}).size() > items.size()) __builtin_trap();
  query_json(text);
  if (openai.error()) to_text(error_json(Family::openai, *openai.error()));
  return 0;
}
