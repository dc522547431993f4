// Any bytes as a regular expression, then (after a NUL) as a text for it; and the same as `pattern` of a schema.
#include <cstddef>
#include <cstdint>

#include "base/utf8.h"
#include "core/grammar/fuzz_follow.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ingle::core::Grammar;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');
  const std::string_view pattern = input.substr(0, cut), text = cut == input.npos ? "" : input.substr(cut + 1);
  const auto grammar = Grammar::compile_regex(pattern, ingle::core::fuzz_limits());
  if (grammar) ingle::core::follow(*grammar, text);
  if (!ingle::base::is_valid_utf8(pattern)) return 0;
  const ingle::base::Json schema = {{"type", "string"}, {"pattern", pattern}};
  const auto quoted = Grammar::compile_json_schema(schema, {}, ingle::core::fuzz_limits());
  if (quoted) ingle::core::follow(*quoted, "\"" + std::string(text));
  return 0;
}
