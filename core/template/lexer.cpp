// Jinja's lexer. The rules (which whitespace a tag eats, when braces close a tag) follow jinja2.lexer exactly.
#include "core/template/lexer.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "core/template/unicode.h"
#include "core/template/value.h"

namespace ingle::jinja {
namespace {

constexpr size_t kMaxTokens = 1'000'000;

bool is_digit_byte(char c) {
  return c >= '0' && c <= '9';
}

// \r\n and \r become \n; one newline at the end goes.
std::string normalize(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalize(source)), text_(source_) {}

  std::vector<TokenText> run() {
    while (at_ < text_.size()) root();
    push(Token::end);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void error(const std::string& message) const {
    throw Failure{base::ErrorCode::invalid_argument, message, line_};
  }

  TokenText& push(Token type) {
    if (tokens_.size() >= kMaxTokens) throw Failure{base::ErrorCode::limit_exceeded, "the template is too long", line_};
    tokens_.push_back({type, line_, {}, 0, 0});
    return tokens_.back();
  }

  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  void advance(size_t count) {
    for (size_t i = 0; i < count; ++i) line_ += text_[at_ + i] == '\n';
    at_ += count;
  }
  void skip_spaces() { advance(text_.size() - at_ - strip_left(text_.substr(at_)).size()); }

  // --- text between tags ---------------------------------------------------------------------------------------------
  size_t next_tag(size_t from) const {
    for (size_t i = text_.find('{', from); i + 1 < text_.size() && i != text_.npos; i = text_.find('{', i + 1)) {
      const char c = text_[i + 1];
      if (c == '{' || c == '%' || c == '#') return i;
    }
    return text_.npos;
  }

  // What of the text before a tag stays: '-' eats all whitespace, lstrip_blocks the tag's own indentation.
  std::string_view kept(std::string_view data, char mark, bool variable) const {
    if (mark == '-') return strip_right(data);
    if (mark == '+' || variable) return data;
    const size_t line_start = data.rfind('\n') + 1;  // npos + 1 is 0
    if (line_start == 0 && !line_starting_) return data;
    const std::string_view indentation = data.substr(line_start);
    return strip_left(indentation).empty() ? data.substr(0, line_start) : data;
  }

  void emit_data(std::string_view data) {
    if (!data.empty()) push(Token::data).text = data;
  }

  char mark_at(size_t at) const { return at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : 0; }

  void root() {
    const size_t tag = next_tag(at_);
    if (tag == text_.npos) {
      emit_data(text_.substr(at_));
      advance(text_.size() - at_);
      return;
    }
    const char kind = text_[tag + 1];
    const char mark = mark_at(tag + 2);
    emit_data(kept(text_.substr(at_, tag - at_), mark, kind == '{'));
    advance(tag - at_);
    const size_t raw_end = kind == '%' ? raw_tag_end(tag + 2 + (mark != 0)) : 0;
    if (raw_end != 0) {
      advance(raw_end - at_);
      line_starting_ = text_[at_ - 1] == '\n';
      return raw();
    }
    advance(2 + (mark != 0));
    line_starting_ = false;
    if (kind == '#') return comment();
    push(kind == '{' ? Token::variable_begin : Token::block_begin);
    tag_tokens(kind == '{');
  }

  // "{% raw %}": the end of its tag if `at` (after the mark) holds one, else 0.
  size_t raw_tag_end(size_t at) const {
    std::string_view rest = strip_left(text_.substr(at));
    if (!rest.starts_with("raw")) return 0;
    rest = strip_left(rest.substr(3));
    if (rest.starts_with("-%}"))
      rest = strip_left(rest.substr(3));
    else if (rest.starts_with("%}"))
      rest.remove_prefix(2);
    else
      return 0;
    return text_.size() - rest.size();
  }

  void raw() {
    for (size_t tag = text_.find("{%", at_); tag != text_.npos; tag = text_.find("{%", tag + 1)) {
      const char mark = mark_at(tag + 2);
      std::string_view rest = strip_left(text_.substr(tag + 2 + (mark != 0)));
      if (!rest.starts_with("endraw")) continue;
      rest = strip_left(rest.substr(6));
      const size_t close = rest.starts_with("+%}") || rest.starts_with("-%}") ? 3 : rest.starts_with("%}") ? 2 : 0;
      if (close == 0) continue;
      emit_data(kept(text_.substr(at_, tag - at_), mark, false));
      advance(text_.size() - rest.size() - at_);
      end_tag(close == 3 ? rest[0] : '\0', true);
      return;
    }
    if (at_ < text_.size()) error("Missing end of raw directive");
  }

  void comment() {
    const size_t end = text_.find("#}", at_);
    if (end == text_.npos) {
      if (at_ < text_.size()) error("Missing end of comment tag");
      return;
    }
    // "-#}" and "+#}": the mark is the byte before, unless it belongs to the opening mark.
    const char mark = end > at_ && (text_[end - 1] == '-' || text_[end - 1] == '+') ? text_[end - 1] : '\0';
    advance(end - at_ - (mark != 0));
    end_tag(mark, true);
  }

  // At the closing mark: consumes it, the two closing bytes, and what they eat.
  void end_tag(char mark, bool trims_newline) {
    advance((mark != 0) + 2);
    if (mark == '-')
      skip_spaces();
    else if (mark == 0 && trims_newline && at_ < text_.size() && text_[at_] == '\n')
      advance(1);
    line_starting_ = text_[at_ - 1] == '\n';
  }

  // --- inside a tag --------------------------------------------------------------------------------------------------
  bool close_tag(bool variable) {
    if (!open_.empty()) return false;
    const std::string_view close = variable ? "}}" : "%}";
    char mark = 0;
    if (starts("-") || (!variable && starts("+"))) mark = text_[at_];
    if (!text_.substr(at_ + (mark != 0)).starts_with(close)) return false;
    push(variable ? Token::variable_end : Token::block_end);
    end_tag(mark, !variable);
    return true;
  }

  void tag_tokens(bool variable) {
    while (at_ < text_.size()) {
      if (close_tag(variable)) return;
      const auto c = base::decode_utf8(text_.substr(at_));
      if (is_space(c.value))
        skip_spaces();
      else if (is_digit_byte(text_[at_]))
        number();
      else if (is_identifier_part(c.value))
        name();
      else if (text_[at_] == '"' || text_[at_] == '\'')
        string();
      else
        operation();
    }
  }

  void name() {
    size_t end = at_;
    while (end < text_.size()) {
      const auto c = base::decode_utf8(text_.substr(end));
      if (!is_identifier_part(c.value)) break;
      end += c.length;
    }
    const std::string_view text = text_.substr(at_, end - at_);
    if (!is_identifier_start(base::decode_utf8(text).value)) error("Invalid character in identifier");
    push(Token::name).text = text;
    advance(end - at_);
  }

  // Digits with single underscores between them, from `at`; returns the end.
  template <typename Digit>
  size_t digit_run(size_t at, Digit&& digit) const {
    if (at >= text_.size() || !digit(text_[at])) return at;
    for (;;) {
      while (at < text_.size() && digit(text_[at])) ++at;
      if (at + 1 < text_.size() && text_[at] == '_' && digit(text_[at + 1]))
        ++at;
      else
        return at;
    }
  }

  size_t real_end() const {
    if (at_ > 0 && text_[at_ - 1] == '.') return 0;
    size_t end = digit_run(at_, is_digit_byte);
    bool real = false;
    if (end + 1 < text_.size() && text_[end] == '.' && is_digit_byte(text_[end + 1])) {
      end = digit_run(end + 1, is_digit_byte);
      real = true;
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      const size_t sign = end + 1 < text_.size() && (text_[end + 1] == '+' || text_[end + 1] == '-') ? 1 : 0;
      const size_t exponent = digit_run(end + 1 + sign, is_digit_byte);
      if (exponent > end + 1 + sign) return exponent;
    }
    return real ? end : 0;
  }

  size_t integer_end(int& base) const {
    base = 10;
    const std::string_view rest = text_.substr(at_);
    if (rest.size() > 2 && rest[0] == '0') {
      const char c = static_cast<char>(rest[1] | 32);
      base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
      const auto digit = [base](char d) {
        const char l = static_cast<char>(d | 32);
        return is_digit_byte(d) ? d - '0' < base : base == 16 && l >= 'a' && l <= 'f';
      };
      const size_t start = at_ + 2 + (rest[2] == '_' ? 1 : 0);
      const size_t end = base == 10 ? 0 : digit_run(start, digit);
      if (end > start) return end;
      base = 10;
    }
    if (rest[0] == '0') return digit_run(at_, [](char d) { return d == '0'; });
    return digit_run(at_, is_digit_byte);
  }

  void number() {
    int base = 10;
    size_t end = real_end();
    const bool real = end != 0;
    if (!real) end = integer_end(base);
    std::string digits(text_.substr(at_, end - at_));
    std::erase(digits, '_');
    TokenText& token = push(real ? Token::real : Token::integer);
    if (real) {
      if (std::from_chars(digits.data(), digits.data() + digits.size(), token.real).ec ==
          std::errc::result_out_of_range)
        token.real = out_of_range(digits);
    } else {
      const char* first = digits.data() + (base == 10 ? 0 : 2);
      if (std::from_chars(first, digits.data() + digits.size(), token.integer, base).ec != std::errc())
        error("the number " + digits + " does not fit into 64 bits");
    }
    advance(end - at_);
  }

  // 1e999 is inf, 1e-999 is 0.
  static double out_of_range(const std::string& digits) {
    const size_t e = digits.find_first_of("eE");
    return e != digits.npos && digits[e + 1] == '-' ? 0.0 : __builtin_inf();
  }

  void operation() {
    struct Operator {
      std::string_view text;
      Token type;
    };
    static constexpr Operator kOperators[] = {
        {"//", Token::floordiv}, {"**", Token::pow},      {"==", Token::eq},    {"!=", Token::ne},
        {">=", Token::gteq},     {"<=", Token::lteq},     {"+", Token::add},    {"-", Token::sub},
        {"/", Token::div},       {"*", Token::mul},       {"%", Token::mod},    {"~", Token::tilde},
        {"[", Token::lbracket},  {"]", Token::rbracket},  {"(", Token::lparen}, {")", Token::rparen},
        {"{", Token::lbrace},    {"}", Token::rbrace},    {">", Token::gt},     {"<", Token::lt},
        {"=", Token::assign},    {".", Token::dot},       {":", Token::colon},  {"|", Token::pipe},
        {",", Token::comma},     {";", Token::semicolon},
    };
    for (const Operator& op : kOperators) {
      if (!starts(op.text)) continue;
      balance(op.text[0]);
      push(op.type);
      advance(op.text.size());
      return;
    }
    const size_t size = base::decode_utf8(text_.substr(at_)).length;
    error("unexpected char '" + std::string(text_.substr(at_, size)) + "'");
  }

  void balance(char c) {
    if (c == '(') open_ += ')';
    if (c == '[') open_ += ']';
    if (c == '{') open_ += '}';
    if (c != ')' && c != ']' && c != '}') return;
    if (open_.empty()) error("unexpected '" + std::string(1, c) + "'");
    if (open_.back() != c) error("unexpected '" + std::string(1, c) + "', expected '" + open_.back() + "'");
    open_.pop_back();
  }

  // --- string literals
  // -------------------------------------------------------------------------------------------------
  void string() {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != text_[at_]) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) error("unexpected char '" + std::string(1, text_[at_]) + "'");
    std::string value = unescape(text_.substr(at_ + 1, end - at_ - 1));
    push(Token::string).text = std::move(value);
    advance(end + 1 - at_);
  }

