// Expressions: recursive descent that mirrors jinja2.parser, so that precedence and odd corners agree.
#include "core/template/filters.h"
#include "core/template/parser_state.h"

namespace ingle::jinja {

constexpr size_t kMaxNodes = 500'000;

bool ParserState::skip_if(Token type) {
  if (!is(type)) return false;
  advance();
  return true;
}

bool ParserState::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  advance();
  return true;
}

const TokenText& ParserState::expect(Token type, std::string_view what) {
  if (is(type)) return advance();
  if (is(Token::end)) error("unexpected end of template, expected '" + std::string(what) + "'");
  error("expected '" + std::string(what) + "', got '" + describe(current()) + "'");
}

void ParserState::expect_name(std::string_view name) {
  if (!is_name(name)) expect(Token::end, name);
  advance();
}

void ParserState::error(const std::string& message, uint32_t line) const {
  throw Failure{base::ErrorCode::invalid_argument, message, line != 0 ? line : current().line};
}

ExprPtr ParserState::make(ExprKind kind, uint32_t line, std::vector<ExprPtr> kids) {
  if (++nodes_ > kMaxNodes) throw Failure{base::ErrorCode::limit_exceeded, "the template is too large", line};
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->line = line;
  node->kids = std::move(kids);
  for (const auto& kid : node->kids) adopt(*node, kid.get());
  return node;
}

void ParserState::adopt(Expr& parent, const Expr* child) {
  if (child == nullptr || child->depth < parent.depth) return;
  parent.depth = child->depth + 1;
  if (parent.depth > 4 * max_depth_)
    throw Failure{base::ErrorCode::limit_exceeded, "an expression is nested too deep", parent.line};
}

uint32_t ParserState::symbol(const std::string& name) {
  const auto [at, added] = symbols_.try_emplace(name, static_cast<uint32_t>(program_.symbols.size()));
  if (added) program_.symbols.push_back(name);
  return at->second;
}

uint32_t ParserState::constant(Constant value) {
  program_.constants.push_back(std::move(value));
  return static_cast<uint32_t>(program_.constants.size() - 1);
}

ParserState::Nested::Nested(ParserState& p) : parser(p) {
  if (++p.nesting_ <= p.max_depth_) return;
  --p.nesting_;
  throw Failure{base::ErrorCode::limit_exceeded, "the template is nested too deep", p.current().line};
}

void ParserState::note_load(const std::string& name) {
  for (MacroUse& use : macros_) {
    if (name == "caller" && !use.caller_stored) use.caller = true;
    if (name == "kwargs" && !use.kwargs_stored) use.kwargs = true;
    if (name == "varargs" && !use.varargs_stored) use.varargs = true;
  }
}

void ParserState::note_store(const std::string& name) {
  for (MacroUse& use : macros_) {
    use.caller_stored |= name == "caller";
    use.kwargs_stored |= name == "kwargs";
    use.varargs_stored |= name == "varargs";
  }
  if (name == "loop" && all_loops_ > 0) error("Can't assign to special loop variable in for-loop target");
}

ExprPtr ExpressionParser::parse_expression(bool with_conditional) {
  const Nested nested(*this);
  return with_conditional ? parse_conditional() : parse_or();
}

// Jinja reports an unknown filter or test when it compiles, except inside a conditional (and an if), where it counts
// only when reached. That this is a conditional shows after its first part, so what that part noted is dropped then.
ExprPtr ExpressionParser::parse_conditional() {
  const size_t known = unknown_.size();
  uint32_t line = current().line;
  ExprPtr node = parse_or();
  while (skip_name("if")) {
    std::vector<ExprPtr> kids;
    kids.push_back(std::move(node));
    kids.push_back(parse_or());
    kids.push_back(skip_name("else") ? parse_expression() : nullptr);
    node = make(ExprKind::conditional, line, std::move(kids));
    line = current().line;
    unknown_.resize(known);
  }
  return node;
}

void ParserState::note_unknown(uint32_t line, std::string_view kind, const std::string& name) {
  if (soft_ == 0)
    unknown_.push_back({base::ErrorCode::invalid_argument, "No " + std::string(kind) + " named '" + name + "'.", line});
}

