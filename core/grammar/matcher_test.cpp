// Masks, control tokens, forks, the end.
#include "core/grammar/matcher.h"

#include <thread>

#include "core/grammar/test_grammar.h"

namespace ingle::core {
namespace {

const std::vector<std::string> kPieces = {
    "\", \"", "\":",  "\": ", "\": \"",      "\"}",      "\"]",  "},",
    "}, {",   "true", "null", "\xc3\xa9",    "\xe2\x82", "\xac", "\xf0\x9f",
    "[{",     "[]",   "{}",   "{\"",         "00",       "12",   "0.",
    "e+",     "\\u",  "\\n",  "abc",         "a\"",      "aa",   "ab",
    "  ",     "\n",   "\n  ", "\x98\x80\"}", "b\",",     "1]}",  "\xe2\x82\xac\", ",
    "\\ud8"};

uint64_t next_random(uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 33;
}

/// Every bit of the mask, on walks of random allowed tokens, against taking the token byte by byte.
void check_masks(const Grammar& grammar, const std::shared_ptr<const TokenTrie>& trie, uint64_t seed) {
  const auto constraint = Constraint::make(grammar, trie);
  for (int walk = 0; walk < 12; walk++) {
    Matcher matcher(constraint);
    for (int step = 0; step < 40 && !matcher.ended(); step++) {
      const std::vector<uint32_t> bits = mask_of(matcher);
      std::vector<TokenId> allowed;
      for (TokenId id = 0; id < static_cast<TokenId>(trie->vocabulary_size()); id++) {
        Matcher fork = matcher;
        ASSERT_EQ(has(bits, id), fork.accept(id)) << "token " << trie->bytes(id) << " at step " << step;
        if (has(bits, id)) allowed.push_back(id);
      }
      ASSERT_FALSE(allowed.empty());
      ASSERT_TRUE(matcher.accept(allowed[next_random(seed) % allowed.size()]));
    }
  }
}

TEST(Matcher, MasksAreWhatIsTaken) {
  const auto trie = make_trie(kPieces, {"<t>", "</t>"});
  for (
      const char* text : {
          R"({})",
          R"({"type":"string"})",
          R"({"type":"string","maxLength":5})",
          R"({"type":"string","minLength":3,"maxLength":4})",
          R"({"type":"string","minLength":3})",
          R"({"type":"string","pattern":"^a.*b$"})",
          R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"string"},"maxItems":2}}})",
          R"({"type":"object","additionalProperties":{"type":["string","integer"],"maxLength":3},"maxProperties":2})",
          R"({"anyOf":[{"type":"string","maxLength":3},{"type":"string","pattern":"^ab"},{"enum":["abc","a\n"]}]})",
          R"({"type":"array","items":{"type":"number","minimum":-1.5,"maximum":120},"minItems":2})",
      })
    check_masks(must(Grammar::compile_json_schema(json(text), {.spacing = JsonSpacing::indented})), trie, 7);
  for (const char* text : {
           "root ::= \"<t>\" %until(\"</t>\") \"a\"",
           "root ::= (\"a\" | \"aa\" | b){2,2000} \"b\"\nb ::= \"ab\" b? \"b\"",
           "root ::= [^a]{1,900} \"a\" .*",
           "root ::= x* y\nx ::= \"a\" | \"(\" x* \")\"\ny ::= \"b\" y | \"c\"",
           "root ::= \"\\u00e9\" | .{2} | \"<t>\\\"\" %json{\"type\":\"string\"}",
       })
    check_masks(gbnf(text), trie, 11);
  check_masks(must(Grammar::compile_regex("(a|\xc3\xa9)*\xf0\x9f\x98\x80?[^\"]{0,3}")), trie, 3);
}

