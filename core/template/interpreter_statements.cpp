// Running statements: output, branches, loops, assignments, macros.
#include <algorithm>

#include "core/template/interpreter.h"

namespace ingle::jinja {

void Scope::set(uint32_t symbol, Value value) {
  if (Value* found = find(symbol)) {
    *found = std::move(value);
    return;
  }
  constexpr size_t kCost = sizeof(variables[0]);
  heap.charge(kCost);
  bytes += kCost;
  variables.emplace_back(symbol, std::move(value));
}

Interpreter::Interpreter(const Program& program, const base::Json& context, const core::TemplateLimits& limits,
                         int64_t now)
    : program_(program),
      context_(context),
      limits_(limits),
      now_(now),
      heap_(limits.max_memory_bytes, limits.max_steps),
      constants_(program.constants.size()),
      globals_(program.symbols.size()) {
  root_ = new_scope(Value());
  scope_ = root_;
}

std::string Interpreter::run() {
  std::string out;
  out_ = &out;
  try {
    run_body(program_.body);
  } catch (Failure& failure) {
    if (failure.line == 0) failure.line = line_;
    throw;
  }
  return out;
}

Value Interpreter::new_scope(const Value& parent) {
  return Value::of(Type::space, new Scope(heap_, parent));
}

void Interpreter::write(std::string_view text) {
  if (text.size() > limits_.max_output_bytes - std::min<uint64_t>(out_->size(), limits_.max_output_bytes))
    fail_limit("the output is longer than the limit allows");
  grow(heap_, *out_, text.size());
  *out_ += text;
}

void Interpreter::print(const Value& value) {
  if (value.is_string()) return write(value.get<Text>().text);
  append_text(heap_, *out_, value);
  write("");
}

namespace {

// Puts something back on the way out.
template <typename T>
struct Restore {
  explicit Restore(T& place) : target(place), saved(place) {}
  ~Restore() { target = std::move(saved); }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;
  T& target;
  T saved;
};

}  // namespace

Interpreter::Flow Interpreter::run_body(const std::vector<StmtPtr>& body) {
  if (++depth_ > 8 * limits_.max_depth) {
    --depth_;
    fail_limit("the template recurses too deep");
  }
  struct Leave {
    uint32_t& depth;
    ~Leave() { --depth; }
  } const leave{depth_};
  for (const auto& stmt : body) {
    const Flow flow = run_statement(*stmt);
    if (flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_statement(const Stmt& stmt) {
  heap_.step();
  line_ = stmt.line;
  switch (stmt.kind) {
    case StmtKind::data:
      write(stmt.text);
      break;
    case StmtKind::print:
      print(eval(*stmt.value));
      break;
    case StmtKind::branch:
      return run_branch(stmt);
    case StmtKind::loop:
      return run_loop(stmt);
    case StmtKind::assign: {
      check_members(*stmt.target);
      const Value value = eval(*stmt.value);
      assign(*stmt.target, value);
      break;
    }
    case StmtKind::assign_block:
      return run_assign_block(stmt);
    case StmtKind::macro:
      scope().set(stmt.index, make_macro(stmt));
      break;
    case StmtKind::call_block: {
      const Value caller = make_macro(stmt);
      print(eval_call(*stmt.value, &caller));
      break;
    }
    case StmtKind::generation: {
      Arguments none;
      print(call_macro(stmt, scope_, none));
      break;
    }
    case StmtKind::filter_block:
      return run_filter_block(stmt);
    case StmtKind::with:
      return run_with(stmt);
    case StmtKind::scope:
      return run_scope(stmt);
    case StmtKind::leave:
      return Flow::leave;
    case StmtKind::next:
      return Flow::next;
    case StmtKind::refuse:
      throw Failure{base::ErrorCode::unsupported, stmt.text, stmt.line};
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_branch(const Stmt& stmt) {
  const Stmt* at = &stmt;
  for (;;) {
    if (truthy(eval(*at->value))) return run_body(at->body);
    const bool is_elif = at->otherwise.size() == 1 && at->otherwise[0]->kind == StmtKind::branch;
    if (!is_elif) return run_body(at->otherwise);
    at = at->otherwise[0].get();
    heap_.step();
  }
}

// --- for
// --------------------------------------------------------------------------------------------------------------- The
// items, through the loop's own filter: `for x in xs if …` asks it lazily, in a scope that has only the target.
Next Interpreter::loop_source(const Stmt& stmt, const Value& iterable, const Value& outer) {
  Next items = iterate(heap_, iterable);
  if (stmt.condition == nullptr) return items;
  return [this, &stmt, items = std::move(items), outer](Value& out) {
    const Restore<Value> restore(scope_);
    while (items(out)) {
      heap_.step();
      scope_ = new_scope(outer);
      assign(*stmt.target, out);
      if (!truthy(eval(*stmt.condition))) continue;
      out = read_target(*stmt.target);
      return true;
    }
    return false;
  };
}

// Jinja's filter hands on what it unpacked, put together again: a pair that came as a list goes on as a tuple.
Value Interpreter::read_target(const Expr& target) {
  if (target.kind == ExprKind::name) return eval_name(target.index);
  Values items;
  for (const auto& kid : target.kids) items.push_back(read_target(*kid));
  return make_tuple(heap_, std::move(items));
}

Interpreter::Flow Interpreter::run_loop(const Stmt& stmt) {
  const Value iterable = eval(*stmt.value);
  return run_iterations(stmt, iterable, 0);
}

Interpreter::Flow Interpreter::run_iterations(const Stmt& stmt, const Value& iterable, int64_t depth) {
  const Restore<Value> restore(scope_);
  const Value outer = scope_;
  const Value loop = Value::of(Type::loop, new Loop(heap_));
  auto& state = loop.get<Loop>();
  state.source = loop_source(stmt, iterable, outer);
  state.depth0 = depth;
  if (stmt.condition == nullptr) state.known_length = length_or_none(iterable);
  if (stmt.flag) {
    state.recurse = [this, &stmt, outer](const Value& inner, int64_t inner_depth) {
      const Restore<Value> back(scope_);
      const Restore<std::string*> output(out_);
      std::string text;
      out_ = &text;
      scope_ = outer;
      run_iterations(stmt, inner, inner_depth);
      return make_text(heap_, std::move(text));
    };
  }
  // Jinja's else runs unless some round of the body came to its end: `break` and `continue` in every round count as
  // none.
  bool completed = false;
  while (state.advance()) {
    heap_.step();
    scope_ = new_scope(outer);
    scope().set(program_.loop, loop);
    assign(*stmt.target, state.current);
    const Flow flow = run_body(stmt.body);
    if (flow == Flow::leave) break;
    if (flow == Flow::normal) completed = true;
  }
  state.recurse = nullptr;
  if (completed || stmt.otherwise.empty()) return Flow::normal;
  scope_ = new_scope(outer);
  return run_body(stmt.otherwise);
}

// --- scopes and captured text
// ------------------------------------------------------------------------------------------
Interpreter::Flow Interpreter::run_assign_block(const Stmt& stmt) {
  std::string text;
  const Value outer = scope_;
  Value result;
  {
    const Restore<Value> restore(scope_);
    const Restore<std::string*> output(out_);
    out_ = &text;
    scope_ = new_scope(outer);
    const Flow flow = run_body(stmt.body);
    if (flow != Flow::normal) return flow;
    result = make_text(heap_, std::move(text));
    if (stmt.value != nullptr) result = eval_filter(*stmt.value, &result);
  }
  check_members(*stmt.target);
  assign(*stmt.target, result);
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_filter_block(const Stmt& stmt) {
  std::string text;
  const Restore<Value> restore(scope_);
  const Value outer = scope_;
  Value result;
  {
    const Restore<std::string*> output(out_);
    out_ = &text;
    scope_ = new_scope(outer);
    const Flow flow = run_body(stmt.body);
    if (flow != Flow::normal) return flow;
    result = make_text(heap_, std::move(text));
    result = eval_filter(*stmt.value, &result);
  }
  print(result);
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_with(const Stmt& stmt) {
  const Restore<Value> restore(scope_);
  const Value inner = new_scope(scope_), outer = scope_;
  for (size_t i = 0; i < stmt.targets.size(); ++i) {
    scope_ = outer;
    const Value value = eval(*stmt.values[i]);
    scope_ = inner;
    assign(*stmt.targets[i], value);
  }
  scope_ = inner;
  return run_body(stmt.body);
}

Interpreter::Flow Interpreter::run_scope(const Stmt& stmt) {
  const Restore<Value> restore(scope_);
  scope_ = new_scope(stmt.flag ? root_ : Value(scope_));
  return run_body(stmt.body);
}

// --- macros
// ------------------------------------------------------------------------------------------------------------
Value Interpreter::make_macro(const Stmt& stmt) {
  std::string name = stmt.signature->name.empty() ? "anonymous" : "'" + stmt.signature->name + "'";
  return make_callable(heap_, "<Macro " + name + ">", [this, &stmt, closure = scope_](Interpreter&, Arguments& args) {
    return call_macro(stmt, closure, args);
  });
}

Value Interpreter::call_macro(const Stmt& stmt, const Value& closure, Arguments& args) {
  if (calls_ >= limits_.max_depth) fail_limit("macros call each other too deep");
  const Restore<uint32_t> count(calls_);
  ++calls_;
  const Restore<Value> restore(scope_);
  const Restore<std::string*> output(out_);
  std::string text;
  out_ = &text;
  scope_ = new_scope(closure);
  bind_parameters(stmt, scope(), args);
  run_body(stmt.body);
  return make_text(heap_, std::move(text));
}

// jinja2.runtime.Macro.__call__: positional, then keywords, then defaults, which may use earlier parameters.
void Interpreter::bind_parameters(const Stmt& stmt, Scope& scope, Arguments& args) {
  const Signature& signature = *stmt.signature;
  const size_t count = signature.parameters.size();
  const size_t given = std::min(args.positional.size(), count);
  std::vector<bool> missing(count, false);
  bool found_caller = false;
  for (size_t i = 0; i < count; ++i) {
    if (i < given) {
      scope.set(signature.parameters[i], args.positional[i]);
      continue;
    }
    const auto at = std::find_if(args.named.begin(), args.named.end(),
                                 [&](const Keyword& keyword) { return keyword.name == signature.names[i]; });
    missing[i] = at == args.named.end();
    scope.set(
        signature.parameters[i],
        missing[i] ? make_undefined(heap_, "parameter '" + signature.names[i] + "' was not provided") : at->value);
    if (!missing[i]) args.named.erase(at);
    if (signature.names[i] == "caller") found_caller = true;
  }
  bind_specials(stmt, scope, args, found_caller);
  const size_t first_default = count - signature.defaults.size();
  for (size_t i = first_default; i < count; ++i)
    if (missing[i]) scope.set(signature.parameters[i], eval(*signature.defaults[i - first_default]));
}

void Interpreter::bind_specials(const Stmt& stmt, Scope& scope, Arguments& args, bool found_caller) {
  const Signature& signature = *stmt.signature;
  const std::string title = "macro '" + signature.name + "'";
  if (signature.uses_caller && !found_caller) {
    const auto at = std::find_if(args.named.begin(), args.named.end(),
                                 [](const Keyword& keyword) { return keyword.name == "caller"; });
    const bool given = at != args.named.end() && !at->value.is_none();
    scope.set(program_.caller, given ? at->value : make_undefined(heap_, "No caller defined"));
    if (at != args.named.end()) args.named.erase(at);
  }
  if (signature.uses_kwargs) {
    Value dict = make_dict(heap_);
    for (const Keyword& keyword : args.named) dict.get<Dict>().set(make_text(heap_, keyword.name), keyword.value);
    scope.set(program_.kwargs, dict);
  } else if (!args.named.empty()) {
    fail(title + " takes no keyword argument '" + args.named[0].name + "'");
  }
  const size_t count = signature.parameters.size();
  if (signature.uses_varargs) {
    const auto from = args.positional.begin() + static_cast<ptrdiff_t>(std::min(count, args.positional.size()));
    scope.set(program_.varargs, make_tuple(heap_, Values(from, args.positional.end())));
  } else if (args.positional.size() > count) {
    fail(title + " takes not more than " + std::to_string(count) + " argument(s)");
  }
}

// --- assignment
// -------------------------------------------------------------------------------------------------------- Jinja checks
// every `a.b` target before it evaluates what to assign.
void Interpreter::check_members(const Expr& target) {
  if (target.kind == ExprKind::member && !eval_name(target.index).is(Type::space))
    fail("cannot assign attribute on non-namespace object");
  if (target.kind == ExprKind::tuple)
    for (const auto& kid : target.kids) check_members(*kid);
}

void Interpreter::assign(const Expr& target, const Value& value) {
  if (target.kind == ExprKind::name) {
    scope().set(target.index, value);
  } else if (target.kind == ExprKind::member) {
    const Value space = eval_name(target.index);
    if (!space.is(Type::space)) fail("cannot assign attribute on non-namespace object");
    if (target.text.starts_with('_'))
      fail("a namespace cannot hold the underscore-prefixed attribute '" + target.text + "'");
    space.get<Space>().attributes.get<Dict>().set(make_text(heap_, target.text), value);
  } else {
    if (!iterable(value)) fail("cannot unpack non-iterable " + std::string(type_name(value)) + " object");
    const Values items = to_values(heap_, value);
    if (items.size() != target.kids.size())
      fail(items.size() < target.kids.size()
               ? "not enough values to unpack (expected " + std::to_string(target.kids.size()) + ", got " +
                     std::to_string(items.size()) + ")"
               : "too many values to unpack (expected " + std::to_string(target.kids.size()) + ")");
    for (size_t i = 0; i < items.size(); ++i) assign(*target.kids[i], items[i]);
  }
}

}  // namespace ingle::jinja