namespace {

std::vector<ExprPtr> pair(ExprPtr a, ExprPtr b) {
  std::vector<ExprPtr> out;
  out.push_back(std::move(a));
  out.push_back(std::move(b));
  return out;
}

std::vector<ExprPtr> single(ExprPtr a) {
  std::vector<ExprPtr> out;
  out.push_back(std::move(a));
  return out;
}

}  // namespace

ExprPtr ExpressionParser::parse_or() {
  const uint32_t line = current().line;
  ExprPtr left = parse_and();
  while (skip_name("or")) left = make(ExprKind::disjunction, line, pair(std::move(left), parse_and()));
  return left;
}

ExprPtr ExpressionParser::parse_and() {
  const uint32_t line = current().line;
  ExprPtr left = parse_not();
  while (skip_name("and")) left = make(ExprKind::conjunction, line, pair(std::move(left), parse_not()));
  return left;
}

ExprPtr ExpressionParser::parse_not() {
  if (!is_name("not")) return parse_compare();
  const Nested nested(*this);
  const uint32_t line = advance().line;
  return make(ExprKind::negation, line, single(parse_not()));
}

bool ExpressionParser::next_comparison(Comparison& out) {
  switch (current().type) {
    case Token::eq:
      out = Comparison::eq;
      break;
    case Token::ne:
      out = Comparison::ne;
      break;
    case Token::lt:
      out = Comparison::lt;
      break;
    case Token::lteq:
      out = Comparison::lteq;
      break;
    case Token::gt:
      out = Comparison::gt;
      break;
    case Token::gteq:
      out = Comparison::gteq;
      break;
    case Token::name:
      if (is_name("in")) {
        out = Comparison::in;
        break;
      }
      if (!is_name("not") || look().type != Token::name || look().text != "in") return false;
      advance();
      out = Comparison::not_in;
      break;
    default:
      return false;
  }
  advance();
  return true;
}

ExprPtr ExpressionParser::parse_compare() {
  const uint32_t line = current().line;
  ExprPtr first = parse_sum();
  std::vector<Comparison> comparisons;
  std::vector<ExprPtr> kids = single(std::move(first));
  Comparison op{};
  while (next_comparison(op)) {
    comparisons.push_back(op);
    kids.push_back(parse_sum());
  }
  if (comparisons.empty()) return std::move(kids[0]);
  ExprPtr node = make(ExprKind::compare, line, std::move(kids));
  node->comparisons = std::move(comparisons);
  return node;
}

ExprPtr ExpressionParser::parse_sum() {
  const uint32_t line = current().line;
  ExprPtr left = parse_concat();
  while (is(Token::add) || is(Token::sub)) {
    const Arithmetic op = advance().type == Token::add ? Arithmetic::add : Arithmetic::subtract;
    left = make(ExprKind::arithmetic, line, pair(std::move(left), parse_concat()));
    left->operation = op;
  }
  return left;
}

ExprPtr ExpressionParser::parse_concat() {
  const uint32_t line = current().line;
  std::vector<ExprPtr> kids = single(parse_product());
  while (skip_if(Token::tilde)) kids.push_back(parse_product());
  if (kids.size() == 1) return std::move(kids[0]);
  return make(ExprKind::concat, line, std::move(kids));
}

ExprPtr ExpressionParser::parse_product() {
  const uint32_t line = current().line;
  ExprPtr left = parse_power();
  while (is(Token::mul) || is(Token::div) || is(Token::floordiv) || is(Token::mod)) {
    const Token type = advance().type;
    left = make(ExprKind::arithmetic, line, pair(std::move(left), parse_power()));
    left->operation = type == Token::mul        ? Arithmetic::multiply
                      : type == Token::div      ? Arithmetic::divide
                      : type == Token::floordiv ? Arithmetic::floor_divide
                                                : Arithmetic::modulo;
  }
  return left;
}

