// A number is read digit by digit and compared with each bound on the way: while as many digits of both are equal, less
// or more so far; at the point it is known which has more digits, and the comparison goes on behind it. A multiple is
// told by the remainder of the digits so far.
#include "core/grammar/number.h"

#include <algorithm>
#include <cstring>

namespace ingle::grammar {

namespace {

constexpr size_t kMostWhole = 18, kMostFraction = 17;
constexpr size_t kMostBound = 40;  // of a bound, on either side of the point
constexpr int kMostExponent = 400;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  std::string digits;
  size_t i = 0;
  while (i < text.size() && is_digit(text[i])) digits += text[i++];
  int point = static_cast<int>(digits.size());
  if (i < text.size() && text[i] == '.') {
    i++;
    while (i < text.size() && is_digit(text[i])) digits += text[i++];
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    i++;
    const bool minus = i < text.size() && text[i] == '-';
    if (i < text.size() && !is_digit(text[i])) i++;
    int exponent = 0;
    for (; i < text.size() && is_digit(text[i]); i++) {
      exponent = exponent * 10 + (text[i] - '0');
      if (exponent > kMostExponent) return std::nullopt;
    }
    point += minus ? -exponent : exponent;
  }
  if (i != text.size() || digits.empty()) return std::nullopt;
  if (point < 0) digits.insert(0, static_cast<size_t>(-point), '0'), point = 0;
  if (digits.size() < static_cast<size_t>(point)) digits.append(static_cast<size_t>(point) - digits.size(), '0');
  out.whole = digits.substr(0, static_cast<size_t>(point));
  out.fraction = digits.substr(static_cast<size_t>(point));
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  if (out.whole.empty()) out.whole = "0";
  out.fraction.erase(out.fraction.find_last_not_of('0') + 1);
  if (out.is_zero()) out.negative = false;
  return out;
}

std::string to_text(const Decimal& number) {
  return (number.negative ? "-" : "") + number.whole + (number.fraction.empty() ? "" : "." + number.fraction);
}

namespace {

int compare_magnitude(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  const int whole = a.whole.compare(b.whole);
  return whole != 0 ? whole : a.fraction.compare(b.fraction);
}

/// `d` times 10^places, modulo m. places must not be less than d's own.
uint64_t scaled_remainder(const Decimal& d, size_t places, uint64_t m) {
  uint64_t r = 0;
  for (const char c : d.whole) r = (r * 10 + static_cast<uint64_t>(c - '0')) % m;
  for (size_t i = 0; i < places; i++)
    r = (r * 10 + static_cast<uint64_t>(i < d.fraction.size() ? d.fraction[i] - '0' : 0)) % m;
  return r;
}

/// `d` times 10^places as an integer; nothing beyond a million.
std::optional<uint64_t> scaled(const Decimal& d, size_t places) {
  uint64_t value = 0;
  std::string digits = d.whole + d.fraction;
  digits.append(places - d.fraction.size(), '0');
  for (const char c : digits) {
    value = value * 10 + static_cast<uint64_t>(c - '0');
    if (value > 1'000'000) return std::nullopt;
  }
  return value;
}

}  // namespace

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  return a.negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

std::optional<bool> is_multiple(const Decimal& a, const Decimal& b) {
  const size_t places = std::max(a.fraction.size(), b.fraction.size());
  const auto divisor = scaled(b, places);
  if (!divisor || *divisor == 0) return std::nullopt;
  return scaled_remainder(a, places, *divisor) == 0;
}

namespace {

/// The numbers of one sign, by their magnitude.
struct Magnitudes {
  bool possible = true;
  std::optional<Decimal> low, high;
  bool low_open = false, high_open = false;
};

Magnitudes of_sign(const NumberRange& range, bool negative) {
  Magnitudes out;
  if (!negative) {
    out.possible = !range.high || !range.high->negative;
    if (range.low && !range.low->negative) out.low = range.low, out.low_open = range.low_open;
    out.high = range.high, out.high_open = range.high_open;
  } else {
    out.possible = !range.low || range.low->negative;
    if (range.high && range.high->negative) out.low = range.high, out.low_open = range.high_open;
    out.high = range.low, out.high_open = range.low_open;
  }
  return out;
}

enum class Phase : uint8_t { begin, sign, zero, whole, point, fraction, e, e_sign, exponent };

struct Place {
  Phase phase = Phase::begin;
  uint8_t negative = 0;
  uint8_t nonzero = 0;
  uint8_t whole = 0, fraction = 0;  ///< digits so far
  uint8_t exponent = 0;
  int8_t low = 0, high = 0;  ///< compared with the bounds so far
  uint32_t remainder = 0;

