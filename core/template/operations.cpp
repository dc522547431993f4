// Truth, equality, order and arithmetic as Python defines them.
#include "core/template/operations.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "core/template/format.h"
#include "core/template/unicode.h"

namespace ingle::jinja {
namespace {

constexpr int kUnordered = 2;

int sign_of(bool is_less, bool is_greater) {
  return is_less ? -1 : is_greater ? 1 : 0;
}

// Exact comparison of a 64-bit integer with a double.
int compare_int_real(int64_t a, double b) {
  if (std::isnan(b)) return kUnordered;
  if (b >= 9223372036854775808.0) return -1;
  if (b < -9223372036854775808.0) return 1;
  const double whole = std::trunc(b);
  const auto truncated = static_cast<int64_t>(whole);
  if (a != truncated) return a < truncated ? -1 : 1;
  return sign_of(b > whole, b < whole);
}

int compare_numbers(const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return sign_of(a.as_int() < b.as_int(), a.as_int() > b.as_int());
  if (a.is_int()) return compare_int_real(a.as_int(), b.as_real());
  if (b.is_int()) {
    const int r = compare_int_real(b.as_int(), a.as_real());
    return r == kUnordered ? r : -r;
  }
  if (std::isnan(a.as_real()) || std::isnan(b.as_real())) return kUnordered;
  return sign_of(a.as_real() < b.as_real(), a.as_real() > b.as_real());
}

bool equal_arrays(const Array& a, const Array& b, int depth) {
  if (a.items.size() != b.items.size()) return false;
  a.heap.step(a.items.size() / 4 + 1);
  for (size_t i = 0; i < a.items.size(); ++i)
    if (!a.items[i].same_as(b.items[i]) && !equals(a.items[i], b.items[i], depth)) return false;
  return true;
}

bool equal_dicts(const Dict& a, const Dict& b, int depth) {
  if (a.entries.size() != b.entries.size()) return false;
  a.heap.step(a.entries.size());
  for (const auto& entry : a.entries) {
    const Value* other = b.find(entry.key);
    if (other == nullptr) return false;
    if (!entry.value.same_as(*other) && !equals(entry.value, *other, depth)) return false;
  }
  return true;
}

// keys() and items() compare as sets.
bool equal_views(const Value& a, const Value& b, int depth) {
  const auto& left = a.get<View>();
  const auto& right = b.get<View>();
  if (left.kind == ViewKind::values || left.kind != right.kind) return a.object() == b.object();
  const auto& x = left.dict.get<Dict>();
  const auto& y = right.dict.get<Dict>();
  if (left.kind == ViewKind::items) return equal_dicts(x, y, depth);
  if (x.entries.size() != y.entries.size()) return false;
  return std::all_of(x.entries.begin(), x.entries.end(), [&](const auto& e) { return y.find(e.key) != nullptr; });
}

bool equal_ranges(const Range& a, const Range& b) {
  const int64_t size = a.size();
  if (size != b.size()) return false;
  return size == 0 || (a.start == b.start && (size == 1 || a.step == b.step));
}

}  // namespace

std::string_view type_name(const Value& value) {
  switch (value.type()) {
    case Type::undefined:
      return "Undefined";
    case Type::none:
      return "NoneType";
    case Type::boolean:
      return "bool";
    case Type::integer:
      return "int";
    case Type::real:
      return "float";
    case Type::string:
      return value.get<Text>().markup ? "Markup" : "str";
    case Type::list:
      return "list";
    case Type::tuple:
      return "tuple";
    case Type::dict:
      return "dict";
    case Type::view: {
      const ViewKind kind = value.get<View>().kind;
      return kind == ViewKind::keys ? "dict_keys" : kind == ViewKind::values ? "dict_values" : "dict_items";
    }
    case Type::range:
      return "range";
    case Type::iterator:
      return value.get<Iterator>().name;
    case Type::space:
      return "Namespace";
    case Type::callable:
      return "function";
    case Type::loop:
      return "LoopContext";
    case Type::cycler:
      return "Cycler";
  }
  return "object";
}

void fail_undefined(const Value& value) {
  if (value.object() != nullptr) fail(value.get<Undefined>().message);
  fail("a value is undefined");
}

bool truthy(const Value& value) {
  switch (value.type()) {
    case Type::undefined:
    case Type::none:
      return false;
    case Type::boolean:
    case Type::integer:
      return value.as_int() != 0;
    case Type::real:
      return value.as_real() != 0;
    case Type::string:
      return !value.get<Text>().text.empty();
    case Type::list:
    case Type::tuple:
      return !value.get<Array>().items.empty();
    case Type::dict:
      return !value.get<Dict>().entries.empty();
    case Type::view:
      return !value.get<View>().dict.get<Dict>().entries.empty();
    case Type::range:
      return value.get<Range>().size() != 0;
    case Type::loop:
      return value.get<Loop>().length() != 0;
    default:
      return true;
  }
}

bool equals(const Value& a, const Value& b, int depth) {
  if (depth > kMaxValueDepth) fail_limit("values are nested too deep to compare");
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Type::undefined:
    case Type::none:
      return true;
    case Type::string: {
      const auto& x = a.get<Text>();
      const auto& y = b.get<Text>();
      if (x.text.size() == y.text.size() && x.text.size() > 64) x.heap.touch(x.text.size());
      return x.text == y.text;
    }
    case Type::list:
    case Type::tuple:
      return equal_arrays(a.get<Array>(), b.get<Array>(), depth + 1);
    case Type::dict:
      return equal_dicts(a.get<Dict>(), b.get<Dict>(), depth + 1);
    case Type::view:
      return equal_views(a, b, depth + 1);
    case Type::range:
      return equal_ranges(a.get<Range>(), b.get<Range>());
    default:
      return a.object() == b.object();
  }
}

