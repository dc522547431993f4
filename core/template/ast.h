// The syntax tree of a template. One struct for expressions and one for statements, with a kind; the comments at the
// kinds say which fields they use. Depth is bounded where nodes are made, so recursion over the tree is too.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/template/operations.h"

namespace ingle::jinja {

enum class ExprKind : uint8_t {
  constant,     // index: into Program::constants
  name,         // index: symbol
  tuple,        // kids
  list,         // kids
  dict,         // kids: key, value, key, value…
  attribute,    // kids[0].text
  item,         // kids[0][kids[1]]
  slice,        // kids[0][kids[1]:kids[2]:kids[3]], null where left out
  call,         // kids[0](arguments)
  filter,       // kids[0] (null: the text of the block) | text(arguments)
  test,         // kids[0] is text(arguments)
  negation,     // not kids[0]
  minus,        // -kids[0]
  plus,         // +kids[0]
  arithmetic,   // kids[0] operation kids[1]
  concat,       // kids joined by ~
  compare,      // kids[0] comparisons[0] kids[1] comparisons[1] kids[2]…
  conjunction,  // kids[0] and kids[1]
  disjunction,  // kids[0] or kids[1]
  conditional,  // kids[0] if kids[1] else kids[2] (null: undefined)
  member,       // a target: symbol `index`, attribute `text`, of a namespace
};

enum class Comparison : uint8_t { eq, ne, lt, lteq, gt, gteq, in, not_in };

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct NamedExpr {
  std::string name;
  ExprPtr value;
};

/// f(positional…, named…, *star, **star_star)
struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<NamedExpr> named;
  ExprPtr star, star_star;
};

struct Expr {
  ExprKind kind;
  Arithmetic operation = Arithmetic::add;
  uint32_t line = 0;
  uint32_t depth = 1;
  uint32_t index = 0;
  std::string text;
  std::vector<ExprPtr> kids;
  std::vector<Comparison> comparisons;
  std::unique_ptr<CallArguments> arguments;
  const void* resolved = nullptr;  ///< the FilterRow or TestRow of `text`, null where there is none
};

enum class StmtKind : uint8_t {
  data,          // text
  print,         // value
  branch,        // value, body, otherwise (elif: a nested branch)
  loop,          // target, value, condition (the filter, may be null), body, otherwise, flag: recursive
  assign,        // target = value
  assign_block,  // target = the text of body, through value (a filter chain, may be null)
  macro,         // signature, body; index: the symbol of its name
  call_block,    // value: a call; signature and body: its caller
  filter_block,  // value: a filter chain over the text of body
  with,          // targets = values, body
  scope,         // body with a scope of its own; flag: a block that only sees the top level
  generation,    // body, as text of a call block
  leave,         // break
  next,          // continue
  refuse,        // include, import, extends: text says why
};

struct Stmt;
using StmtPtr = std::unique_ptr<Stmt>;

/// The parameters of a macro or of a call block.
struct Signature {
  std::string name;                  ///< empty for a call block
  std::vector<uint32_t> parameters;  ///< symbols
  std::vector<std::string> names;
  std::vector<ExprPtr> defaults;                                        ///< of the last parameters
  bool uses_caller = false, uses_kwargs = false, uses_varargs = false;  ///< and does not declare them
};

struct Stmt {
  StmtKind kind;
  bool flag = false;
  uint32_t line = 0;
  uint32_t index = 0;
  std::string text;
  ExprPtr target, value, condition;
  std::vector<ExprPtr> targets, values;
  std::vector<StmtPtr> body, otherwise;
  std::unique_ptr<Signature> signature;
};

/// A literal; a Value of it is made per render, because values are not shared between threads.
struct Constant {
  Type type = Type::none;
  std::string text;
  int64_t integer = 0;
  double real = 0;
};

struct Program {
  std::vector<StmtPtr> body;
  std::vector<std::string> symbols;
  std::vector<Constant> constants;
  uint32_t caller = 0, kwargs = 0, varargs = 0, loop = 0;  ///< symbols of the special names
};

}  // namespace ingle::jinja
