// Against Python: its `re` and `jsonschema` (tests/grammar/make_goldens.py).
#include <set>

#include "core/grammar/test_grammar.h"

namespace ingle::core {
namespace {

/// All texts over the alphabet (code points) up to `length`, shortest first.
std::vector<std::string> all_texts(const std::string& alphabet, size_t length) {
  std::vector<std::string> letters;
  for (size_t i = 0; i < alphabet.size();) {
    size_t end = i + 1;
    while (end < alphabet.size() && (alphabet[end] & 0xc0) == 0x80) end++;
    letters.push_back(alphabet.substr(i, end - i));
    i = end;
  }
  std::vector<std::string> out = {""};
  for (size_t begin = 0, n = 0; n < length; n++) {
    const size_t end = out.size();
    for (size_t i = begin; i < end; i++) {
      for (const std::string& letter : letters) out.push_back(out[i] + letter);
    }
    begin = end;
  }
  return out;
}

std::set<std::string> set_of(const base::Json& list) {
  std::set<std::string> out;
  for (const base::Json& text : list) out.insert(text.get<std::string>());
  return out;
}

TEST(GrammarGolden, RegexWhole) {
  const base::Json records = read_golden("regex.json");
  ASSERT_GE(records.size(), 30u);
  for (const base::Json& record : records) {
    const auto pattern = record["pattern"].get<std::string>();
    const Grammar grammar = must(Grammar::compile_regex(pattern));
    const std::set<std::string> want = set_of(record["whole"]);
    size_t taken = 0;
    for (const std::string& text : all_texts(record["alphabet"], record["length"])) {
      const bool got = takes(grammar, text);
      EXPECT_EQ(got, want.count(text) != 0) << pattern << " on " << text;
      taken += got;
    }
    EXPECT_EQ(taken, want.size()) << pattern;
  }
}

TEST(GrammarGolden, RegexSearchInASchema) {
  for (const base::Json& record : read_golden("regex.json")) {
    const auto pattern = record["pattern"].get<std::string>();
    const Grammar grammar = must(Grammar::compile_json_schema(base::Json{{"type", "string"}, {"pattern", pattern}}));
    const std::set<std::string> want = set_of(record["search"]);
    for (const std::string& text : all_texts(record["alphabet"], record["length"]))
      EXPECT_EQ(takes(grammar, base::Json(text).dump()), want.count(text) != 0) << pattern << " on " << text;
  }
}

// Where all texts of the pattern are known, so is which token may follow which beginning.
TEST(GrammarGolden, MasksOfFinitePatterns) {
  size_t checked = 0;
  for (const base::Json& record : read_golden("regex.json")) {
    if (!record["finite"].get<bool>()) continue;
    const auto pattern = record["pattern"].get<std::string>();
    const std::set<std::string> words = set_of(record["whole"]);
    std::vector<std::string> pieces = all_texts(record["alphabet"], 3);
    pieces.erase(pieces.begin());
    const auto trie = make_trie(pieces, {}, false);
    const auto constraint = Constraint::make(must(Grammar::compile_regex(pattern)), trie);
    const auto is_beginning = [&](const std::string& text) {
      const auto it = words.lower_bound(text);
      return it != words.end() && it->starts_with(text);
    };
    for (const std::string& text : all_texts(record["alphabet"], record["length"])) {
      Matcher matcher(constraint);
      ASSERT_EQ(matcher.accept_text(text), is_beginning(text)) << pattern << " on " << text;
      if (!is_beginning(text)) continue;
      const std::vector<uint32_t> bits = mask_of(matcher);
      for (size_t i = 0; i < pieces.size(); i++)
        EXPECT_EQ(has(bits, static_cast<TokenId>(i)), is_beginning(text + pieces[i]))
            << pattern << ": " << text << "+" << pieces[i];
      EXPECT_EQ(has(bits, static_cast<TokenId>(pieces.size())), words.count(text) != 0) << pattern << " on " << text;
      checked += pieces.size();
    }
  }
  EXPECT_GT(checked, 3'000u);
}

TEST(GrammarGolden, Schemas) {
  const base::Json records = read_golden("schemas.json");
  ASSERT_GE(records.size(), 70u);
  for (const base::Json& record : records) {
    for (const JsonSpacing spacing : {JsonSpacing::spaced, JsonSpacing::indented}) {
      const Grammar grammar = must(Grammar::compile_json_schema(record["schema"], {.spacing = spacing}));
      for (const base::Json& text : record["must"])
        EXPECT_TRUE(takes(grammar, text.get<std::string>())) << record["schema"].dump() << " must take " << text;
      for (const base::Json& text : record["must_not"])
        EXPECT_FALSE(takes(grammar, text.get<std::string>())) << record["schema"].dump() << " takes " << text;
    }
  }
}

}  // namespace
}  // namespace ingle::core
