// Any bytes as a template, and (after a NUL) as the JSON of its context: never a crash, a hang or unbounded memory.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/template/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ingle::base::Json;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');
  ingle::core::TemplateLimits limits;
  limits.max_steps = 20'000;
  limits.max_memory_bytes = 4 << 20;
  limits.max_output_bytes = 1 << 20;
  const auto parsed = ingle::core::ChatTemplate::parse(input.substr(0, cut), limits);
  if (!parsed) return 0;
  static const Json standard = {
      {"messages", {{{"role", "user"}, {"content", "hi \xc3\xa9"}}, {{"role", "assistant"}, {"content", nullptr}}}},
      {"tools", {{{"name", "f"}, {"n", 1.5}}}},
      {"x", {1, 2, 3}},
      {"s", "Some text, with words"},
      {"d", {{"a", 1}, {"b", {true, nullptr}}}}};
  Json context = standard;
  if (cut != input.npos) {
    auto given = ingle::base::parse_json(input.substr(cut + 1));
    if (given && given->is_object()) context = *given;
  }
  (void)parsed->render(context, static_cast<int64_t>(size) * 1'000'003);
  return 0;
}
