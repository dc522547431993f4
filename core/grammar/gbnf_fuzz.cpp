// Any bytes as a grammar, then (after a NUL) as a text for it: never a crash, a hang or unbounded memory. What the
// grammar takes is UTF-8, and a byte is in the mask exactly if it is taken.
#include <cstddef>
#include <cstdint>

#include "core/grammar/fuzz_follow.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');
  const auto grammar = ingle::core::Grammar::compile_gbnf(input.substr(0, cut), ingle::core::fuzz_limits());
  if (grammar) ingle::core::follow(*grammar, cut == input.npos ? "" : input.substr(cut + 1));
  return 0;
}