ExprPtr ExpressionParser::parse_power() {
  const uint32_t line = current().line;
  ExprPtr left = parse_unary(true);
  while (skip_if(Token::pow)) {
    left = make(ExprKind::arithmetic, line, pair(std::move(left), parse_unary(true)));
    left->operation = Arithmetic::power;
  }
  return left;
}

ExprPtr ExpressionParser::parse_unary(bool with_filter) {
  const uint32_t line = current().line;
  ExprPtr node;
  if (is(Token::sub) || is(Token::add)) {
    const Nested nested(*this);
    const ExprKind kind = advance().type == Token::sub ? ExprKind::minus : ExprKind::plus;
    node = make(kind, line, single(parse_unary(false)));
  } else {
    node = parse_primary();
  }
  node = parse_postfix(std::move(node));
  return with_filter ? parse_filter_expr(std::move(node)) : std::move(node);
}

ExprPtr ExpressionParser::literal(Constant value, uint32_t line) {
  ExprPtr node = make(ExprKind::constant, line);
  node->index = constant(std::move(value));
  return node;
}

ExprPtr ExpressionParser::parse_name() {
  const TokenText& token = advance();
  const std::string& name = token.text;
  if (name == "true" || name == "True") return literal({Type::boolean, "", 1, 0}, token.line);
  if (name == "false" || name == "False") return literal({Type::boolean, "", 0, 0}, token.line);
  if (name == "none" || name == "None") return literal({}, token.line);
  ExprPtr node = make(ExprKind::name, token.line);
  node->index = symbol(name);
  node->text = name;
  return node;
}

ExprPtr ExpressionParser::parse_primary() {
  const TokenText& token = current();
  switch (token.type) {
    case Token::name: {
      ExprPtr node = parse_name();
      if (node->kind == ExprKind::name) note_load(node->text);
      return node;
    }
    case Token::string: {
      std::string text;
      while (is(Token::string)) text += advance().text;
      return literal({Type::string, std::move(text), 0, 0}, token.line);
    }
    case Token::integer:
      advance();
      return literal({Type::integer, "", token.integer, 0}, token.line);
    case Token::real:
      advance();
      return literal({Type::real, "", 0, token.real}, token.line);
    case Token::lparen: {
      advance();
      ExprPtr node = parse_tuple(true, "", true);
      expect(Token::rparen, ")");
      return node;
    }
    case Token::lbracket:
      return parse_list();
    case Token::lbrace:
      return parse_dict();
    default:
      error("unexpected '" + describe(token) + "'");
  }
}

ExprPtr ExpressionParser::parse_tuple(bool with_conditional, std::string_view end_name, bool explicit_parentheses) {
  const uint32_t line = current().line;
  std::vector<ExprPtr> kids;
  bool is_tuple = false;
  for (;;) {
    if (!kids.empty()) expect(Token::comma, ",");
    if (is(Token::variable_end) || is(Token::block_end) || is(Token::rparen)) break;
    if (!end_name.empty() && is_name(end_name)) break;
    kids.push_back(parse_expression(with_conditional));
    if (!is(Token::comma)) break;
    is_tuple = true;
  }
  if (!is_tuple && !kids.empty()) return std::move(kids[0]);
  if (!is_tuple && !explicit_parentheses) error("Expected an expression, got '" + describe(current()) + "'");
  return make(ExprKind::tuple, line, std::move(kids));
}

ExprPtr ExpressionParser::parse_target_item(bool with_member) {
  if (!is(Token::name) && !is(Token::lparen)) error("can't assign to '" + describe(current()) + "'");
  if (is(Token::lparen)) {
    const Nested nested(*this);
    advance();
    ExprPtr node = parse_target("", with_member);
    expect(Token::rparen, ")");
    return node;
  }
  ExprPtr node = parse_name();
  if (node->kind != ExprKind::name) error("can't assign to a constant");
  if (with_member && skip_if(Token::dot)) {
    note_load(node->text);
    node->kind = ExprKind::member;
    node->text = expect(Token::name, "name").text;
    return node;
  }
  note_store(node->text);
  return node;
}