// Items that must differ: at each step the mask is what is taken, there is a way on (also where few texts are left),
// and all that the masks lead to are arrays of different items.
TEST(Matcher, DistinctItems) {
  const auto trie = make_trie(kPieces);
  for (const char* text : {
           R"({"type":"array","uniqueItems":true,"items":{"type":"string"}})",
           R"({"type":"array","uniqueItems":true,"items":{"type":"string","maxLength":1},"maxItems":9})",
           R"({"type":"array","uniqueItems":true,"items":{"type":"string","pattern":"^a{0,2}b?$"}})",
           R"({"type":"array","uniqueItems":true,"items":{"enum":["a","ab","abc","",1,12,null,true]},"minItems":4})",
           R"({"type":"array","uniqueItems":true,"items":{"type":"integer","minimum":-2,"maximum":12}})",
           R"({"type":"array","uniqueItems":true,"items":{"type":"number","minimum":0,"maximum":2}})",
           R"({"type":"array","uniqueItems":true,"items":{"type":["boolean","null","object"],"maxProperties":1}})",
           R"({"anyOf":[{"type":"array","uniqueItems":true,"items":{"enum":["","a","aa"]}},{"const":["a","a"]}]})",
           R"({"type":"array","uniqueItems":true,"items":{"enum":["a","ab"]},"minItems":2,"maxItems":2})",
           R"({"type":"array","uniqueItems":true,"items":{"anyOf":[{"enum":["a","b"]},{"$ref":"#/$defs/never"}]},)"
           R"("$defs":{"never":{"type":"object","required":["n"],"properties":{"n":{"$ref":"#/$defs/never"}}}}})",
       }) {
    const Grammar grammar = schema(text);
    check_masks(grammar, trie, 5);
    const bool constant = json(text).contains("anyOf");
    uint64_t seed = 17;
    size_t finished = 0, longest = 0;
    for (int walk = 0; walk < 100; walk++) {
      Matcher matcher(Constraint::make(grammar, trie));
      std::string reply;
      for (int step = 0; step < 80 && !(matcher.complete() && (matcher.must_end() || next_random(seed) % 4 == 0));
           step++) {
        const std::vector<uint32_t> bits = mask_of(matcher);
        std::vector<TokenId> allowed;
        for (TokenId id = 0; id + 1 < static_cast<TokenId>(trie->vocabulary_size()); id++) {
          if (has(bits, id)) allowed.push_back(id);
        }
        ASSERT_FALSE(allowed.empty()) << text << " is stuck after " << reply;
        TokenId pick = allowed[next_random(seed) % allowed.size()];
        for (const char often : {'"', ',', 'a', '1'}) {
          if (has(bits, often) && next_random(seed) % 3 == 0) pick = often;
        }
        ASSERT_TRUE(matcher.accept(pick));
        reply += trie->bytes(pick);
      }
      if (!matcher.complete()) continue;
      finished++;
      const base::Json items = json(reply);
      longest = std::max(longest, items.size());
      if (constant && reply == R"(["a", "a"])") continue;
      for (size_t i = 0; i < items.size(); i++) {
        for (size_t j = 0; j < i; j++) EXPECT_NE(items[i], items[j]) << text << " took " << reply;
      }
    }
    EXPECT_GE(finished, 20u) << text;
    EXPECT_GE(longest, 2u) << text;
  }
  // Another reading may allow what this one has seen.
  const Grammar either =
      schema(R"({"anyOf":[{"type":"array","uniqueItems":true,"items":{"type":"string"}},{"const":["a","a"]}]})");
  EXPECT_TRUE(takes(either, R"(["a", "a"])"));
  EXPECT_TRUE(takes(either, R"(["a", "b", "c"])"));
  EXPECT_FALSE(begins(either, R"(["a", "a",)"));
  EXPECT_FALSE(begins(either, R"(["b", "b")"));
  for (const char* text : {
           R"({"anyOf":[{"type":"array","uniqueItems":true,"items":{"type":"string"}},{"const":["a","a"]}]})",
           R"({"anyOf":[{"const":["a","a"]},{"type":"array","uniqueItems":true,"items":{"type":"string"}}]})",
       }) {
    Matcher matcher(Constraint::make(schema(text), trie));
    ASSERT_TRUE(matcher.accept_text(R"(["a", "a)"));
    EXPECT_TRUE(has(mask_of(matcher), '"')) << text;
  }
  // An object that is a constant might also be written as any object.
  const Grammar objects = schema(
      R"({"type":"array","uniqueItems":true,"items":{"anyOf":[{"enum":[{"a":1},{"a":2}]},{"type":"object","properties":{"a":{"type":"integer"}}}]}})");
  EXPECT_TRUE(takes(objects, R"([{"a": 1}])"));
  EXPECT_FALSE(begins(objects, R"([{"a": 1},)"));
  // Each array has items of its own.
  const Grammar nested =
      schema(R"({"type":"array","items":{"type":"array","uniqueItems":true,"items":{"type":"string"}}})");
  EXPECT_TRUE(takes(nested, R"([["a", "b"], ["b", "a"]])"));
  EXPECT_FALSE(begins(nested, R"([["a"], ["b", "b")"));
}

// The set of readings is checked above against itself; here against a list of all texts, made by loops.
TEST(Matcher, MasksOfAListedLanguage) {
  std::vector<std::string> words;
  for (const char* key : {"a", "ab"}) {
    for (const char* value : {"1", "12", "\"x\"", "\"\""})
      words.push_back(std::string("{\"") + key + "\": " + value + "}");
  }
  const Grammar grammar = gbnf(R"(
root ::= "{" key ": " (num | "\"" "x"? "\"") "}"   # comment
key  ::= "\"a" b? "\""
b    ::= "b"
num  ::= "1" | "12")");
  const auto trie = make_trie(kPieces);
  const auto constraint = Constraint::make(grammar, trie);
  const auto is_beginning = [&](const std::string& text) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return word.starts_with(text); });
  };
  for (const std::string& word : words) {
    for (size_t length = 0; length <= word.size(); length++) {
      Matcher matcher(constraint);
      ASSERT_TRUE(matcher.accept_text(word.substr(0, length)));
      EXPECT_EQ(matcher.complete(), length == word.size());
      const std::vector<uint32_t> bits = mask_of(matcher);
      for (TokenId id = 0; id + 1 < static_cast<TokenId>(trie->vocabulary_size()); id++) {
        const std::string text = word.substr(0, length) + std::string(trie->bytes(id));
        EXPECT_EQ(has(bits, id), !trie->bytes(id).empty() && is_beginning(text)) << text;
      }
    }
  }
}

