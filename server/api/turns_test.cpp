// Which turns go: whole ones, never the system's messages, the last, or a result without its call.
#include "server/api/turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace ingle::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// One letter a message: s(ystem), u(ser), a(ssistant), t(ool).
base::Json chat(std::string_view roles) {
  base::Json messages = base::Json::array();
  for (const char letter : roles) {
    const char* role = letter == 's' ? "system" : letter == 'u' ? "user" : letter == 'a' ? "assistant" : "tool";
    messages.push_back({{"role", role}, {"content", std::to_string(messages.size())}});
  }
  return messages;
}

/// A token a message.
base::Result<size_t> one_each(const base::Json& messages) {
  return messages.size();
}

/// The numbers of the messages that stay.
std::vector<int> kept(std::string_view roles, Overflow policy, size_t most, const TokenCounter& count = one_each) {
  const base::Json messages = chat(roles);
  const auto cut = cut_turns(messages, droppable_turns(messages, policy), most, count);
  std::vector<int> numbers;
  for (const base::Json& message : cut->kept) numbers.push_back(std::stoi(message["content"].get<std::string>()));
  EXPECT_EQ(cut->kept.size() + cut->dropped.size(), messages.size());
  EXPECT_EQ(cut->tokens, *count(cut->kept));
  return numbers;
}

TEST(Turns, HaveNames) {
  for (const Overflow policy : {Overflow::error, Overflow::drop_oldest, Overflow::drop_middle, Overflow::summarise})
    EXPECT_EQ(find_overflow(overflow_name(policy)), policy);
  EXPECT_FALSE(find_overflow("drop"));
}

TEST(Turns, AreWhole) {
  EXPECT_THAT(droppable_turns(chat("suatauau"), Overflow::drop_oldest), ElementsAre(Turn{1, 2, 3, 4}, Turn{5, 6}));
  EXPECT_THAT(droppable_turns(chat("saausua"), Overflow::summarise), ElementsAre(Turn{1, 2}, Turn{3}));
  EXPECT_THAT(droppable_turns(chat("uauauau"), Overflow::drop_middle), ElementsAre(Turn{2, 3}, Turn{4, 5}));
  EXPECT_THAT(droppable_turns(chat("auauau"), Overflow::drop_middle), ElementsAre(Turn{3, 4}));
  EXPECT_THAT(droppable_turns(chat("uau"), Overflow::error), IsEmpty());
  for (const char* nothing : {"", "s", "u", "suatat", "aa"})
    EXPECT_THAT(droppable_turns(chat(nothing), Overflow::drop_oldest), IsEmpty()) << nothing;
  EXPECT_THAT(droppable_turns(chat("uau"), Overflow::drop_middle), IsEmpty());
}

TEST(Turns, AsFewGoAsItTakes) {
  EXPECT_THAT(kept("suauau", Overflow::drop_oldest, 5), ElementsAre(0, 3, 4, 5));
  EXPECT_THAT(kept("suauau", Overflow::drop_oldest, 4), ElementsAre(0, 3, 4, 5));
  EXPECT_THAT(kept("suauau", Overflow::drop_oldest, 3), ElementsAre(0, 5));
  EXPECT_THAT(kept("suauau", Overflow::drop_oldest, 1), ElementsAre(0, 5)) << "all that may go";
  EXPECT_THAT(kept("suauauau", Overflow::drop_middle, 7), ElementsAre(0, 1, 2, 5, 6, 7));
  EXPECT_THAT(kept("uatatausu", Overflow::drop_oldest, 4), ElementsAre(6, 7, 8));
}

// Against looking at every number of turns, for texts of random length.
TEST(Turns, BisectionFindsWhatASearchFinds) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string roles = "s";
    std::vector<size_t> lengths = {random() % 30};
    for (size_t turns = random() % 40 + 2; turns > 0; --turns) {
      roles += random() % 3 == 0 ? "uata" : "ua";
      if (turns == 1) roles += "u";
    }
    while (lengths.size() < roles.size()) lengths.push_back(random() % 50);
    size_t counted = 0;
    const auto count = [&](const base::Json& messages) -> base::Result<size_t> {
      ++counted;
      size_t tokens = 3;
      for (const base::Json& message : messages) tokens += lengths[std::stoul(message["content"].get<std::string>())];
      return tokens;
    };
    const base::Json messages = chat(roles);
    const Overflow policy = random() % 2 == 0 ? Overflow::drop_oldest : Overflow::drop_middle;
    const std::vector<Turn> turns = droppable_turns(messages, policy);
    const size_t all = *count(messages), most = random() % all;
    size_t left = all, expected = 0;
    while (left > most && expected < turns.size())
      for (const size_t i : turns[expected++]) left -= lengths[i];
    counted = 0;
    const auto cut = cut_turns(messages, turns, most, count);
    EXPECT_EQ(cut->tokens, left) << roles << " " << most;
    EXPECT_LE(counted, 8u);
  }
}

TEST(Turns, AnErrorOfTheCounterIsOne) {
  const base::Json messages = chat("uau");
  const auto cut = cut_turns(messages, droppable_turns(messages, Overflow::drop_oldest), 1,
                             [](const base::Json&) -> base::Result<size_t> {
                               return base::Error{base::ErrorCode::invalid_argument, "the template refuses"};
                             });
  EXPECT_FALSE(cut.ok());
}

}  // namespace
}  // namespace ingle::server