ExprPtr ExpressionParser::parse_target(std::string_view end_name, bool with_member) {
  const uint32_t line = current().line;
  std::vector<ExprPtr> kids;
  bool is_tuple = false;
  for (;;) {
    if (!kids.empty()) expect(Token::comma, ",");
    if (is(Token::variable_end) || is(Token::block_end) || is(Token::rparen)) break;
    if (!end_name.empty() && is_name(end_name)) break;
    kids.push_back(parse_target_item(with_member));
    if (!is(Token::comma)) break;
    is_tuple = true;
  }
  if (!is_tuple && !kids.empty()) return std::move(kids[0]);
  if (!is_tuple) error("Expected an expression, got '" + describe(current()) + "'");
  return make(ExprKind::tuple, line, std::move(kids));
}

ExprPtr ExpressionParser::parse_list() {
  const uint32_t line = advance().line;
  std::vector<ExprPtr> kids;
  while (!is(Token::rbracket)) {
    if (!kids.empty()) expect(Token::comma, ",");
    if (is(Token::rbracket)) break;
    kids.push_back(parse_expression());
  }
  advance();
  return make(ExprKind::list, line, std::move(kids));
}

ExprPtr ExpressionParser::parse_dict() {
  const uint32_t line = advance().line;
  std::vector<ExprPtr> kids;
  while (!is(Token::rbrace)) {
    if (!kids.empty()) expect(Token::comma, ",");
    if (is(Token::rbrace)) break;
    kids.push_back(parse_expression());
    expect(Token::colon, ":");
    kids.push_back(parse_expression());
  }
  advance();
  return make(ExprKind::dict, line, std::move(kids));
}

ExprPtr ExpressionParser::parse_postfix(ExprPtr node) {
  for (;;) {
    if (is(Token::dot) || is(Token::lbracket))
      node = parse_subscript(std::move(node));
    else if (is(Token::lparen))
      node = parse_call(std::move(node));
    else
      return node;
  }
}

ExprPtr ExpressionParser::parse_filter_expr(ExprPtr node) {
  for (;;) {
    if (is(Token::pipe))
      node = parse_filters(std::move(node), false);
    else if (is_name("is"))
      node = parse_test(std::move(node));
    else if (is(Token::lparen))
      node = parse_call(std::move(node));
    else
      return node;
  }
}

ExprPtr ExpressionParser::parse_subscript(ExprPtr node) {
  const TokenText& token = advance();
  if (token.type == Token::lbracket) return parse_bracket(std::move(node), token.line);
  const TokenText& name = advance();
  if (name.type == Token::name) {
    node = make(ExprKind::attribute, token.line, single(std::move(node)));
    node->text = name.text;
    return node;
  }
  if (name.type != Token::integer) error("expected name or number", name.line);
  ExprPtr index = literal({Type::integer, "", name.integer, 0}, name.line);
  return make(ExprKind::item, token.line, pair(std::move(node), std::move(index)));
}

ExprPtr ExpressionParser::parse_bracket(ExprPtr node, uint32_t line) {
  std::vector<ExprPtr> kids;
  if (!is(Token::colon)) {
    if (is(Token::rbracket)) {
      advance();
      return make(ExprKind::item, line, pair(std::move(node), make(ExprKind::tuple, line)));
    }
    kids.push_back(parse_expression());
    if (is(Token::comma)) {
      while (skip_if(Token::comma)) {
        kids.push_back(parse_expression());
        if (is(Token::colon)) error("a slice within a tuple is not supported");
      }
      expect(Token::rbracket, "]");
      return make(ExprKind::item, line, pair(std::move(node), make(ExprKind::tuple, line, std::move(kids))));
    }
    if (skip_if(Token::rbracket)) return make(ExprKind::item, line, pair(std::move(node), std::move(kids[0])));
  } else {
    kids.push_back(nullptr);
  }
  expect(Token::colon, ":");
  const auto ends = [&] { return is(Token::rbracket) || is(Token::comma); };
  kids.push_back(is(Token::colon) || ends() ? nullptr : parse_expression());
  kids.push_back(!skip_if(Token::colon) || ends() ? nullptr : parse_expression());
  if (is(Token::comma)) error("a slice within a tuple is not supported");
  expect(Token::rbracket, "]");
  kids.insert(kids.begin(), std::move(node));
  return make(ExprKind::slice, line, std::move(kids));
}