TEST(Matcher, ControlTokensOnlyInLiterals) {
  const auto trie = make_trie({"<", "call", ">"}, {"<call>", "</call>"});
  const TokenId open = static_cast<TokenId>(trie->vocabulary_size()) - 3, close = open + 1, end = open + 2;
  const auto allowed = [&](const Grammar& grammar, std::string_view text, TokenId id) {
    Matcher matcher(Constraint::make(grammar, trie));
    EXPECT_TRUE(matcher.accept_text(text));
    return has(mask_of(matcher), id);
  };
  const Grammar call = gbnf("root ::= \"x<call>\\n\" %until(\"</call>\") \"</call>\" [a-z<>/]*");
  EXPECT_FALSE(allowed(call, "", open));
  EXPECT_TRUE(allowed(call, "x", open));
  EXPECT_TRUE(allowed(call, "x", '<'));
  EXPECT_FALSE(allowed(call, "x<", open));
  EXPECT_FALSE(allowed(call, "x<call>", open));
  EXPECT_TRUE(allowed(call, "x<call>\n", close));
  EXPECT_TRUE(allowed(call, "x<call>\nabc<", close));
  EXPECT_FALSE(allowed(call, "x<call>\nabc<", open));
  EXPECT_TRUE(allowed(call, "x<call>\nabc</call>", close));
  EXPECT_FALSE(allowed(call, "x<call>\nabc</call></call>", close));
  EXPECT_FALSE(allowed(call, "x<call>\nabc</call></call>a", open));
  EXPECT_TRUE(allowed(call, "x<call>\nabc</call></call>a", end));
  EXPECT_FALSE(allowed(gbnf("root ::= .*"), "", open));
  EXPECT_FALSE(allowed(gbnf("root ::= [^a]*"), "", open));
  EXPECT_FALSE(allowed(schema(R"({"const":"<call>"})"), "\"", open));
  EXPECT_FALSE(allowed(schema(R"({"type":"string"})"), "\"", open));

  Matcher matcher(Constraint::make(call, trie));
  ASSERT_TRUE(matcher.accept_text("x"));
  ASSERT_TRUE(matcher.accept(open));
  ASSERT_TRUE(matcher.accept_text("\nfree"));
  ASSERT_TRUE(matcher.accept(close));
  ASSERT_TRUE(matcher.accept(close));
  EXPECT_TRUE(matcher.complete());
  EXPECT_FALSE(matcher.accept(open));
  EXPECT_TRUE(matcher.accept(end));
  EXPECT_TRUE(matcher.ended());
}

// A control token may go on with any beginning of the text that has just been seen.
TEST(Matcher, ControlTokensInsideUntil) {
  const auto trie = make_trie({}, {"b", "ab", "c"});
  const TokenId b = static_cast<TokenId>(trie->vocabulary_size()) - 4, ab = b + 1, c = b + 2;
  Matcher matcher(Constraint::make(gbnf("root ::= %until(\"aab\")"), trie));
  ASSERT_TRUE(matcher.accept_text("xa"));
  EXPECT_FALSE(Matcher(matcher).accept(b));
  EXPECT_TRUE(Matcher(matcher).accept(ab));
  ASSERT_TRUE(matcher.accept_text("a"));
  EXPECT_FALSE(Matcher(matcher).accept(c));
  for (const TokenId id : {b, ab}) {  // aa|b, and a|ab
    Matcher fork = matcher;
    EXPECT_TRUE(fork.accept(id));
    EXPECT_TRUE(fork.must_end());
  }
}

// A token may bring the literal's rest and what follows; a piece of text that only contains the spelling is no token.
TEST(Matcher, UntilEndsAtTheFirst) {
  const Grammar grammar = gbnf("root ::= %until(\"aab\") \"c\"");
  EXPECT_TRUE(takes(grammar, "aabc"));
  EXPECT_TRUE(takes(grammar, "aaabc"));
  EXPECT_TRUE(takes(grammar, "ab\xc3\xa9 aacaabc"));
  EXPECT_FALSE(begins(grammar, "aabaab"));
  EXPECT_FALSE(begins(grammar, "\xc3("));
  EXPECT_FALSE(begins(grammar, "\xff"));
}

