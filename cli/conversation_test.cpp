#include "cli/conversation.h"

#include <gtest/gtest.h>

#include "base/test_source_folder.h"
#include "core/engine/engine.h"

namespace ingle::cli {
namespace {

/// A tiny model without a chat template: the conversation is one growing text, one token a byte.
class ConversationTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = core::Engine::load(source_folder() + "/tests/data/models/llama.gguf", {.threads = 1});
    ASSERT_TRUE(loaded) << loaded.error().message;
    engine_ = std::move(*loaded);
    options_.sampling.temperature = 0;
    options_.max_tokens = 4;
  }
  Conversation start() { return *Conversation::start(*engine_); }
  std::string ask(Conversation& conversation, std::string_view text) {
    const auto result = conversation.ask(text, options_, keep_, {});
    EXPECT_TRUE(result) << result.error().message;
    return result ? result->text : "";
  }

  std::unique_ptr<core::Engine> engine_;
  core::GenerateOptions options_;
  std::function<bool(std::string_view)> keep_ = [](std::string_view) { return true; };
};

TEST_F(ConversationTest, ComputesOnlyWhatIsNew) {
  Conversation conversation = start();
  conversation.set_system("abc");
  ask(conversation, "de");
  EXPECT_EQ(conversation.reused_tokens(), 0u);
  ask(conversation, "fg");
  EXPECT_GE(conversation.reused_tokens(), 5u);
  EXPECT_EQ(conversation.messages().size(), 5u);
}

TEST_F(ConversationTest, AnswersAsIfComputedAnew) {
  options_.sampling.logit_bias = {{65, 100.0f}};  // answers that come back as the same tokens
  Conversation kept = start();
  ask(kept, "ab");
  const std::string second = ask(kept, "cd");
  Conversation fresh = start();
  ASSERT_TRUE(fresh.set_messages(kept.messages()));
  fresh.undo();
  EXPECT_EQ(ask(fresh, "cd"), second);
  EXPECT_EQ(fresh.messages(), kept.messages());
}

TEST_F(ConversationTest, PenaltiesSeeEarlierTurns) {
  // Tokens 65, 66, … in this order, as each is penalised once it stands in the conversation.
  for (int32_t i = 0; i < 8; ++i)
    options_.sampling.logit_bias.emplace_back(65 + i, 1000.0f - 20.0f * static_cast<float>(i));
  options_.sampling.presence_penalty = 500;
  Conversation kept = start();
  EXPECT_EQ(ask(kept, "ab"), "ABCD");
  EXPECT_EQ(ask(kept, "cd"), "EFGH");
  EXPECT_GT(kept.reused_tokens(), 0u);
  Conversation fresh = start();
  ASSERT_TRUE(fresh.set_messages(kept.messages()));
  fresh.undo();
  EXPECT_EQ(ask(fresh, "cd"), "EFGH");
}

TEST_F(ConversationTest, AChangedSystemPromptIsSeen) {
  Conversation conversation = start();
  conversation.set_system("abcdef");
  ask(conversation, "gh");
  conversation.set_system("abX");
  ask(conversation, "ij");
  EXPECT_EQ(conversation.reused_tokens(), 2u);
}

TEST_F(ConversationTest, TakesBackAMessageThatDoesNotFit) {
  Conversation conversation = start();
  ask(conversation, "ab");
  const uint32_t held = conversation.tokens_held();
  const auto result = conversation.ask(std::string(1000, 'x'), options_, keep_, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, base::ErrorCode::limit_exceeded);
  EXPECT_EQ(conversation.messages().size(), 2u);
  EXPECT_LE(conversation.tokens_held(), held + 1);
  ask(conversation, "cd");
  EXPECT_EQ(conversation.messages().size(), 4u);
}

TEST_F(ConversationTest, UndoRegenerateClear) {
  Conversation conversation = start();
  EXPECT_FALSE(conversation.undo());
  EXPECT_FALSE(conversation.regenerate(options_, keep_, {}));
  ask(conversation, "ab");
  const std::string first = conversation.messages()[1]["content"];
  const auto again = conversation.regenerate(options_, keep_, {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, first);  // greedy
  EXPECT_EQ(conversation.messages().size(), 2u);
  EXPECT_TRUE(conversation.undo());
  EXPECT_EQ(conversation.messages().size(), 0u);
  ask(conversation, "ab");
  conversation.clear();
  EXPECT_EQ(conversation.tokens_held(), 0u);
}

TEST_F(ConversationTest, CancelledBeforeTheFirstTokenLeavesNoTrace) {
  Conversation conversation = start();
  const auto result = conversation.ask("ab", options_, keep_, [] { return true; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, base::ErrorCode::cancelled);
  EXPECT_EQ(conversation.messages().size(), 0u);
}

TEST_F(ConversationTest, RefusesMessagesOfAnotherShape) {
  Conversation conversation = start();
  for (const char* bad : {"{}", "[1]", R"([{"role": "user"}])", R"([{"role": 1, "content": "x"}])"}) {
    EXPECT_FALSE(conversation.set_messages(*base::parse_json(bad))) << bad;
  }
}

}  // namespace
}  // namespace ingle::cli
