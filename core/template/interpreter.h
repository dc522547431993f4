// Walks the tree of one template with one context, and collects its output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "core/template/ast.h"
#include "core/template/template.h"
#include "core/template/value.h"

namespace ingle::jinja {

/// Variables of one level: a loop, a macro call, a with. Kept alive by the macros that were defined in it.
struct Scope : Object {
  Scope(Heap& h, Value outer) : Object(h, sizeof(Scope)), parent(std::move(outer)) {}
  void clear() override {
    parent = Value();
    variables.clear();
  }
  Value* find(uint32_t symbol) {
    for (auto& [name, value] : variables)
      if (name == symbol) return &value;
    return nullptr;
  }
  void set(uint32_t symbol, Value value);

  Value parent;  ///< a Scope, or undefined at the top
  std::vector<std::pair<uint32_t, Value>> variables;
};

class Interpreter {
 public:
  Interpreter(const Program& program, const base::Json& context, const core::TemplateLimits& limits, int64_t now);

  /// Throws Failure.
  std::string run();

  Heap& heap() { return heap_; }
  int64_t now() const { return now_; }
  /// Calls a function, method or macro value.
  Value call(const Value& callee, Arguments& args);

 private:
  enum class Flow : uint8_t { normal, leave, next };
  struct Deeper;

  // interpreter_expressions.cpp
  Value eval(const Expr& node);
  Value eval_name(uint32_t symbol);
  Value eval_unary(const Expr& node);
  Value eval_compare(const Expr& node);
  bool holds(Comparison op, const Value& a, const Value& b);
  Value eval_concat(const Expr& node);
  Value eval_conditional(const Expr& node);
  Value eval_collection(const Expr& node);
  Value eval_subscript(const Expr& node);
  Value eval_call(const Expr& node, const Value* caller);
  Value eval_filter(const Expr& node, const Value* block);
  Value eval_test(const Expr& node);
  void eval_arguments(const CallArguments& from, Arguments& to);
  Value make_constant(const Constant& constant);

  // interpreter_statements.cpp
  Flow run_body(const std::vector<StmtPtr>& body);
  Flow run_statement(const Stmt& stmt);
  Flow run_branch(const Stmt& stmt);
  Flow run_loop(const Stmt& stmt);
  Flow run_iterations(const Stmt& stmt, const Value& iterable, int64_t depth);
  Value read_target(const Expr& target);
  Next loop_source(const Stmt& stmt, const Value& iterable, const Value& outer);
  Flow run_assign_block(const Stmt& stmt);
  Flow run_filter_block(const Stmt& stmt);
  Flow run_with(const Stmt& stmt);
  Flow run_scope(const Stmt& stmt);
  Value make_macro(const Stmt& stmt);
  Value call_macro(const Stmt& stmt, const Value& closure, Arguments& args);
  void bind_parameters(const Stmt& stmt, Scope& scope, Arguments& args);
  void bind_specials(const Stmt& stmt, Scope& scope, Arguments& args, bool found_caller);
  void assign(const Expr& target, const Value& value);
  void check_members(const Expr& target);
  void print(const Value& value);
  void write(std::string_view text);

  Scope& scope() { return scope_.get<Scope>(); }
  Value new_scope(const Value& parent);
  Value convert(const base::Json& json, int depth);

  const Program& program_;
  const base::Json& context_;
  const core::TemplateLimits& limits_;
  int64_t now_;
  uint32_t depth_ = 0;  // of nested evaluation
  uint32_t calls_ = 0;  // of macros
  uint32_t line_ = 0;
  Heap heap_;  // before all values: they die first
  std::vector<std::optional<Value>> constants_;
  std::vector<std::optional<Value>> globals_;  // by symbol: what the context and Jinja provide, fetched on first use
  Value root_;
  Value scope_;
  std::string* out_ = nullptr;
};

}  // namespace ingle::jinja