int compare(const Value& a, const Value& b, std::string_view op, int depth) {
  if (depth > kMaxValueDepth) fail_limit("values are nested too deep to compare");
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined()) fail_undefined(b);
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.is_string() && b.is_string()) {
    const auto& x = a.get<Text>();
    x.heap.touch(std::min(x.text.size(), b.get<Text>().text.size()));
    const int r = x.text.compare(b.get<Text>().text);  // byte order is code point order in UTF-8
    return sign_of(r < 0, r > 0);
  }
  if (a.is_sequence() && a.type() == b.type()) {
    const auto& x = a.get<Array>().items;
    const auto& y = b.get<Array>().items;
    for (size_t i = 0; i < x.size() && i < y.size(); ++i) {
      a.get<Array>().heap.step();
      if (x[i].same_as(y[i]) || equals(x[i], y[i], depth + 1)) continue;
      return compare(x[i], y[i], op, depth + 1);
    }
    return sign_of(x.size() < y.size(), x.size() > y.size());
  }
  fail("'" + std::string(op) + "' not supported between instances of '" + std::string(type_name(a)) + "' and '" +
       std::string(type_name(b)) + "'");
}

bool contains(Heap& heap, const Value& container, const Value& item) {
  switch (container.type()) {
    case Type::undefined:
      return false;
    case Type::string: {
      if (!item.is_string()) fail("'in <string>' requires string as left operand, not " + std::string(type_name(item)));
      heap.touch(container.get<Text>().text.size());
      return container.get<Text>().text.find(item.get<Text>().text) != std::string::npos;
    }
    case Type::dict:
      return container.get<Dict>().find(item) != nullptr;
    case Type::range: {
      if (!item.is_int()) break;
      const auto& r = container.get<Range>();
      const int64_t v = item.as_int();
      const bool inside = r.step > 0 ? v >= r.start && v < r.stop : v <= r.start && v > r.stop;
      return inside && (static_cast<Wide>(v) - r.start) % r.step == 0;
    }
    case Type::view:
      if (container.get<View>().kind == ViewKind::keys)
        return container.get<View>().dict.get<Dict>().find(item) != nullptr;
      break;
    default:
      break;
  }
  if (!iterable(container)) fail("argument of type '" + std::string(type_name(container)) + "' is not iterable");
  const Next next = iterate(heap, container);
  Value each;
  while (next(each)) {
    heap.step();
    if (each.same_as(item) || equals(each, item)) return true;
  }
  return false;
}

