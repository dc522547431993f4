// The parts of the tokenizers: Unicode classes, normal forms, split rules, merging, hashing.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "base/utf8.h"
#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/merge.h"
#include "core/tokenizer/split_rules.h"
#include "core/tokenizer/unicode.h"

namespace ingle::core {
namespace {

TEST(Unicode, ClassesAreThoseOfUnicode16) {
  EXPECT_EQ(char_class('a'), kLower);
  EXPECT_EQ(char_class('\n'), kSpace | kNewline);
  EXPECT_EQ(char_class('$'), kSymbol);
  EXPECT_EQ(char_class(0x85), kSpace);
  EXPECT_EQ(char_class(0x1C), 0);
  EXPECT_EQ(char_class(0x3000), kSpace);
  EXPECT_EQ(char_class(0x200B), 0);
  EXPECT_EQ(char_class(0x01C5), kUpper);  // a title-case letter
  EXPECT_EQ(char_class(0x6F22), kOtherLetter);
  EXPECT_EQ(char_class(0x00BD), kNumber);
  EXPECT_EQ(char_class(0x0301), kMark);
  EXPECT_EQ(char_class(0x1C89), kUpper);         // new in 16
  EXPECT_EQ(char_class(0x2EBF0), kOtherLetter);  // new in 15.1
  EXPECT_EQ(char_class(0x10FFFF), 0);
}

TEST(Unicode, NfcIsCanonicalComposition) {
  EXPECT_EQ(to_nfc("a\u0301e\u0323\u0302x"), "\u00E1\u1EC7x");
  EXPECT_EQ(to_nfc("\u1112\u1161\u11AB"), "\uD55C");
  EXPECT_EQ(to_nfc("\u212B\u2126"), "\u00C5\u03A9");    // singletons
  EXPECT_EQ(to_nfc("\u0958"), "\u0915\u093C");          // a composition exclusion
  EXPECT_EQ(to_nfc("q\u0307\u0323"), "q\u0323\u0307");  // reordered
  EXPECT_EQ(to_nfc("plain \u00E9\u0142 text"), "plain \u00E9\u0142 text");
  EXPECT_FALSE(may_need_nfc("\u00E9\u02FF"));
}

std::vector<std::string> pieces(std::string_view text, std::vector<const SplitRule*> rules) {
  std::vector<size_t> ends, scratch;
  split_text(text, rules, ends, scratch);
  std::vector<std::string> out;
  size_t begin = 0;
  for (const size_t end : ends) {
    out.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size());
  return out;
}

using Pieces = std::vector<std::string>;

TEST(SplitRules, SpaceGoesWithTheWordThatFollows) {
  EXPECT_EQ(pieces("a  b\n\n c ", {&kGpt2Words}), (Pieces{"a", " ", " b", "\n\n", " c", " "}));
  EXPECT_EQ(pieces("a  b\n\n c ", {&kLlama3Words}), (Pieces{"a", " ", " b", "\n\n", " c", " "}));
  EXPECT_EQ(pieces("x \n \n  y", {&kLlama3Words}), (Pieces{"x", " \n \n", " ", " y"}));
  EXPECT_EQ(pieces("x \n \n  y", {&kGpt2Words}), (Pieces{"x", " \n \n ", " y"}));
}

TEST(SplitRules, Contractions) {
  EXPECT_EQ(pieces("it's IT'S", {&kGpt2Words}), (Pieces{"it", "'s", " IT", "'", "S"}));
  EXPECT_EQ(pieces("it's IT'S x'\u017F", {&kLlama3Words}), (Pieces{"it", "'s", " IT", "'S", " x", "'\u017F"}));
  EXPECT_EQ(pieces("we'LLx", {&kGpt4oWords}), (Pieces{"we'LL", "x"}));
  EXPECT_EQ(pieces("we'LLx", {&kTekkenWords}), (Pieces{"we", "'LLx"}));
}

TEST(SplitRules, LineBreaksAndSlashesGoWithTheSignsBefore) {
  EXPECT_EQ(pieces("x!\n/y", {&kGpt4oWords}), (Pieces{"x", "!\n/", "y"}));
  EXPECT_EQ(pieces("x!\n/y", {&kLlama3Words}), (Pieces{"x", "!\n", "/y"}));
  EXPECT_EQ(pieces("x!\n/y", {&kGpt2Words}), (Pieces{"x", "!", "\n", "/", "y"}));
}

TEST(SplitRules, NumbersAndCase) {
  EXPECT_EQ(pieces("12345", {&kLlama3Words}), (Pieces{"123", "45"}));
  EXPECT_EQ(pieces("12345", {&kQwen2Words}), (Pieces{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(pieces("HTMLParser fooBar", {&kGpt4oWords}), (Pieces{"HTMLParser", " foo", "Bar"}));
  EXPECT_EQ(pieces("\u6F22\u5B57ABC", {&kTekkenWords}), (Pieces{"\u6F22\u5B57", "ABC"}));
  EXPECT_EQ(pieces("\u00BDx", {&kByteDigitRuns}), (Pieces{"\xC2", "\xBD", "x"}));
}

// Random texts of the characters that the rules tell apart: the pieces must cover the text, and cutting a piece again
// by a rule that matches everything must leave it whole unless the piece before was looked at.
TEST(SplitRules, CoverEveryText) {
  std::mt19937 random(3);
  static constexpr char32_t kChars[] = {' ',    '\n',    '\r',   '\t',   'a',   'Z',    '\'',  's',
                                        'L',    '1',     '.',    '/',    0x301, 0x6F22, 0xBD,  0x3000,
                                        0x2028, 0x1F600, 0x200D, 0x3042, 0x17F, 0xAC00, 0xFF01};
  for (int round = 0; round < 2000; round++) {
    std::string text;
    for (size_t n = random() % 20; n > 0; n--) base::append_utf8(text, kChars[random() % std::size(kChars)]);
    for (const PreTokenizer* record : all_pre_tokenizers()) {
      const Pieces cut = pieces(text, {record->splits.begin(), record->splits.end()});
      for (const std::string& piece : cut) EXPECT_FALSE(piece.empty());
    }
  }
}

TEST(Merging, TheTableGivesBackWhatItWasGiven) {
  constexpr TokenId kLast = Vocabulary::kMost - 1;
  const std::array<std::array<TokenId, 3>, 5> merges{
      {{0, 0, kLast}, {kLast, 0, 0x123456}, {0, kLast, 0}, {kLast, kLast, 1}, {0x800000, 0x7FFFFF, 0x800000}}};
  for (const uint32_t first_rank : {0u, 0x1234u, MergeTable::kMost - 6}) {
    MergeTable table;
    EXPECT_EQ(table.find(0, 0).rank, kNoRank);
    table.reserve(merges.size());
    uint32_t rank = first_rank;
    for (const auto& [left, right, id] : merges) EXPECT_TRUE(table.add(left, right, {rank++, id}));
    EXPECT_TRUE(table.add(0, kLast, {rank, 7}));  // the first rank stays
    rank = first_rank;
    for (const auto& [left, right, id] : merges) {
      EXPECT_EQ(table.find(left, right).rank, rank++);
      EXPECT_EQ(table.find(left, right).id, id);
    }
    EXPECT_EQ(table.find(1, 0).rank, kNoRank);
    EXPECT_EQ(table.find(kNoToken, kLast).rank, kNoRank);
  }
}

TEST(Merging, HeapAndScanAgree) {
  std::mt19937 random(11);
  for (int round = 0; round < 500; round++) {
    MergeTable table;
    table.reserve(40);
    for (uint32_t rank = 0; rank < 40; rank++) {
      const auto id = [&] { return static_cast<TokenId>(random() % 12); };
      ASSERT_TRUE(table.add(id(), id(), {rank / 2, id()}));
    }
    const auto find = [&](const Symbol& a, const Symbol& b, uint32_t) { return table.find(a.id, b.id); };
    MergeScratch scan, heap;
    const auto count = static_cast<uint32_t>(random() % 60);
    for (uint32_t i = 0; i < count; i++) scan.symbols.push_back({static_cast<TokenId>(random() % 12), i});
    heap.symbols = scan.symbols;
    merge_by_scan(scan, count, find);
    merge_by_heap(heap, count, find);
    ASSERT_EQ(scan.symbols.size(), heap.symbols.size());
    for (size_t i = 0; i < scan.symbols.size(); i++) {
      EXPECT_EQ(scan.symbols[i].id, heap.symbols[i].id);
      EXPECT_EQ(scan.symbols[i].begin, heap.symbols[i].begin);
    }
  }
}

TEST(AddedTokens, LongestAtTheLeftmostPlace) {
  const AddedTokens tokens({{.id = 1, .content = "ab"},
                            {.id = 2, .content = "abcd"},
                            {.id = 3, .content = "bc"},
                            {.id = 4, .content = "xyz", .special = true},
                            {.id = 5, .content = "yz"}});
  EXPECT_EQ(tokens.find("zabcd", 0, false)->id, 2);
  EXPECT_EQ(tokens.find("zabce", 0, false)->id, 1);
  EXPECT_EQ(tokens.find("zbce", 0, false)->begin, 1u);
  EXPECT_FALSE(tokens.find("axyz", 0, false).has_value());  // the hidden token hides the one inside it
  EXPECT_EQ(tokens.find("axyz", 0, true)->id, 4);
  EXPECT_FALSE(tokens.find("a", 0, true).has_value());
}

TEST(AddedTokens, NoneCutsACharacter) {
  const AddedTokens tokens({{.id = 1, .content = "\xC3"}, {.id = 2, .content = "\xA9"}, {.id = 3, .content = ""}});
  EXPECT_TRUE(tokens.empty());
}

TEST(Vocabulary, FindsEveryToken) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 5000; i++) tokens.push_back("t" + std::to_string(i * 7));
  const auto vocabulary = Vocabulary::build(tokens, std::vector<TokenKind>(tokens.size(), TokenKind::normal));
  ASSERT_TRUE(vocabulary.ok());
  for (int i = 0; i < 5000; i++) EXPECT_EQ(vocabulary->find(tokens[static_cast<size_t>(i)]), i);
  EXPECT_EQ(vocabulary->find("t1"), kNoToken);
  EXPECT_EQ(vocabulary->find(std::string(100, 't')), kNoToken);
}

}  // namespace
}  // namespace ingle::core
