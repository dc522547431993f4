// Evaluating expressions.
#include "base/utf8.h"
#include "core/template/filters.h"
#include "core/template/interpreter.h"
#include "core/template/methods.h"

namespace ingle::jinja {

// Bounds the depth of everything that recurses while rendering, whatever mixture of macros and nesting it is.
struct Interpreter::Deeper {
  explicit Deeper(Interpreter& i) : interpreter(i) {
    if (++i.depth_ <= 8 * i.limits_.max_depth) return;
    --i.depth_;
    fail_limit("the template recurses too deep");
  }
  ~Deeper() { --interpreter.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  Interpreter& interpreter;
};

Value Interpreter::eval(const Expr& node) {
  const Deeper deeper(*this);
  heap_.step();
  line_ = node.line;
  switch (node.kind) {
    case ExprKind::constant: {
      auto& slot = constants_[node.index];
      if (!slot) slot = make_constant(program_.constants[node.index]);
      return *slot;
    }
    case ExprKind::name:
      return eval_name(node.index);
    case ExprKind::tuple:
    case ExprKind::list:
    case ExprKind::dict:
      return eval_collection(node);
    case ExprKind::attribute:
      return get_attribute(heap_, eval(*node.kids[0]), node.text);
    case ExprKind::item:
    case ExprKind::slice:
      return eval_subscript(node);
    case ExprKind::call:
      return eval_call(node, nullptr);
    case ExprKind::filter:
      return eval_filter(node, nullptr);
    case ExprKind::test:
      return eval_test(node);
    case ExprKind::negation:
    case ExprKind::minus:
    case ExprKind::plus:
      return eval_unary(node);
    case ExprKind::arithmetic: {
      const Value left = eval(*node.kids[0]);
      const Value right = eval(*node.kids[1]);
      line_ = node.line;
      return arithmetic(heap_, node.operation, left, right);
    }
    case ExprKind::concat:
      return eval_concat(node);
    case ExprKind::compare:
      return eval_compare(node);
    case ExprKind::conjunction: {
      Value left = eval(*node.kids[0]);
      return truthy(left) ? eval(*node.kids[1]) : left;
    }
    case ExprKind::disjunction: {
      Value left = eval(*node.kids[0]);
      return truthy(left) ? left : eval(*node.kids[1]);
    }
    case ExprKind::conditional:
      return eval_conditional(node);
    case ExprKind::member:
      break;
  }
  fail("this expression has no value");
}

Value Interpreter::make_constant(const Constant& constant) {
  switch (constant.type) {
    case Type::boolean:
      return Value::boolean(constant.integer != 0);
    case Type::integer:
      return Value::integer(constant.integer);
    case Type::real:
      return Value::real(constant.real);
    case Type::string:
      return make_text(heap_, constant.text);
    default:
      return Value::none();
  }
}

Value Interpreter::eval_name(uint32_t symbol) {
  for (Value at = scope_; at.object() != nullptr;) {
    auto& level = at.get<Scope>();
    if (const Value* found = level.find(symbol)) return *found;
    at = Value(level.parent);
  }
  auto& slot = globals_[symbol];
  if (!slot) {
    const std::string& name = program_.symbols[symbol];
    const auto given = context_.find(name);
    slot = given != context_.end() ? convert(*given, 0) : find_global(*this, name);
    if (slot->is_undefined()) slot = make_undefined(heap_, "'" + name + "' is undefined");
  }
  return *slot;
}

Value Interpreter::convert(const base::Json& json, int depth) {
  if (depth > kMaxValueDepth) fail_limit("the context is nested too deep");
  heap_.step();
  switch (json.type()) {
    case base::Json::value_t::null:
      return Value::none();
    case base::Json::value_t::boolean:
      return Value::boolean(json.get<bool>());
    case base::Json::value_t::number_integer:
      return Value::integer(json.get<int64_t>());
    case base::Json::value_t::number_unsigned: {
      const auto value = json.get<uint64_t>();
      if (value > INT64_MAX) fail("the context holds the integer " + std::to_string(value) + ", more than 64 bits");
      return Value::integer(static_cast<int64_t>(value));
    }
    case base::Json::value_t::number_float:
      return Value::real(json.get<double>());
    case base::Json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      if (!base::is_valid_utf8(text)) fail("the context holds text that is not valid UTF-8");
      return make_text(heap_, text);
    }
    case base::Json::value_t::array: {
      check_growth(heap_, json.size() * sizeof(Value));
      Values items;
      items.reserve(json.size());
      for (const auto& item : json) items.push_back(convert(item, depth + 1));
      return make_list(heap_, std::move(items));
    }
    case base::Json::value_t::object: {
      Value out = make_dict(heap_);
      for (const auto& [key, value] : json.items()) {
        if (!base::is_valid_utf8(key)) fail("the context holds text that is not valid UTF-8");
        out.get<Dict>().set(make_text(heap_, key), convert(value, depth + 1));
      }
      return out;
    }
    default:
      fail("the context holds binary data");
  }
}

Value Interpreter::eval_collection(const Expr& node) {
  if (node.kind == ExprKind::dict) {
    Value out = make_dict(heap_);
    for (size_t i = 0; i < node.kids.size(); i += 2) {
      Value key = eval(*node.kids[i]);
      out.get<Dict>().set(std::move(key), eval(*node.kids[i + 1]));
    }
    return out;
  }
  Values items;
  items.reserve(node.kids.size());
  for (const auto& kid : node.kids) items.push_back(eval(*kid));
  return node.kind == ExprKind::list ? make_list(heap_, std::move(items)) : make_tuple(heap_, std::move(items));
}

Value Interpreter::eval_subscript(const Expr& node) {
  const Value object = eval(*node.kids[0]);
  if (node.kind == ExprKind::item) {
    const Value key = eval(*node.kids[1]);
    line_ = node.line;
    return get_item(heap_, object, key);
  }
  Value bounds[3];
  for (size_t i = 0; i < 3; ++i) bounds[i] = node.kids[i + 1] == nullptr ? Value::none() : eval(*node.kids[i + 1]);
  line_ = node.line;
  return slice(heap_, object, bounds[0], bounds[1], bounds[2]);
}

Value Interpreter::eval_unary(const Expr& node) {
  const Value value = eval(*node.kids[0]);
  line_ = node.line;
  if (node.kind == ExprKind::negation) return Value::boolean(!truthy(value));
  return node.kind == ExprKind::minus ? negate(value) : plus(value);
}

bool Interpreter::holds(Comparison op, const Value& a, const Value& b) {
  switch (op) {
    case Comparison::eq:
      return equals(a, b);
    case Comparison::ne:
      return !equals(a, b);
    case Comparison::lt:
      return compare(a, b, "<") == -1;
    case Comparison::gt:
      return compare(a, b, ">") == 1;
    case Comparison::lteq: {
      const int order = compare(a, b, "<=");
      return order == -1 || order == 0;
    }
    case Comparison::gteq: {
      const int order = compare(a, b, ">=");
      return order == 1 || order == 0;
    }
    case Comparison::in:
      return contains(heap_, b, a);
    case Comparison::not_in:
      return !contains(heap_, b, a);
  }
  return false;
}

Value Interpreter::eval_compare(const Expr& node) {
  Value left = eval(*node.kids[0]);
  for (size_t i = 0; i < node.comparisons.size(); ++i) {
    Value right = eval(*node.kids[i + 1]);
    line_ = node.line;
    if (!holds(node.comparisons[i], left, right)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::eval_concat(const Expr& node) {
  Values parts;
  parts.reserve(node.kids.size());
  for (const auto& kid : node.kids) parts.push_back(eval(*kid));
  std::string out;
  for (const Value& part : parts) append_text(heap_, out, part);
  return make_text(heap_, std::move(out));
}

Value Interpreter::eval_conditional(const Expr& node) {
  if (truthy(eval(*node.kids[1]))) return eval(*node.kids[0]);
  if (node.kids[2] != nullptr) return eval(*node.kids[2]);
  return make_undefined(heap_, "the inline if-expression on line " + std::to_string(node.line) +
                                   " evaluated to false and no else section was defined.");
}

void Interpreter::eval_arguments(const CallArguments& from, Arguments& to) {
  to.positional.reserve(from.positional.size());
  for (const auto& argument : from.positional) to.positional.push_back(eval(*argument));
  const Value star = from.star != nullptr ? eval(*from.star) : Value();
  for (const auto& argument : from.named) to.named.push_back({argument.name, eval(*argument.value)});
  if (from.star != nullptr) {
    if (star.is_none() || star.is_number()) fail("the argument after * must be an iterable");
    const Values items = to_values(heap_, star);
    to.positional.insert(to.positional.end(), items.begin(), items.end());
  }
  if (from.star_star == nullptr) return;
  const Value mapping = eval(*from.star_star);
  if (!mapping.is(Type::dict)) fail("the argument after ** must be a mapping");
  for (const auto& entry : mapping.get<Dict>().entries) {
    if (!entry.key.is_string()) fail("keywords must be strings");
    const std::string& name = entry.key.get<Text>().text;
    for (const auto& keyword : to.named)
      if (keyword.name == name) fail("got multiple values for keyword argument '" + name + "'");
    heap_.step(to.named.size() + 1);
    to.named.push_back({name, entry.value});
  }
}

Value Interpreter::eval_call(const Expr& node, const Value* caller) {
  const Expr& callee = *node.kids[0];
  Arguments args;
  const auto finish_arguments = [&] {
    eval_arguments(*node.arguments, args);
    if (caller != nullptr) args.named.push_back({"caller", *caller});
    line_ = node.line;
  };
  if (callee.kind == ExprKind::attribute) {  // a method: no need to make a value of it first
    const Value self = eval(*callee.kids[0]);
    if (const Method method = find_method(self, callee.text)) {
      finish_arguments();
      return method(heap_, self, args);
    }
    const Value function = get_attribute(heap_, self, callee.text);
    finish_arguments();
    return call(function, args);
  }
  const Value function = eval(callee);
  finish_arguments();
  return call(function, args);
}

Value Interpreter::call(const Value& callee, Arguments& args) {
  if (callee.is_undefined()) fail_undefined(callee);
  if (callee.is(Type::callable)) return callee.get<Callable>().function(*this, args);
  if (callee.is(Type::loop)) {
    auto& loop = callee.get<Loop>();
    if (!loop.recurse) fail("The loop must have the 'recursive' marker to be called recursively.");
    if (args.positional.size() != 1 || !args.named.empty()) fail("loop() takes one iterable");
    return loop.recurse(args.positional[0], loop.depth0 + 1);
  }
  fail("'" + std::string(type_name(callee)) + "' object is not callable");
}

Value Interpreter::eval_filter(const Expr& node, const Value* block) {
  const Expr* inner = node.kids[0].get();
  Value value;
  if (inner == nullptr)
    value = *block;
  else if (inner->kind == ExprKind::filter)
    value = eval_filter(*inner, block);
  else
    value = eval(*inner);
  const auto* row = static_cast<const FilterRow*>(node.resolved);
  Arguments args;
  eval_arguments(*node.arguments, args);
  line_ = node.line;
  if (row == nullptr) fail("No filter named '" + node.text + "' found.");
  heap_.step();
  return row->call(*this, value, args);
}

Value Interpreter::eval_test(const Expr& node) {
  const Value value = eval(*node.kids[0]);
  const auto* row = static_cast<const TestRow*>(node.resolved);
  Arguments args;
  eval_arguments(*node.arguments, args);
  line_ = node.line;
  if (row == nullptr) fail("No test named '" + node.text + "' found.");
  return Value::boolean(row->call(*this, value, args));
}

}  // namespace ingle::jinja
