// Any text as a reply, in any dialect and cut anywhere: never a crash or a hang, always the same deltas, calls only of
// tools that exist with arguments that are JSON. The first byte chooses the dialect, the second the options; the rest
// is the reply.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "assistant/dialects/reply.h"

namespace {

using namespace ingle::assistant;
using ingle::base::Json;

void require(bool condition) {
  if (!condition) std::abort();
}

const Tools& tools() {
  static const Tools known = [] {
    const auto json = ingle::base::parse_json(R"([
      {"name": "f", "parameters": {"properties": {"s": {"type": "string"}, "n": {"type": "integer"},
                                                  "o": {"type": "object"}, "b": {"type": "boolean"}, "x": {}}}},
      {"name": "ping"}])");
    return Tools::parse(*json).value();
  }();
  return known;
}

void append(std::vector<Delta>& joined, std::vector<Delta> deltas) {
  using Kind = Delta::Kind;
  for (Delta& delta : deltas) {
    const bool joins =
        delta.kind == Kind::reasoning || delta.kind == Kind::content || delta.kind == Kind::call_arguments;
    require(!joins || !delta.text.empty());
    if (joins && !joined.empty() && joined.back().kind == delta.kind && joined.back().call == delta.call) {
      joined.back().text += delta.text;
    } else {
      joined.push_back(std::move(delta));
    }
  }
}

std::vector<Delta> deltas_of(const Dialect& dialect, std::string_view text, const ReplyOptions& options, size_t step) {
  ReplyParser parser(dialect, tools(), options);
  std::vector<Delta> joined;
  for (size_t at = 0; at < text.size(); at += step) append(joined, parser.push(text.substr(at, step)));
  append(joined, parser.finish());
  require(parser.finish().empty());
  return joined;
}

bool is_utf8(std::string_view text) {
  try {
    (void)Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  const Dialect& dialect = *all_dialects()[data[0] % all_dialects().size()];
  const ReplyOptions options{.starts_in_reasoning = (data[1] & 1) != 0, .stream_arguments = (data[1] & 2) == 0};
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::vector<Delta> whole = deltas_of(dialect, text, options, text.size() + 1);
  require(deltas_of(dialect, text, options, 1) == whole);
  require(deltas_of(dialect, text, options, 2 + data[1] % 11) == whole);
  const Reply reply = collect(whole);
  const bool utf8 = is_utf8(text);
  for (const Call& call : reply.calls) {
    require(tools().find(call.name));
    if (!call.whole || !utf8) continue;
    const auto arguments = ingle::base::parse_json(call.arguments);
    require(arguments && arguments->is_object());
  }
  if (utf8) require(is_utf8(reply.content) && is_utf8(reply.reasoning));
  return 0;
}