namespace {

constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};

[[noreturn]] void fail_operands(Arithmetic op, const Value& a, const Value& b) {
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined()) fail_undefined(b);
  fail("unsupported operand type(s) for " + std::string(kSymbols[static_cast<size_t>(op)]) + ": '" +
       std::string(type_name(a)) + "' and '" + std::string(type_name(b)) + "'");
}

int64_t fits(std::optional<int64_t> result) {
  if (!result) fail("integer overflow: numbers are limited to 64 bits here");
  return *result;
}

int64_t int_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if (exponent & 1) result = fits(base::checked_mul(result, base));
    exponent >>= 1;
    if (exponent > 0) base = (base == 0 || base == 1 || base == -1) ? base * base : fits(base::checked_mul(base, base));
  }
  return result;
}

double finite_power(double a, double b) {
  if (a == 0 && b < 0) fail("0.0 cannot be raised to a negative power");
  if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b))
    fail("a negative number to a fractional power is complex, which is not supported");
  const double r = std::pow(a, b);
  if (std::isinf(r) && std::isfinite(a) && std::isfinite(b)) fail("(34, 'Numerical result out of range')");
  return r;
}

Value int_arithmetic(Arithmetic op, int64_t a, int64_t b) {
  switch (op) {
    case Arithmetic::add:
      return Value::integer(fits(base::checked_add(a, b)));
    case Arithmetic::subtract: {
      int64_t r = 0;
      if (__builtin_sub_overflow(a, b, &r)) fits(std::nullopt);
      return Value::integer(r);
    }
    case Arithmetic::multiply:
      return Value::integer(fits(base::checked_mul(a, b)));
    case Arithmetic::divide:
      if (b == 0) fail("division by zero");
      return Value::real(static_cast<double>(a) / static_cast<double>(b));
    case Arithmetic::floor_divide:
    case Arithmetic::modulo: {
      if (b == 0) fail(op == Arithmetic::modulo ? "integer modulo by zero" : "integer division or modulo by zero");
      if (b == -1) {
        if (op == Arithmetic::modulo) return Value::integer(0);
        if (a == INT64_MIN) fits(std::nullopt);
        return Value::integer(-a);
      }
      int64_t quotient = a / b, rest = a % b;
      if (rest != 0 && (rest < 0) != (b < 0)) {
        --quotient;
        rest += b;
      }
      return Value::integer(op == Arithmetic::modulo ? rest : quotient);
    }
    case Arithmetic::power:
      if (b < 0) {
        if (a == 0) fail("0.0 cannot be raised to a negative power");
        return Value::real(finite_power(static_cast<double>(a), static_cast<double>(b)));
      }
      return Value::integer(int_power(a, b));
  }
  return {};
}

Value real_arithmetic(Arithmetic op, double a, double b) {
  switch (op) {
    case Arithmetic::add:
      return Value::real(a + b);
    case Arithmetic::subtract:
      return Value::real(a - b);
    case Arithmetic::multiply:
      return Value::real(a * b);
    case Arithmetic::divide:
      if (b == 0) fail("float division by zero");
      return Value::real(a / b);
    case Arithmetic::floor_divide:
    case Arithmetic::modulo: {
      if (b == 0) fail(op == Arithmetic::modulo ? "float modulo" : "float floor division by zero");
      double rest = std::fmod(a, b);
      double quotient = (a - rest) / b;
      if (rest != 0) {
        if ((b < 0) != (rest < 0)) {
          rest += b;
          quotient -= 1.0;
        }
      } else {
        rest = std::copysign(0.0, b);
      }
      if (op == Arithmetic::modulo) return Value::real(rest);
      if (quotient == 0) return Value::real(std::copysign(0.0, a / b));
      double whole = std::floor(quotient);
      if (quotient - whole > 0.5) whole += 1.0;
      return Value::real(whole);
    }
    case Arithmetic::power:
      return Value::real(finite_power(a, b));
  }
  return {};
}

