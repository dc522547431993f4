#include "assistant/conversations/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ingle::assistant {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  size_t last = 0;
  each_word(text, [&](std::string_view word, size_t begin, size_t end) {
    EXPECT_LT(begin, end);
    EXPECT_LE(last, begin);
    EXPECT_LE(end, text.size());
    last = end;
    words.emplace_back(word);
    return true;
  });
  return words;
}

TEST(WordsTest, WordsAreFolded) {
  EXPECT_THAT(words_of("Hello, WORLD! It's 3.14"), ElementsAre("hello", "world", "it", "s", "3", "14"));
  EXPECT_THAT(words_of("Übergröße naïve Cafe\u0301"), ElementsAre("ubergrosse", "naive", "cafe"));
  EXPECT_THAT(words_of("ΣΊΣΥΦΟΣ ﬁne"), ElementsAre("σισυφοσ", "fine"));
}

TEST(WordsTest, CharactersOfSpacelessScriptsAreWords) {
  EXPECT_THAT(words_of("量子计算is nice"), ElementsAre("量", "子", "计", "算", "is", "nice"));
  EXPECT_THAT(words_of("カタカナ"), ElementsAre("カ", "タ", "カ", "ナ"));
  EXPECT_THAT(words_of("한국어"), ElementsAre("한", "국", "어"));
  EXPECT_THAT(words_of("C语言"), ElementsAre("c", "语", "言"));
}

TEST(WordsTest, WhatIsNoTextSeparates) {
  EXPECT_THAT(words_of("a\xff"
                       "b"),
              ElementsAre("a", "b"));
  EXPECT_THAT(words_of("\xe9\x87"), ElementsAre());
  EXPECT_THAT(words_of("\u0301 \u0301x"), ElementsAre("x"));
  EXPECT_THAT(words_of(""), ElementsAre());
}

TEST(WordsTest, LongWordsComeInParts) {
  const auto words = words_of(std::string(150, 'a'));
  ASSERT_EQ(words.size(), 3u);
  EXPECT_EQ(words[0].size() + words[1].size() + words[2].size(), 150u);
}

TEST(WordsTest, QueriesAreExpressions) {
  EXPECT_EQ(word_query("hash table"), "\"hash\" * AND \"table\" *");
  EXPECT_EQ(word_query("  \"hash table\" x "), "\"hash table\" AND \"x\" *");
  EXPECT_EQ(word_query("\"open quote"), "\"open quote\" *");
  EXPECT_EQ(word_query("a\"b c\"d"), "\"a\" * AND \"b c\" AND \"d\" *");
  EXPECT_EQ(word_query("-- ( * ^ :"), "");
  EXPECT_EQ(word_query("NOT AND"), "\"NOT\" * AND \"AND\" *");
}

}  // namespace
}  // namespace ingle::assistant
