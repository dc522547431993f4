// Python's int(), float() and round().
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ingle::jinja {

/// int(text, base): nothing where Python raises ValueError. Fails (Failure) over 64 bits.
std::optional<int64_t> parse_integer(std::string_view text, int64_t base);
/// float(text), underscores, nan and infinities included.
std::optional<double> parse_real(std::string_view text);
/// round(value, places): correctly rounded in decimal, half to even.
double round_real(double value, int64_t places);
int64_t round_integer(int64_t value, int64_t places);

}  // namespace ingle::jinja
