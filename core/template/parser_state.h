// What the two halves of the parser (expressions, statements) share: the token stream, symbols, and scopes.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/template/ast.h"
#include "core/template/lexer.h"
#include "core/template/value.h"

namespace ingle::jinja {

class ParserState {
 public:
  ParserState(std::vector<TokenText> tokens, uint32_t max_depth) : tokens_(std::move(tokens)), max_depth_(max_depth) {}

 protected:
  // --- tokens
  // ----------------------------------------------------------------------------------------------------------
  const TokenText& current() const { return tokens_[at_]; }
  const TokenText& look() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  const TokenText& advance() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is(Token type) const { return current().type == type; }
  bool is_name(std::string_view name) const { return is(Token::name) && current().text == name; }
  bool skip_if(Token type);
  bool skip_name(std::string_view name);
  const TokenText& expect(Token type, std::string_view what);
  void expect_name(std::string_view name);
  [[noreturn]] void error(const std::string& message, uint32_t line = 0) const;

  // --- nodes
  // -----------------------------------------------------------------------------------------------------------
  ExprPtr make(ExprKind kind, uint32_t line, std::vector<ExprPtr> kids = {});
  /// Updates depth from a child that was attached later, and checks it.
  void adopt(Expr& parent, const Expr* child);
  uint32_t symbol(const std::string& name);
  uint32_t constant(Constant value);

  /// Counts the nesting of the recursive descent itself.
  struct Nested {
    explicit Nested(ParserState& p);
    ~Nested() { --parser.nesting_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    ParserState& parser;
  };

  // --- names that Jinja treats specially
  // ---------------------------------------------------------------------------------
  void note_load(const std::string& name);
  void note_store(const std::string& name);

  void note_unknown(uint32_t line, std::string_view kind, const std::string& name);

  /// Which of caller, kwargs, varargs a macro's body loads before storing them.
  struct MacroUse {
    bool caller = false, kwargs = false, varargs = false;
    bool caller_stored = false, kwargs_stored = false, varargs_stored = false;
  };
  std::vector<MacroUse> macros_;

  std::vector<TokenText> tokens_;
  size_t at_ = 0;
  uint32_t max_depth_;
  uint32_t nesting_ = 0;
  uint32_t loops_ = 0;      // for loops around, within the current function
  uint32_t all_loops_ = 0;  // for loops around, whatever the function
  uint32_t soft_ = 0;       // >0: inside an if, where unknown filters are an error only when reached
  size_t nodes_ = 0;
  std::vector<Failure> unknown_;  // filters and tests that do not exist, where that is an error at once
  Program program_;
  std::unordered_map<std::string, uint32_t> symbols_;
};

/// Expressions, by jinja2's grammar: conditional > or > and > not > comparison > + - > ~ > * / // % > ** > unary >
/// postfix.
class ExpressionParser : public ParserState {
 public:
  using ParserState::ParserState;

 protected:
  ExprPtr parse_expression(bool with_conditional = true);
  /// One expression, or a tuple of several. `end_name` ("in", "recursive") also ends it.
  ExprPtr parse_tuple(bool with_conditional, std::string_view end_name, bool explicit_parentheses);
  /// The target of set or for: names, tuples of them, and (set only) members of namespaces.
  ExprPtr parse_target(std::string_view end_name, bool with_member);
  /// A chain of filters; `node` null for the text of a block.
  ExprPtr parse_filters(ExprPtr node, bool start_inline);

 private:
  ExprPtr parse_conditional();
  ExprPtr parse_or();
  ExprPtr parse_and();
  ExprPtr parse_not();
  ExprPtr parse_compare();
  ExprPtr parse_sum();
  ExprPtr parse_concat();
  ExprPtr parse_product();
  ExprPtr parse_power();
  ExprPtr parse_unary(bool with_filter);
  ExprPtr parse_primary();
  ExprPtr parse_name();
  ExprPtr parse_list();
  ExprPtr parse_dict();
  ExprPtr parse_postfix(ExprPtr node);
  ExprPtr parse_filter_expr(ExprPtr node);
  ExprPtr parse_subscript(ExprPtr node);
  ExprPtr parse_bracket(ExprPtr node, uint32_t line);
  ExprPtr parse_call(ExprPtr node);
  ExprPtr parse_test(ExprPtr node);
  std::unique_ptr<CallArguments> parse_arguments();
  void parse_argument(CallArguments& out, uint32_t line);
  void adopt_arguments(Expr& node);
  std::string dotted_name();
  ExprPtr parse_target_item(bool with_member);
  bool next_comparison(Comparison& out);
  ExprPtr literal(Constant value, uint32_t line);
};

class StatementParser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;
  Program run();

 private:
  using Body = std::vector<StmtPtr>;
  Body parse_body(std::initializer_list<std::string_view> ends);
  /// After the tag's own expressions: its %}, then the statements up to one of `ends`, whose name becomes current.
  Body parse_block(std::initializer_list<std::string_view> ends);
  void parse_print_tag(Body& body);
  void parse_statement(Body& body);
  StmtPtr parse_if();
  StmtPtr parse_for();
  StmtPtr parse_set();
  StmtPtr parse_macro();
  StmtPtr parse_call_block();
  StmtPtr parse_filter_block();
  StmtPtr parse_with();
  StmtPtr parse_generation();
  StmtPtr parse_scoped_block();
  StmtPtr parse_autoescape();
  StmtPtr parse_loop_control();
  StmtPtr parse_refused();
  void parse_print_statement(Body& body);
  std::unique_ptr<Signature> parse_signature();
  void parse_function_body(Stmt& stmt, std::string_view end);
  StmtPtr statement(StmtKind kind, uint32_t line);
  [[noreturn]] void unknown_tag(const TokenText& token);

  std::vector<std::vector<std::string_view>> ends_;
  std::set<std::string> blocks_;
};

}  // namespace ingle::jinja
