// Any JSON as a schema, then (after a NUL) any bytes as a reply. What is taken as a whole must be JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/grammar/fuzz_follow.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingle;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');
  const auto schema = base::parse_json(input.substr(0, cut), {.max_depth = 64});
  if (!schema) return 0;
  core::JsonSchemaOptions options;
  options.spacing = static_cast<core::JsonSpacing>(size % 3);
  options.open_objects = size % 2 == 0;
  const auto grammar = core::Grammar::compile_json_schema(*schema, options, core::fuzz_limits());
  if (!grammar) return 0;
  const std::string whole = core::follow(*grammar, cut == input.npos ? "" : input.substr(cut + 1));
  if (!whole.empty() && !base::parse_json(whole, {.max_depth = 4096})) std::abort();
  return 0;
}