  std::string key() const {
    std::string out(sizeof(Place), '\0');
    std::memcpy(out.data(), this, sizeof(Place));
    return out;
  }
  static Place of(const std::string& key) {
    Place out;
    std::memcpy(static_cast<void*>(&out), key.data(), sizeof(Place));
    return out;
  }
};
static_assert(sizeof(Place) == 12);  // no padding: a place is its bytes

class NumberReader {
 public:
  explicit NumberReader(const NumberRange& range) : range_(range) {
    sides_[0] = of_sign(range, false), sides_[1] = of_sign(range, true);
    most_whole_ = kMostWhole;
    for (const auto& bound : {range.low, range.high}) {
      if (bound) most_whole_ = std::max(most_whole_, bound->whole.size() + 1);
    }
    most_fraction_ = range.integer ? 0 : kMostFraction;
    for (const auto& bound : {range.low, range.high}) {
      if (bound && !range.integer) most_fraction_ = std::max(most_fraction_, bound->fraction.size() + 1);
    }
    free_ = !range.low && !range.high && !range.multiple_of;
    if (!range.multiple_of) return;
    places_ = range.multiple_of->fraction.size();
    const auto modulus = scaled(*range.multiple_of, places_);
    if (!modulus || *modulus == 0) fail(base::ErrorCode::unsupported, "'multipleOf' with a step of so many digits");
    modulus_ = static_cast<uint32_t>(*modulus);
    most_fraction_ = std::min(most_fraction_, places_);
    padding_.assign(places_ + 1, 1 % modulus_);
    for (size_t i = 1; i <= places_; i++)
      padding_[i] = static_cast<uint32_t>(uint64_t{padding_[i - 1]} * 10 % modulus_);
  }

  std::optional<Place> step(Place p, char c) const {
    if (is_digit(c)) return digit(p, c);
    if (c == '-' && p.phase == Phase::begin) {
      if (!sides_[1].possible) return std::nullopt;
      p.phase = Phase::sign, p.negative = 1;
      return p;
    }
    const bool in_whole = p.phase == Phase::zero || p.phase == Phase::whole;
    if (c == '.' && in_whole && most_fraction_ > 0) {
      end_whole(p);
      p.phase = Phase::point;
      return p;
    }
    if ((c == 'e' || c == 'E') && free_ && !range_.integer && (in_whole || p.phase == Phase::fraction)) {
      p.phase = Phase::e;
      return p;
    }
    if ((c == '+' || c == '-') && p.phase == Phase::e) {
      p.phase = Phase::e_sign;
      return p;
    }
    return std::nullopt;
  }

  bool final(Place p) const {
    if (p.phase == Phase::zero || p.phase == Phase::whole)
      end_whole(p);
    else if (p.phase != Phase::fraction && p.phase != Phase::exponent)
      return false;
    if (p.negative && !p.nonzero) return false;
    const Magnitudes& side = sides_[p.negative];
    if (side.low) {
      const int c = compared(p.low, *side.low, p.fraction);
      if (c < 0 || (c == 0 && side.low_open)) return false;
    }
    if (side.high) {
      const int c = compared(p.high, *side.high, p.fraction);
      if (c > 0 || (c == 0 && side.high_open)) return false;
    }
    return modulus_ == 0 || uint64_t{p.remainder} * padding_[places_ - p.fraction] % modulus_ == 0;
  }