TEST(Matcher, StopTokensExactlyWhenComplete) {
  const auto trie = make_trie({});
  const auto end = static_cast<TokenId>(trie->vocabulary_size() - 1);
  Matcher matcher(Constraint::make(gbnf("root ::= \"a\" \"b\"*"), trie));
  EXPECT_FALSE(matcher.accept(end));
  EXPECT_FALSE(has(mask_of(matcher), end));
  ASSERT_TRUE(matcher.accept('a'));
  EXPECT_TRUE(has(mask_of(matcher), end));
  EXPECT_FALSE(matcher.must_end());
  EXPECT_FALSE(matcher.accept('c'));
  ASSERT_TRUE(matcher.accept('b'));
  ASSERT_TRUE(matcher.accept(end));
  EXPECT_TRUE(matcher.ended());
  EXPECT_FALSE(matcher.complete());
  EXPECT_FALSE(matcher.accept('b'));
  for (const uint32_t word : mask_of(matcher)) EXPECT_EQ(word, 0u);

  Matcher whole(Constraint::make(gbnf("root ::= \"a\""), trie));
  ASSERT_TRUE(whole.accept('a'));
  EXPECT_TRUE(whole.must_end());
  EXPECT_TRUE(has(mask_of(whole), end));
  EXPECT_EQ(std::popcount(mask_of(whole).back()), 1);
  EXPECT_FALSE(whole.accept(-1));
  EXPECT_FALSE(whole.accept(1 << 20));
  EXPECT_TRUE(Matcher(Constraint::make(gbnf("root ::= \"a\"*"), trie)).complete());
}

TEST(Matcher, ForksAreIndependent) {
  const auto constraint =
      Constraint::make(schema(R"({"type":"array","items":{"type":["integer","string"]},"maxItems":3})"), byte_trie());
  Matcher first(constraint);
  ASSERT_TRUE(first.accept_text("[1"));
  Matcher second = first;
  ASSERT_TRUE(second.accept_text(",\"a\",3]"));
  EXPECT_TRUE(second.complete());
  EXPECT_FALSE(first.complete());
  EXPECT_FALSE(first.accept_text(",2,3,4"));
  EXPECT_TRUE(first.accept_text("2]"));
  EXPECT_TRUE(first.complete());
}

TEST(Matcher, Forced) {
  Matcher matcher(Constraint::make(
      schema(
          R"({"type":"object","properties":{"name":{"type":"string","maxLength":2},"ok":{"const":true}},"required":["name","ok"]})",
          {.spacing = JsonSpacing::compact}),
      byte_trie()));
  EXPECT_EQ(matcher.forced(), "{\"name\":\"");
  EXPECT_EQ(matcher.forced(4), "{\"na");
  ASSERT_TRUE(matcher.accept_text("{\"name\":\"x"));
  EXPECT_EQ(matcher.forced(), "");
  ASSERT_TRUE(matcher.accept_text("y"));
  EXPECT_EQ(matcher.forced(), "\",\"ok\":true}");
  EXPECT_EQ(Matcher(Constraint::make(gbnf("root ::= \"<a>\" [xy]"), byte_trie())).forced(), "<a>");
}

// What is kept of masks must not show: also where it can't hold them, and from many threads.
TEST(Matcher, CacheDoesNotShow) {
  const auto trie = make_trie(kPieces);
  const Grammar grammar = schema(R"({"type":"array","items":{"type":"string","maxLength":9}})");
  const auto small = Constraint::make(grammar, trie, 0), large = Constraint::make(grammar, trie);
  const std::string text =
      "[\"abc\", \"\xc3\xa9"
      "abcdef\", \"\\u0041\\n\", \"\"";
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int round = 0; round < 3; round++) {
        Matcher a(small), b(large);
        for (const char c : text) {
          ASSERT_EQ(mask_of(a), mask_of(b));
          ASSERT_TRUE(a.accept_text({&c, 1}));
          ASSERT_TRUE(b.accept_text({&c, 1}));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A long reply in a deep place must not make the matcher grow with the text.
TEST(Matcher, LongAndDeep) {
  Matcher matcher(Constraint::make(must(Grammar::compile_json_object()), byte_trie()));
  ASSERT_TRUE(matcher.accept_text("{\"a\": "));
  for (int i = 0; i < 20'000; i++) ASSERT_TRUE(matcher.accept_text("["));
  for (int i = 0; i < 20'000; i++) ASSERT_TRUE(matcher.accept_text("]"));
  ASSERT_TRUE(matcher.accept_text("}"));
  EXPECT_TRUE(matcher.complete());
}

}  // namespace
}  // namespace ingle::core