Value add_text(Heap& heap, const Text& a, const Text& b) {
  check_growth(heap, a.text.size() + b.text.size());
  if (a.markup == b.markup) return make_text(heap, a.text + b.text, a.markup);
  return make_text(heap, (a.markup ? a.text : escape_html(a.text)) + (b.markup ? b.text : escape_html(b.text)), true);
}

Value repeat(Heap& heap, const Value& value, int64_t count) {
  const auto times = static_cast<uint64_t>(std::max<int64_t>(count, 0));
  if (value.is_string()) {
    const auto& text = value.get<Text>();
    const auto size = base::checked_mul<uint64_t>(times, text.text.size());
    if (!size) fail_limit("a string is too long");
    check_growth(heap, *size);
    std::string out;
    out.reserve(*size);
    for (uint64_t i = 0; i < times && !text.text.empty(); ++i) out += text.text;
    return make_text(heap, std::move(out), text.markup);
  }
  const auto& items = value.get<Array>().items;
  const auto size = base::checked_mul<uint64_t>(times, items.size() * sizeof(Value));
  if (!size) fail_limit("a list is too long");
  check_growth(heap, *size);
  Values out;
  out.reserve(items.size() * times);
  for (uint64_t i = 0; i < times && !items.empty(); ++i) out.insert(out.end(), items.begin(), items.end());
  return value.is(Type::list) ? make_list(heap, std::move(out)) : make_tuple(heap, std::move(out));
}

}  // namespace

Value arithmetic(Heap& heap, Arithmetic op, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return int_arithmetic(op, a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) return real_arithmetic(op, a.as_real(), b.as_real());
  if (a.is_undefined()) fail_undefined(a);
  if (op == Arithmetic::modulo && a.is_string())
    return make_text(heap, format_percent(heap, a.get<Text>(), b), a.get<Text>().markup);
  if (b.is_undefined()) fail_undefined(b);
  if (op == Arithmetic::add) {
    if (a.is_string() && b.is_string()) return add_text(heap, a.get<Text>(), b.get<Text>());
    if (a.is_sequence() && a.type() == b.type()) {
      const auto& x = a.get<Array>().items;
      const auto& y = b.get<Array>().items;
      check_growth(heap, (x.size() + y.size()) * sizeof(Value));
      Values items;
      items.reserve(x.size() + y.size());
      items.insert(items.end(), x.begin(), x.end());
      items.insert(items.end(), y.begin(), y.end());
      return a.is(Type::list) ? make_list(heap, std::move(items)) : make_tuple(heap, std::move(items));
    }
  }
  if (op == Arithmetic::multiply) {
    if ((a.is_string() || a.is_sequence()) && b.is_int()) return repeat(heap, a, b.as_int());
    if ((b.is_string() || b.is_sequence()) && a.is_int()) return repeat(heap, b, a.as_int());
  }
  fail_operands(op, a, b);
}

Value negate(const Value& value) {
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_int()) return int_arithmetic(Arithmetic::subtract, 0, value.as_int());
  if (value.is(Type::real)) return Value::real(-value.as_real());
  fail("bad operand type for unary -: '" + std::string(type_name(value)) + "'");
}

Value plus(const Value& value) {
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_int()) return Value::integer(value.as_int());
  if (value.is(Type::real)) return value;
  if (value.is_string() && value.get<Text>().markup) fail("bad operand type for unary +: 'Markup'");
  fail("bad operand type for unary +: '" + std::string(type_name(value)) + "'");
}

int64_t expect_index(const Value& value, std::string_view what) {
  if (value.is_int()) return value.as_int();
  if (value.is_undefined()) fail_undefined(value);
  fail(std::string(what) + " must be an integer, not '" + std::string(type_name(value)) + "'");
}

const std::string& expect_text(const Value& value, std::string_view what) {
  if (value.is_string()) return value.get<Text>().text;
  fail(std::string(what) + " must be a string, not '" + std::string(type_name(value)) + "'");
}

void check_growth(Heap& heap, size_t size) {
  heap.charge(size);
  heap.refund(size);
  heap.touch(size);
}

void grow(Heap& heap, const std::string& out, size_t added) {
  heap.charge(out.size() + added);
  heap.refund(out.size() + added);
  heap.touch(added);
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace ingle::jinja
