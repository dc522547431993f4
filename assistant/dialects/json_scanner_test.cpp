// The scanner against the JSON library: both must take the same texts.
#include "assistant/dialects/json_scanner.h"

#include <gtest/gtest.h>

#include <random>

#include "assistant/dialects/literals.h"
#include "base/json.h"

namespace ingle::assistant {
namespace {

/// Whether all of `text` is one value; what was written of it goes to `out`.
bool scans(std::string_view text, std::string& out) {
  JsonScanner scanner;
  for (size_t i = 0; i < text.size(); ++i) {
    const Take taken = scanner.take(text[i], out);
    if (taken == Take::fail || taken == Take::unread) return false;
    if (taken == Take::done) return i + 1 == text.size();
  }
  // Only a number has no last byte of its own.
  std::string ignored;
  return scanner.take(' ', ignored) == Take::unread;
}

bool agrees(std::string_view text) {
  std::string out;
  const bool taken = scans(text, out);
  return taken == base::parse_json(text).ok() && (!taken || out == text);
}

constexpr std::string_view samples[] = {"{}",
                                        "[]",
                                        "[[],{}]",
                                        "{\"a\":1}",
                                        "{\"a\" : [1, 2.5e-3, -0, 0.1, 1E+9]}",
                                        "\"\"",
                                        "\"\\u00e9\\ud83e\\udd9c\\n\\\\\\\"\"",
                                        "true",
                                        "false",
                                        "null",
                                        "12",
                                        "-1.5",
                                        "[true,false,null]",
                                        "{\"\":{\"\":[]}}"};

TEST(JsonScanner, TakesWhatTheLibraryTakes) {
  for (const std::string_view text : samples) EXPECT_TRUE(agrees(text)) << text;
  for (const std::string_view text : {"{",           "[1,]",        "{\"a\":1,}", "{a:1}",       "{'a':1}",
                                      "[1 2]",       "01",          "-",          "1.",          ".5",
                                      "1e",          "+1",          "1e999",      "-1e-999",     "tru",
                                      "nulll",       "{\"a\"}",     "{\"a\":}",   "{,}",         "[,1]",
                                      "]",           "}",           "\"\\x\"",    "\"\\ud800\"", "\"\\ud800\\u0041\"",
                                      "\"\\udc00\"", "\"\\u00g0\"", "[}",         "{]",          "\"",
                                      "0.0e",        "00",          "-01",        "[\"a\":1]",   "{\"a\":1 \"b\":2}",
                                      "{1:2}"}) {
    EXPECT_TRUE(agrees(text)) << text;
  }
}

TEST(JsonScanner, AgreesOnDamagedTexts) {
  std::mt19937 random(3);
  static constexpr std::string_view bytes = "{}[]\",:\\u0eE-+.1tn a";
  for (int round = 0; round < 20'000; ++round) {
    std::string text(samples[random() % std::size(samples)]);
    for (int change = 0; change < 2; ++change) {
      const size_t at = random() % (text.size() + 1);
      const char byte = bytes[random() % bytes.size()];
      if (random() % 3 == 0 && at < text.size()) {
        text.erase(at, 1);
      } else if (random() % 2 == 0 && at < text.size()) {
        text[at] = byte;
      } else {
        text.insert(at, 1, byte);
      }
    }
    if (text.empty() || is_space(text.back())) continue;  // a value ends with its last byte
    ASSERT_TRUE(agrees(text)) << text;
  }
}

TEST(JsonScanner, EscapesControlCharacters) {
  std::string out;
  EXPECT_TRUE(scans("[\"a\nb\x01\"]", out));
  EXPECT_EQ(out, "[\"a\\nb\\u0001\"]");
}

TEST(JsonScanner, BoundsDepth) {
  std::string out;
  EXPECT_TRUE(scans(std::string(JsonScanner::max_depth, '[') + std::string(JsonScanner::max_depth, ']'), out));
  EXPECT_FALSE(scans(std::string(JsonScanner::max_depth + 1, '[') + std::string(JsonScanner::max_depth + 1, ']'), out));
}

/// The JSON of a literal; empty where it is none. A space after it ends a number or a word.
std::string literal(std::string_view text, const Notation& notation = python_notation) {
  LiteralReader reader(notation);
  std::string out;
  for (const char c : std::string(text) + " ") {
    const Take taken = reader.take(c, out);
    if (taken == Take::fail) return {};
    if (taken != Take::more) return out;
  }
  return {};
}

TEST(Literals, OfPython) {
  EXPECT_EQ(literal("'a'"), "\"a\"");
  EXPECT_EQ(literal("  \"it's\""), "\"it's\"");
  EXPECT_EQ(literal(R"('\'\"\\\n\t\x41\u00e9\U0001F99C\d')"), "\"'\\\"\\\\\\n\\tAé🦜\\\\d\"");
  EXPECT_EQ(literal("'a\nb'"), "\"a\\nb\"");
  EXPECT_EQ(literal("1_000"), "1000");
  EXPECT_EQ(literal("+1"), "1");
  EXPECT_EQ(literal("-.5"), "-0.5");
  EXPECT_EQ(literal("2."), "2.0");
  EXPECT_EQ(literal("2.e3"), "2.0e3");
  EXPECT_EQ(literal("True"), "true");
  EXPECT_EQ(literal("None"), "null");
  EXPECT_EQ(literal("null"), "null");
  EXPECT_EQ(literal("[1, 'a', [], (2,3), {'k': None, \"l\": {}},]"),
            "[1, \"a\", [], [2, 3], {\"k\": null, \"l\": {}}]");
  for (const std::string_view bad :
       {"",          "x",      "0x1",   "01",     "1j",           "--1", "[1 2]", "[1",
        "{1: 2}",    "{a: 1}", "{'a'}", "{'a':}", "{'a': 1 'b'}", "[,]", "(]",    "'\\xg0'",
        "'\\ud800'", ")",      "e",     "_",      "{'a' 1}"}) {
    EXPECT_EQ(literal(bad), "") << bad;
  }
}

TEST(Literals, OfGemma) {
  const Notation gemma{.quotes = "\"", .fence = "<|\"|>", .bare_keys = true};
  EXPECT_EQ(literal("{a:<|\"|>x<|\"y\n\\<|\"|>,b:[1,true],<|\"|>c<|\"|>:{}}", gemma),
            "{\"a\": \"x<|\\\"y\\n\\\\\", \"b\": [1, true], \"c\": {}}");
  EXPECT_EQ(literal("{a:\"q\"}", gemma), "{\"a\": \"q\"}");
  for (const std::string_view bad :
       {"{a}", "{a:}", "{a:1,}", "{:1}x", "{a:<x>}", "{a:b}", "{a:(1)}", "{a b:1", "{'a':1}", "{a:.5}"}) {
    EXPECT_EQ(literal(bad, gemma), "") << bad;
  }
}

TEST(Literals, BoundDepth) {
  const size_t depth = LiteralReader::max_depth;
  EXPECT_NE(literal(std::string(depth, '[') + std::string(depth, ']')), "");
  EXPECT_EQ(literal(std::string(depth + 1, '[') + std::string(depth + 1, ']')), "");
}

}  // namespace
}  // namespace ingle::assistant