 private:
  std::optional<Place> digit(Place p, char c) const {
    const Magnitudes& side = sides_[p.negative];
    switch (p.phase) {
      case Phase::begin:
      case Phase::sign:
        if (!side.possible) return std::nullopt;
        p.phase = c == '0' ? Phase::zero : Phase::whole;
        break;
      case Phase::whole:
        if (p.whole == most_whole_) return std::nullopt;
        break;
      case Phase::point:
      case Phase::fraction:
        if (p.fraction == most_fraction_) return std::nullopt;
        p.phase = Phase::fraction;
        if (side.low) compare_digit(p.low, side.low->fraction, p.fraction, c);
        if (side.high) compare_digit(p.high, side.high->fraction, p.fraction, c);
        p.fraction++;
        return counted(p, c);
      case Phase::e:
      case Phase::e_sign:
      case Phase::exponent:
        if (p.phase == Phase::exponent && p.exponent == 2) return std::nullopt;
        p.phase = Phase::exponent, p.exponent++;
        return p;
      case Phase::zero:
        return std::nullopt;
    }
    if (side.low && p.whole < side.low->whole.size()) compare_digit(p.low, side.low->whole, p.whole, c);
    if (side.high && p.whole < side.high->whole.size()) compare_digit(p.high, side.high->whole, p.whole, c);
    p.whole++;
    return counted(p, c);
  }

  Place counted(Place p, char c) const {
    if (c != '0') p.nonzero = 1;
    if (modulus_ != 0) p.remainder = (p.remainder * 10 + static_cast<uint32_t>(c - '0')) % modulus_;
    return p;
  }

  static void compare_digit(int8_t& so_far, const std::string& digits, size_t at, char c) {
    const char other = at < digits.size() ? digits[at] : '0';
    if (so_far == 0 && c != other) so_far = c < other ? -1 : 1;
  }

  /// More digits make the larger number.
  void end_whole(Place& p) const {
    const Magnitudes& side = sides_[p.negative];
    const auto settle = [&](int8_t& so_far, const Decimal& bound) {
      if (p.whole != bound.whole.size()) so_far = p.whole < bound.whole.size() ? -1 : 1;
    };
    if (side.low) settle(p.low, *side.low);
    if (side.high) settle(p.high, *side.high);
    p.whole = 0;
  }

  static int compared(int so_far, const Decimal& bound, size_t fraction) {
    return so_far == 0 && fraction < bound.fraction.size() ? -1 : so_far;
  }

  const NumberRange& range_;
  Magnitudes sides_[2];
  size_t most_whole_ = 0, most_fraction_ = 0, places_ = 0;
  bool free_ = false;
  uint32_t modulus_ = 0;
  std::vector<uint32_t> padding_;  ///< 10^i modulo modulus_
};

}  // namespace

Automaton number_automaton(const NumberRange& range, Budget& budget) {
  for (const auto& bound : {range.low, range.high}) {
    if (bound && (bound->whole.size() > kMostBound || bound->fraction.size() > kMostBound))
      fail(base::ErrorCode::unsupported, "a number's bound of so many digits");
  }
  const NumberReader reader(range);
  StepFunction function;
  function.start = Place().key();
  function.alphabet = "+-.0123456789Ee";
  function.step = [&](const std::string& key, uint8_t byte) -> std::optional<std::string> {
    const auto next = reader.step(Place::of(key), static_cast<char>(byte));
    if (!next) return std::nullopt;
    return next->key();
  };
  function.final = [&](const std::string& key) { return reader.final(Place::of(key)); };
  return build_automaton(function, budget, budget.limits().max_pattern_states);
}

}  // namespace ingle::grammar
