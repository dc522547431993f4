// Jinja's tests: what stands right of `is`.
#include "core/template/arguments.h"
#include "core/template/filters.h"
#include "core/template/interpreter.h"
#include "core/template/methods.h"
#include "core/template/operations.h"

namespace ingle::jinja {
namespace {

template <auto kAsk>
bool plain(Interpreter&, const Value& value, const Arguments& args) {
  const Bound bound("the test", args, {}, 0);
  return kAsk(value);
}

bool is_defined(const Value& v) {
  return !v.is_undefined();
}
bool is_undefined(const Value& v) {
  return v.is_undefined();
}
bool is_none(const Value& v) {
  return v.is_none();
}
bool is_boolean(const Value& v) {
  return v.is(Type::boolean);
}
bool is_true(const Value& v) {
  return v.is_true();
}
bool is_false(const Value& v) {
  return v.is_false();
}
bool is_integer(const Value& v) {
  return v.is(Type::integer);
}
bool is_real(const Value& v) {
  return v.is(Type::real);
}
bool is_number(const Value& v) {
  return v.is_number();
}
bool is_string(const Value& v) {
  return v.is_string();
}
bool is_mapping(const Value& v) {
  return v.is(Type::dict);
}
bool is_callable(const Value& v) {
  return v.is(Type::callable) || v.is(Type::loop) || v.is_undefined();
}
bool is_escaped(const Value& v) {
  return v.is_string() && v.get<Text>().markup;
}
// len() and subscripts: Undefined has a len but its __getitem__ is there too.
bool is_sequence(const Value& v) {
  return v.is_undefined() || v.is_string() || v.is_sequence() || v.is(Type::dict) || v.is(Type::range);
}

template <bool kUpper>
bool has_case(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("the test", args, {}, 0);
  const Value text = make_text(in.heap(), to_text(in.heap(), value));
  return find_method(text, kUpper ? "isupper" : "islower")(in.heap(), text, Arguments{}).is_true();
}

bool remainder_is(Interpreter& in, const Value& value, const Value& divisor, int64_t wanted) {
  return equals(arithmetic(in.heap(), Arithmetic::modulo, value, divisor), Value::integer(wanted));
}
bool test_odd(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("odd", args, {}, 0);
  return remainder_is(in, value, Value::integer(2), 1);
}
bool test_even(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("even", args, {}, 0);
  return remainder_is(in, value, Value::integer(2), 0);
}
bool test_divisibleby(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("divisibleby", args, {"num"}, 1);
  return remainder_is(in, value, bound[0], 0);
}

bool test_eq(Interpreter&, const Value& value, const Arguments& args) {
  return equals(value, Bound("eq", args, {"b"}, 1, 1)[0]);
}
bool test_ne(Interpreter&, const Value& value, const Arguments& args) {
  return !equals(value, Bound("ne", args, {"b"}, 1, 1)[0]);
}
bool test_lt(Interpreter&, const Value& value, const Arguments& args) {
  return compare(value, Bound("lt", args, {"b"}, 1, 1)[0], "<") == -1;
}
bool test_gt(Interpreter&, const Value& value, const Arguments& args) {
  return compare(value, Bound("gt", args, {"b"}, 1, 1)[0], ">") == 1;
}
bool test_le(Interpreter&, const Value& value, const Arguments& args) {
  const int order = compare(value, Bound("le", args, {"b"}, 1, 1)[0], "<=");
  return order == -1 || order == 0;
}
bool test_ge(Interpreter&, const Value& value, const Arguments& args) {
  const int order = compare(value, Bound("ge", args, {"b"}, 1, 1)[0], ">=");
  return order == 1 || order == 0;
}
bool test_in(Interpreter& in, const Value& value, const Arguments& args) {
  return contains(in.heap(), Bound("in", args, {"seq"}, 1)[0], value);
}
bool test_sameas(Interpreter&, const Value& value, const Arguments& args) {
  return value.same_as(Bound("sameas", args, {"other"}, 1)[0]);
}
bool test_filter(Interpreter&, const Value& value, const Arguments& args) {
  const Bound bound("filter", args, {}, 0);
  hash_value(value);
  return value.is_string() && find_filter(value.get<Text>().text) != nullptr;
}
bool test_test(Interpreter&, const Value& value, const Arguments& args) {
  const Bound bound("test", args, {}, 0);
  hash_value(value);
  return value.is_string() && find_test(value.get<Text>().text) != nullptr;
}

constexpr TestRow kRows[] = {
    {"defined", plain<is_defined>},
    {"undefined", plain<is_undefined>},
    {"none", plain<is_none>},
    {"string", plain<is_string>},
    {"mapping", plain<is_mapping>},
    {"iterable", plain<iterable>},
    {"sequence", plain<is_sequence>},
    {"number", plain<is_number>},
    {"integer", plain<is_integer>},
    {"float", plain<is_real>},
    {"boolean", plain<is_boolean>},
    {"true", plain<is_true>},
    {"false", plain<is_false>},
    {"callable", plain<is_callable>},
    {"escaped", plain<is_escaped>},
    {"lower", has_case<false>},
    {"upper", has_case<true>},
    {"odd", test_odd},
    {"even", test_even},
    {"divisibleby", test_divisibleby},
    {"eq", test_eq},
    {"==", test_eq},
    {"equalto", test_eq},
    {"ne", test_ne},
    {"!=", test_ne},
    {"lt", test_lt},
    {"<", test_lt},
    {"lessthan", test_lt},
    {"gt", test_gt},
    {">", test_gt},
    {"greaterthan", test_gt},
    {"le", test_le},
    {"<=", test_le},
    {"ge", test_ge},
    {">=", test_ge},
    {"in", test_in},
    {"sameas", test_sameas},
    {"filter", test_filter},
    {"test", test_test},
};

}  // namespace

std::span<const TestRow> all_tests() {
  return kRows;
}

}  // namespace ingle::jinja
