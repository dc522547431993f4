// Jinja's lexer under trim_blocks and lstrip_blocks: text, tags and the tokens inside them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingle::jinja {

enum class Token : uint8_t {
  data,            // text between tags
  variable_begin,  // {{
  variable_end,    // }}
  block_begin,     // {%
  block_end,       // %}
  name,
  string,
  integer,
  real,
  add,
  sub,
  mul,
  div,
  floordiv,
  mod,
  pow,
  tilde,
  eq,
  ne,
  lt,
  lteq,
  gt,
  gteq,
  assign,
  dot,
  colon,
  pipe,
  comma,
  semicolon,
  lparen,
  rparen,
  lbracket,
  rbracket,
  lbrace,
  rbrace,
  end,
};

struct TokenText {
  Token type = Token::end;
  uint32_t line = 1;
  std::string text;  ///< data, name, the unescaped string
  int64_t integer = 0;
  double real = 0;
};

/// Fails (Failure) with a line number on anything Jinja's lexer refuses. `source` must be valid UTF-8.
std::vector<TokenText> tokenize(std::string_view source);

/// How errors name a token.
std::string describe(const TokenText& token);

}  // namespace ingle::jinja
