// Statements and the whole template.
#include <algorithm>
#include <utility>

#include "core/template/parser.h"
#include "core/template/parser_state.h"

namespace ingle::jinja {

constexpr size_t kMaxStatements = 200'000;

StmtPtr StatementParser::statement(StmtKind kind, uint32_t line) {
  nodes_ += 2;
  if (nodes_ > 2 * kMaxStatements) throw Failure{base::ErrorCode::limit_exceeded, "the template is too large", line};
  auto out = std::make_unique<Stmt>();
  out->kind = kind;
  out->line = line;
  return out;
}

Program StatementParser::run() {
  program_.caller = symbol("caller");
  program_.kwargs = symbol("kwargs");
  program_.varargs = symbol("varargs");
  program_.loop = symbol("loop");
  program_.body = parse_body({});
  if (!unknown_.empty()) throw unknown_.front();
  return std::move(program_);
}

void StatementParser::parse_print_tag(Body& body) {
  const uint32_t line = advance().line;
  StmtPtr out = statement(StmtKind::print, line);
  out->value = parse_tuple(true, "", false);
  expect(Token::variable_end, "end of print statement");
  body.push_back(std::move(out));
}

StatementParser::Body StatementParser::parse_body(std::initializer_list<std::string_view> ends) {
  const Nested nested(*this);
  ends_.push_back(ends);
  Body body;
  while (!is(Token::end)) {
    if (is(Token::data)) {
      StmtPtr out = statement(StmtKind::data, current().line);
      out->text = advance().text;
      body.push_back(std::move(out));
    } else if (is(Token::variable_begin)) {
      parse_print_tag(body);
    } else {
      expect(Token::block_begin, "begin of statement block");
      const bool ended = is(Token::name) && std::find(ends.begin(), ends.end(), current().text) != ends.end();
      if (ended) break;
      parse_statement(body);
      expect(Token::block_end, "end of statement block");
    }
  }
  ends_.pop_back();
  return body;
}

StatementParser::Body StatementParser::parse_block(std::initializer_list<std::string_view> ends) {
  skip_if(Token::colon);
  expect(Token::block_end, "end of statement block");
  Body body = parse_body(ends);
  if (!is(Token::end)) return body;
  std::string wanted;
  for (const auto end : ends) wanted += (wanted.empty() ? "'" : " or '") + std::string(end) + "'";
  error("Unexpected end of template. Jinja was looking for the following tags: " + wanted + ".");
}

void StatementParser::unknown_tag(const TokenText& token) {
  std::string message = "Encountered unknown tag '" + token.text + "'.";
  if (!ends_.empty() && !ends_.back().empty()) {
    std::string wanted;
    for (const auto end : ends_.back()) wanted += (wanted.empty() ? "'" : " or '") + std::string(end) + "'";
    message += " Jinja was looking for the following tags: " + wanted + ".";
  }
  error(message, token.line);
}

void StatementParser::parse_statement(Body& body) {
  if (!is(Token::name)) error("tag name expected");
  const std::string& tag = current().text;
  if (tag == "print") return parse_print_statement(body);
  struct Tag {
    std::string_view name;
    StmtPtr (StatementParser::*parse)();
  };
  static constexpr Tag kTags[] = {
      {"if", &StatementParser::parse_if},
      {"for", &StatementParser::parse_for},
      {"set", &StatementParser::parse_set},
      {"macro", &StatementParser::parse_macro},
      {"call", &StatementParser::parse_call_block},
      {"filter", &StatementParser::parse_filter_block},
      {"with", &StatementParser::parse_with},
      {"generation", &StatementParser::parse_generation},
      {"block", &StatementParser::parse_scoped_block},
      {"autoescape", &StatementParser::parse_autoescape},
      {"break", &StatementParser::parse_loop_control},
      {"continue", &StatementParser::parse_loop_control},
      {"include", &StatementParser::parse_refused},
      {"import", &StatementParser::parse_refused},
      {"from", &StatementParser::parse_refused},
      {"extends", &StatementParser::parse_refused},
  };
  for (const Tag& known : kTags)
    if (known.name == tag) return body.push_back((this->*known.parse)());
  unknown_tag(current());
}

void StatementParser::parse_print_statement(Body& body) {
  const uint32_t line = advance().line;
  for (bool first = true; !is(Token::block_end); first = false) {
    if (!first) expect(Token::comma, ",");
    StmtPtr out = statement(StmtKind::print, line);
    out->value = parse_expression();
    body.push_back(std::move(out));
  }
}

StmtPtr StatementParser::parse_if() {
  const Nested nested(*this);
  ++soft_;
  StmtPtr out = statement(StmtKind::branch, advance().line);
  Stmt* last = out.get();
  for (int branches = 1;; ++branches) {
    if (branches > 1000) throw Failure{base::ErrorCode::limit_exceeded, "an if has too many branches", last->line};
    last->value = parse_tuple(false, "", false);
    last->body = parse_block({"elif", "else", "endif"});
    const std::string end = advance().text;
    if (end == "elif") {
      last->otherwise.push_back(statement(StmtKind::branch, current().line));
      last = last->otherwise.back().get();
      continue;
    }
    if (end == "else") {
      last->otherwise = parse_block({"endif"});
      advance();
    }
    break;
  }
  --soft_;
  return out;
}

StmtPtr StatementParser::parse_for() {
  StmtPtr out = statement(StmtKind::loop, advance().line);
  const uint32_t soft = std::exchange(soft_, 0u);
  ++all_loops_;
  out->target = parse_target("in", false);
  expect_name("in");
  soft_ = soft;
  out->value = parse_tuple(false, "recursive", false);
  soft_ = 0;
  if (skip_name("if")) out->condition = parse_expression();
  out->flag = skip_name("recursive");
  ++loops_;
  out->body = parse_block({"endfor", "else"});
  --loops_;
  if (advance().text == "else") {
    out->otherwise = parse_block({"endfor"});
    advance();
  }
  --all_loops_;
  soft_ = soft;
  return out;
}

StmtPtr StatementParser::parse_set() {
  StmtPtr out = statement(StmtKind::assign, advance().line);
  out->target = parse_target("", true);
  if (skip_if(Token::assign)) {
    out->value = parse_tuple(true, "", false);
    return out;
  }
  out->kind = StmtKind::assign_block;
  const uint32_t soft = std::exchange(soft_, 0u);
  if (is(Token::pipe)) out->value = parse_filters(nullptr, false);
  out->body = parse_block({"endset"});
  advance();
  soft_ = soft;
  return out;
}

std::unique_ptr<Signature> StatementParser::parse_signature() {
  auto out = std::make_unique<Signature>();
  expect(Token::lparen, "(");
  while (!is(Token::rparen)) {
    if (!out->names.empty()) expect(Token::comma, ",");
    const std::string name = expect(Token::name, "name").text;
    note_store(name);
    if (std::find(out->names.begin(), out->names.end(), name) != out->names.end())
      error("the parameter '" + name + "' occurs twice");
    if (skip_if(Token::assign))
      out->defaults.push_back(parse_expression());
    else if (!out->defaults.empty())
      error("non-default argument follows default argument");
    out->names.push_back(name);
    out->parameters.push_back(symbol(name));
  }
  advance();
  return out;
}

// The body of a macro or call block: a function of its own, out of reach of the loops around it.
void StatementParser::parse_function_body(Stmt& stmt, std::string_view end) {
  const uint32_t soft = std::exchange(soft_, 0u), loops = std::exchange(loops_, 0u);
  macros_.push_back({});
  stmt.body = parse_block({end});
  advance();
  const MacroUse use = macros_.back();
  macros_.pop_back();
  soft_ = soft;
  loops_ = loops;
  Signature& signature = *stmt.signature;
  const auto declared = [&](std::string_view name) {
    return std::find(signature.names.begin(), signature.names.end(), name) != signature.names.end();
  };
  const auto at = std::find(signature.names.begin(), signature.names.end(), "caller");
  const bool has_default = signature.names.end() - at <= static_cast<ptrdiff_t>(signature.defaults.size());
  if (use.caller && at != signature.names.end() && !has_default)
    error("When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.");
  signature.uses_caller = use.caller && !declared("caller");
  signature.uses_kwargs = use.kwargs && !declared("kwargs");
  signature.uses_varargs = use.varargs && !declared("varargs");
}

StmtPtr StatementParser::parse_macro() {
  StmtPtr out = statement(StmtKind::macro, advance().line);
  const std::string name = expect(Token::name, "name").text;
  note_store(name);
  out->index = symbol(name);
  const uint32_t soft = std::exchange(soft_, 0u);
  out->signature = parse_signature();
  soft_ = soft;
  out->signature->name = name;
  parse_function_body(*out, "endmacro");
  return out;
}

StmtPtr StatementParser::parse_call_block() {
  StmtPtr out = statement(StmtKind::call_block, advance().line);
  out->signature = is(Token::lparen) ? parse_signature() : std::make_unique<Signature>();
  out->value = parse_expression();
  if (out->value->kind != ExprKind::call) error("expected call", out->line);
  parse_function_body(*out, "endcall");
  return out;
}

StmtPtr StatementParser::parse_generation() {
  StmtPtr out = statement(StmtKind::generation, advance().line);
  out->signature = std::make_unique<Signature>();
  parse_function_body(*out, "endgeneration");
  return out;
}

StmtPtr StatementParser::parse_filter_block() {
  StmtPtr out = statement(StmtKind::filter_block, advance().line);
  const uint32_t soft = std::exchange(soft_, 0u);
  out->value = parse_filters(nullptr, true);
  out->body = parse_block({"endfilter"});
  advance();
  soft_ = soft;
  return out;
}

StmtPtr StatementParser::parse_with() {
  StmtPtr out = statement(StmtKind::with, advance().line);
  while (!is(Token::block_end)) {
    if (!out->targets.empty()) expect(Token::comma, ",");
    out->targets.push_back(parse_target("", false));
    expect(Token::assign, "=");
    out->values.push_back(parse_expression());
  }
  const uint32_t soft = std::exchange(soft_, 0u);
  out->body = parse_block({"endwith"});
  advance();
  soft_ = soft;
  return out;
}

// Without inheritance a block is its body, in a scope that sees the top level (or, scoped, where it stands).
StmtPtr StatementParser::parse_scoped_block() {
  StmtPtr out = statement(StmtKind::scope, advance().line);
  const std::string name = expect(Token::name, "name").text;
  if (!blocks_.insert(name).second) error("block '" + name + "' defined twice");
  out->flag = !skip_name("scoped");
  if (skip_name("required")) error("required blocks need inheritance, which is not supported");
  const uint32_t soft = std::exchange(soft_, 0u), loops = std::exchange(loops_, 0u);
  out->body = parse_block({"endblock"});
  advance();
  soft_ = soft;
  loops_ = loops;
  skip_name(name);
  return out;
}

StmtPtr StatementParser::parse_autoescape() {
  StmtPtr out = statement(StmtKind::scope, advance().line);
  if (!is_name("false") && !is_name("False")) error("autoescape is not supported: prompts are not HTML");
  advance();
  const uint32_t soft = std::exchange(soft_, 0u);
  out->body = parse_block({"endautoescape"});
  advance();
  soft_ = soft;
  return out;
}

StmtPtr StatementParser::parse_loop_control() {
  const TokenText& token = advance();
  if (loops_ == 0) error("'" + token.text + "' outside loop", token.line);
  return statement(token.text == "break" ? StmtKind::leave : StmtKind::next, token.line);
}

// Templates have no other files to reach. Jinja notices when it gets there, and so do we.
StmtPtr StatementParser::parse_refused() {
  const TokenText& token = advance();
  StmtPtr out = statement(StmtKind::refuse, token.line);
  out->text = "'" + token.text + "' is not supported: a chat template cannot reach other templates";
  while (!is(Token::block_end) && !is(Token::end)) advance();
  return out;
}

Program parse_program(std::string_view source, uint32_t max_depth) {
  return StatementParser(tokenize(source), max_depth).run();
}

}  // namespace ingle::jinja