void ExpressionParser::parse_argument(CallArguments& out, uint32_t line) {
  const auto ensure = [&](bool ok) {
    if (!ok) error("invalid syntax for function call expression", line);
  };
  if (is(Token::mul)) {
    ensure(!out.star && !out.star_star);
    advance();
    out.star = parse_expression();
  } else if (is(Token::pow)) {
    ensure(!out.star_star);
    advance();
    out.star_star = parse_expression();
  } else if (is(Token::name) && look().type == Token::assign) {
    ensure(!out.star_star);
    std::string name = advance().text;
    advance();
    for (const auto& other : out.named)
      if (other.name == name) error("keyword argument repeated: " + name, line);
    out.named.push_back({std::move(name), parse_expression()});
  } else {
    ensure(!out.star && !out.star_star && out.named.empty());
    out.positional.push_back(parse_expression());
  }
}

std::unique_ptr<CallArguments> ExpressionParser::parse_arguments() {
  const uint32_t line = expect(Token::lparen, "(").line;
  auto out = std::make_unique<CallArguments>();
  bool require_comma = false;
  while (!is(Token::rparen)) {
    if (require_comma) {
      expect(Token::comma, ",");
      if (is(Token::rparen)) break;
    }
    parse_argument(*out, line);
    require_comma = true;
  }
  expect(Token::rparen, ")");
  return out;
}

void ExpressionParser::adopt_arguments(Expr& node) {
  const CallArguments& args = *node.arguments;
  for (const auto& kid : args.positional) adopt(node, kid.get());
  for (const auto& kid : args.named) adopt(node, kid.value.get());
  adopt(node, args.star.get());
  adopt(node, args.star_star.get());
}

ExprPtr ExpressionParser::parse_call(ExprPtr node) {
  const uint32_t line = current().line;
  auto args = parse_arguments();
  node = make(ExprKind::call, line, single(std::move(node)));
  node->arguments = std::move(args);
  adopt_arguments(*node);
  return node;
}

std::string ExpressionParser::dotted_name() {
  std::string name = expect(Token::name, "name").text;
  while (skip_if(Token::dot)) name += "." + expect(Token::name, "name").text;
  return name;
}

ExprPtr ExpressionParser::parse_filters(ExprPtr node, bool start_inline) {
  while (start_inline || is(Token::pipe)) {
    if (!start_inline) advance();
    start_inline = false;
    const uint32_t line = current().line;
    const std::string name = dotted_name();
    auto args = is(Token::lparen) ? parse_arguments() : std::make_unique<CallArguments>();
    node = make(ExprKind::filter, line, single(std::move(node)));
    node->text = name;
    node->arguments = std::move(args);
    node->resolved = find_filter(name);
    if (node->resolved == nullptr) note_unknown(line, "filter", name);
    adopt_arguments(*node);
  }
  return node;
}

ExprPtr ExpressionParser::parse_test(ExprPtr node) {
  const uint32_t line = advance().line;
  const bool negated = skip_name("not");
  const std::string name = dotted_name();
  std::unique_ptr<CallArguments> args = std::make_unique<CallArguments>();
  const Token type = current().type;
  const bool starts_argument = type == Token::name || type == Token::string || type == Token::integer ||
                               type == Token::real || type == Token::lbracket || type == Token::lbrace;
  if (type == Token::lparen) {
    args = parse_arguments();
  } else if (starts_argument && !is_name("else") && !is_name("or") && !is_name("and")) {
    if (is_name("is")) error("You cannot chain multiple tests with is");
    args->positional.push_back(parse_postfix(parse_primary()));
  }
  node = make(ExprKind::test, line, single(std::move(node)));
  node->text = name;
  node->arguments = std::move(args);
  node->resolved = find_test(name);
  if (node->resolved == nullptr) note_unknown(line, "test", name);
  adopt_arguments(*node);
  if (negated) node = make(ExprKind::negation, line, single(std::move(node)));
  return node;
}

}  // namespace ingle::jinja
