// Filters about numbers, and the ones that look at a single value.
#include <charconv>
#include <cmath>

#include "core/template/arguments.h"
#include "core/template/filters.h"
#include "core/template/format.h"
#include "core/template/interpreter.h"
#include "core/template/methods.h"
#include "core/template/numbers.h"
#include "core/template/operations.h"

namespace ingle::jinja {
namespace {

Value filter_abs(Interpreter&, const Value& value, const Arguments& args) {
  const Bound bound("abs", args, {}, 0);
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) fail("bad operand type for abs(): '" + std::string(type_name(value)) + "'");
  if (value.is(Type::real)) return Value::real(std::fabs(value.as_real()));
  return value.as_int() < 0 ? negate(value) : Value::integer(value.as_int());
}

std::optional<Value> whole(double v) {
  if (std::isnan(v) || std::isinf(v)) return std::nullopt;
  if (!(std::fabs(v) < 9.2233720368547758e18)) fail("the number does not fit into 64 bits");
  return Value::integer(static_cast<int64_t>(v));
}

Value filter_int(Interpreter&, const Value& value, const Arguments& args) {
  const Bound bound("int", args, {"default", "base"}, 0);
  Value fallback = bound.value_or(0, Value::integer(0));
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_int()) return Value::integer(value.as_int());
  if (value.is(Type::real)) {
    if (std::isinf(value.as_real())) fail("cannot convert float infinity to integer");
    return whole(value.as_real()).value_or(fallback);
  }
  if (!value.is_string()) return fallback;
  const std::string& text = value.get<Text>().text;
  if (const auto number = parse_integer(text, bound.int_or(1, 10))) return Value::integer(*number);
  const auto real = parse_real(text);
  return real ? whole(*real).value_or(fallback) : fallback;
}

Value filter_float(Interpreter&, const Value& value, const Arguments& args) {
  const Bound bound("float", args, {"default"}, 0);
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_number()) return Value::real(value.as_real());
  const auto real = value.is_string() ? parse_real(value.get<Text>().text) : std::nullopt;
  return real ? Value::real(*real) : bound.value_or(0, Value::real(0));
}

Value filter_round(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("round", args, {"precision", "method"}, 0);
  const std::string method = bound.has(1) ? to_text(in.heap(), bound[1]) : "common";
  if (method != "common" && method != "ceil" && method != "floor") fail("method must be common, ceil or floor");
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) fail("type " + std::string(type_name(value)) + " doesn't define __round__ method");
  if (method == "common") {
    if (bound.has(0) && bound[0].is_none())
      return value.is_int() ? Value::integer(value.as_int()) : *whole(round_real(value.as_real(), 0));
    const int64_t precision = bound.int_or(0, 0);
    if (value.is_int()) return Value::integer(round_integer(value.as_int(), precision));
    return Value::real(round_real(value.as_real(), precision));
  }
  Heap& heap = in.heap();
  const Value factor = arithmetic(heap, Arithmetic::power, Value::integer(10), bound.value_or(0, Value::integer(0)));
  const Value scaled = arithmetic(heap, Arithmetic::multiply, value, factor);
  const double edge = method == "ceil" ? std::ceil(scaled.as_real()) : std::floor(scaled.as_real());
  if (!std::isfinite(edge)) fail("cannot convert float to integer");
  // Python's ceil and floor are ints, so that there is no -0.0 here.
  const bool fits = std::fabs(edge) < 9.2e18;
  const Value rounded = scaled.is_int() ? scaled
                        : fits          ? Value::integer(static_cast<int64_t>(edge))
                                        : Value::real(edge);
  return arithmetic(heap, Arithmetic::divide, rounded, factor);
}

Value filter_filesizeformat(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("filesizeformat", args, {"binary"}, 0);
  if (value.is_undefined()) fail_undefined(value);
  std::optional<double> bytes;
  if (value.is_number()) bytes = value.as_real();
  if (value.is_string()) bytes = parse_real(value.get<Text>().text);
  if (!bytes || !std::isfinite(*bytes)) fail("could not convert to a number of bytes");
  const bool binary = bound.flag(0);
  const double base = binary ? 1024 : 1000;
  static constexpr const char* kBinary[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  static constexpr const char* kDecimal[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  std::string out;
  if (*bytes == 1) {
    out = "1 Byte";
  } else if (*bytes < base) {
    out = std::to_string(static_cast<int64_t>(std::max(*bytes, -9e18))) + " Bytes";
  } else {
    double unit = base * base;
    size_t i = 0;
    for (; i < 7 && *bytes >= unit; ++i) unit *= base;
    out = format_digits(base * *bytes / unit, 'f', 1, false) + " " + (binary ? kBinary[i] : kDecimal[i]);
  }
  return make_text(in.heap(), std::move(out));
}

Value filter_default(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("default", args, {"default_value", "boolean"}, 0);
  if (value.is_undefined() || (bound.flag(1) && !truthy(value))) return bound.value_or(0, make_text(in.heap(), ""));
  return value;
}

Value filter_attr(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("attr", args, {"name"}, 1);
  Heap& heap = in.heap();
  const std::string name = expect_text(bound[0], "attribute name");
  if (value.is_undefined()) fail_undefined(value);
  Value out;
  if (find_attribute(heap, value, name, out)) return out;
  return make_undefined(heap, "'" + std::string(type_name(value)) + " object' has no attribute '" + name + "'");
}

Value filter_length(Interpreter&, const Value& value, const Arguments& args) {
  const Bound bound("length", args, {}, 0);
  return Value::integer(length(value));
}

constexpr FilterRow kRows[] = {
    {"length", filter_length}, {"count", filter_length}, {"default", filter_default},
    {"d", filter_default},     {"int", filter_int},      {"float", filter_float},
    {"abs", filter_abs},       {"round", filter_round},  {"filesizeformat", filter_filesizeformat},
    {"attr", filter_attr},
};

}  // namespace

std::span<const FilterRow> number_filters() {
  return kRows;
}

}  // namespace ingle::jinja