  uint32_t hex_digits(std::string_view body, size_t& i, size_t count) const {
    uint32_t c = 0;
    const char* first = body.data() + i;
    const auto size = std::min(count, body.size() - i);
    const auto [last, code] = std::from_chars(first, first + size, c, 16);
    if (size < count || last != first + count || code != std::errc()) error("truncated escape in a string");
    i += count;
    return c;
  }

  void append_point(std::string& out, uint32_t c) const {
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) error("a string holds a lone surrogate, which UTF-8 cannot carry");
    base::append_utf8(out, c);
  }

  // Python's unicode-escape codec.
  std::string unescape(std::string_view body) const {
    std::string out;
    for (size_t i = 0; i < body.size();) {
      if (body[i] != '\\') {
        out += body[i++];
        continue;
      }
      const char c = body[++i];
      static constexpr std::string_view kFrom = "\\'\"abfnrtv", kTo = "\\'\"\a\b\f\n\r\t\v";
      if (const size_t k = kFrom.find(c); k != kFrom.npos) {
        out += kTo[k];
        ++i;
      } else if (c == '\n') {
        ++i;
      } else if (c == 'x' || c == 'u' || c == 'U') {
        append_point(out, hex_digits(body, ++i, c == 'x' ? 2 : c == 'u' ? 4 : 8));
      } else if (c >= '0' && c <= '7') {
        uint32_t value = 0;
        for (int n = 0; n < 3 && i < body.size() && body[i] >= '0' && body[i] <= '7'; ++n)
          value = value * 8 + static_cast<uint32_t>(body[i++] - '0');
        append_point(out, value);
      } else if (c == 'N') {
        error("\\N{...} in a string is not supported");
      } else {
        out += '\\';  // unknown escapes stay
        const auto point = base::decode_utf8(body.substr(i));
        if (point.value >= 128)
          append_hex_escape_without_backslash(out, point.value);
        else
          out += c;
        i += point.length;
      }
    }
    return out;
  }

  static void append_hex_escape_without_backslash(std::string& out, uint32_t c) {
    std::string escape;
    append_hex_escape(escape, c);
    out += escape.substr(1);
  }

  std::string source_;
  std::string_view text_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  bool line_starting_ = true;
  std::string open_;  // the closing brackets that are due, innermost last
  std::vector<TokenText> tokens_;
};

}  // namespace

std::vector<TokenText> tokenize(std::string_view source) {
  return Lexer(source).run();
}

std::string describe(const TokenText& token) {
  static constexpr std::string_view kNames[] = {"template data / text",
                                                "begin of print statement",
                                                "end of print statement",
                                                "begin of statement block",
                                                "end of statement block",
                                                "name",
                                                "string",
                                                "integer",
                                                "float",
                                                "+",
                                                "-",
                                                "*",
                                                "/",
                                                "//",
                                                "%",
                                                "**",
                                                "~",
                                                "==",
                                                "!=",
                                                "<",
                                                "<=",
                                                ">",
                                                ">=",
                                                "=",
                                                ".",
                                                ":",
                                                "|",
                                                ",",
                                                ";",
                                                "(",
                                                ")",
                                                "[",
                                                "]",
                                                "{",
                                                "}",
                                                "end of template"};
  if (token.type == Token::name) return token.text;
  return std::string(kNames[static_cast<size_t>(token.type)]);
}

}  // namespace ingle::jinja
