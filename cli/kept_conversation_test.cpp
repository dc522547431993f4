#include "cli/kept_conversation.h"

#include <gtest/gtest.h>

#include "base/test_source_folder.h"
#include "cli/conversation.h"
#include "core/engine/engine.h"

namespace ingle::cli {
namespace {

using assistant::ConversationStore;
using assistant::MessageState;
using assistant::Role;

std::unique_ptr<ConversationStore> open_store() {
  return *ConversationStore::open({.file = {}, .first_id = 1, .now_ms = {}});
}

/// Of one store; what it was told is in `told`.
class KeptConversationTest : public testing::Test {
 protected:
  std::unique_ptr<KeptConversation> keep(const assistant::Dialect* dialect = nullptr) {
    return std::make_unique<KeptConversation>(
        *store_, KeptConversation::Options{
                     .dialect = dialect, .writer = "writer", .model = "model", .tell = [this](const std::string& line) {
                       told_.push_back(line);
                     }});
  }
  std::vector<assistant::Message> all(int64_t conversation = 1) {
    const auto there = store_->messages(conversation);
    EXPECT_TRUE(there);
    return there ? there->messages : std::vector<assistant::Message>();
  }
  std::optional<int64_t> leaf(int64_t conversation = 1) { return store_->find(conversation)->leaf; }

  std::unique_ptr<ConversationStore> store_ = open_store();
  std::vector<std::string> told_;
};

/// A chat with a tiny model without a template.
class KeptChatTest : public KeptConversationTest {
 protected:
  void SetUp() override {
    auto loaded = core::Engine::load(source_folder() + "/tests/data/models/llama.gguf", {.threads = 1});
    ASSERT_TRUE(loaded) << loaded.error().message;
    engine_ = std::move(*loaded);
    options_.sampling.temperature = 0;
    options_.max_tokens = 4;
  }
  Conversation start() {
    Conversation conversation = *Conversation::start(*engine_);
    conversation.keep_in(keep());
    return conversation;
  }
  std::string ask(Conversation& conversation, std::string_view text) {
    const auto result = conversation.ask(text, options_, keep_on_, {});
    EXPECT_TRUE(result) << result.error().message;
    return result ? result->text : "";
  }

  std::unique_ptr<core::Engine> engine_;
  core::GenerateOptions options_;
  std::function<bool(std::string_view)> keep_on_ = [](std::string_view) { return true; };
};

TEST_F(KeptChatTest, KeepsWhatIsSaid) {
  Conversation chat = start();
  chat.set_system("Be kind.");
  EXPECT_TRUE(store_->list({})->empty()) << "nothing was said yet";
  const std::string first = ask(chat, "ab"), second = ask(chat, "cd");
  const auto kept = all();
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_EQ(kept[0].content, "ab");
  EXPECT_EQ(kept[1].content, first);
  EXPECT_EQ(kept[1].role, Role::assistant);
  EXPECT_EQ(kept[1].state, MessageState::complete);
  EXPECT_EQ(kept[1].model, "writer");
  EXPECT_EQ(kept[1].report["predicted_n"], 4);
  EXPECT_EQ(kept[3].content, second);
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(kept[i].parent, kept[i - 1].id);
  const auto conversation = *store_->find(1);
  EXPECT_EQ(conversation.title, "ab");
  EXPECT_EQ(conversation.system, "Be kind.");
  EXPECT_EQ(conversation.model, "model");
  chat.set_system("Be brief.");
  EXPECT_EQ(store_->find(1)->system, "Be brief.");
  EXPECT_TRUE(told_.empty());
}

TEST_F(KeptChatTest, AnotherAnswerIsASibling) {
  Conversation chat = start();
  ask(chat, "ab");
  ASSERT_TRUE(chat.regenerate(options_, keep_on_, {}));
  const auto kept = all();
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[1].parent, kept[0].id);
  EXPECT_EQ(kept[2].parent, kept[0].id);
  EXPECT_EQ(leaf(), kept[2].id);
  // One that comes to nothing leaves the one before.
  ASSERT_FALSE(chat.regenerate(options_, keep_on_, [] { return true; }));
  EXPECT_EQ(leaf(), kept[2].id);
  EXPECT_EQ(all().back().state, MessageState::stopped);
}

TEST_F(KeptChatTest, TakingBackMovesTheLeaf) {
  Conversation chat = start();
  ask(chat, "ab");
  const auto before = leaf();
  ask(chat, "cd");
  EXPECT_TRUE(chat.undo());
  EXPECT_EQ(leaf(), before);
  ask(chat, "ef");
  const auto kept = all();
  ASSERT_EQ(kept.size(), 6u) << "what was taken back stays a branch";
  EXPECT_EQ(kept[4].parent, before);
  chat.undo();
  chat.undo();
  EXPECT_EQ(leaf(), std::nullopt);
}

TEST_F(KeptChatTest, WhatFailsIsKeptBesideTheBranch) {
  Conversation chat = start();
  ask(chat, "ab");
  const auto before = leaf();
  ASSERT_FALSE(chat.ask(std::string(1000, 'x'), options_, keep_on_, {}));
  EXPECT_EQ(leaf(), before);
  const auto kept = all();
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_EQ(kept[2].content, std::string(1000, 'x')) << "a person sent it";
  EXPECT_EQ(kept[3].state, MessageState::failed);
  EXPECT_FALSE(kept[3].error.empty());
}

TEST_F(KeptChatTest, ClearingAndLoadingBeginNewOnes) {
  Conversation chat = start();
  ask(chat, "ab");
  const base::Json saved = chat.messages();
  chat.clear();
  ask(chat, "cd");
  ASSERT_EQ(store_->list({})->size(), 2u);
  ASSERT_TRUE(chat.set_messages(saved));
  EXPECT_EQ(store_->list({})->size(), 2u) << "nothing was said yet";
  ask(chat, "ef");
  const auto third = all(3);
  ASSERT_EQ(third.size(), 4u) << "with what was loaded";
  EXPECT_EQ(third[0].content, "ab");
  EXPECT_EQ(third[1].content, saved[1]["content"].get<std::string>());
  EXPECT_EQ(third[3].parent, third[2].id);
}

TEST_F(KeptChatTest, GoesOnWhereItEnded) {
  Conversation chat = start();
  chat.set_system("Be kind.");
  ask(chat, "ab");
  const base::Json said = chat.messages();
  Conversation again = start();
  ASSERT_TRUE(again.resume(*store_->find(1)));
  EXPECT_EQ(again.messages(), said);
  // Both go on: each has a branch of its own.
  ask(again, "cd");
  ask(chat, "ef");
  const auto kept = all();
  ASSERT_EQ(kept.size(), 6u);
  EXPECT_EQ(kept[2].parent, kept[1].id);
  EXPECT_EQ(kept[4].parent, kept[1].id);
  EXPECT_EQ(store_->list({})->size(), 1u);
}

TEST_F(KeptChatTest, AnUnansweredMessageCanBeAnswered) {
  ASSERT_TRUE(store_->create({}));
  ASSERT_TRUE(store_->add({.conversation = 1, .parent = {}, .role = Role::user, .content = "ab"}));
  Conversation chat = start();
  ASSERT_TRUE(chat.resume(*store_->find(1)));
  ASSERT_TRUE(chat.regenerate(options_, keep_on_, {}));
  EXPECT_EQ(all().back().parent, 1);
  EXPECT_EQ(chat.messages().size(), 2u);
}

TEST_F(KeptChatTest, DeletedElsewhereIsKeptNoMore) {
  Conversation chat = start();
  ask(chat, "ab");
  ASSERT_TRUE(store_->remove(1));
  ask(chat, "cd");
  ask(chat, "ef");
  chat.undo();
  chat.set_system("x");
  EXPECT_TRUE(store_->list({})->empty());
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_NE(told_[0].find("deleted elsewhere"), told_[0].npos);
  chat.clear();
  ask(chat, "gh");
  EXPECT_EQ(store_->list({})->size(), 1u) << "a new one is";
}

TEST_F(KeptChatTest, AMessageDeletedElsewhereIsNotBroughtBack) {
  Conversation chat = start();
  ask(chat, "ab");
  ASSERT_TRUE(store_->remove_message(1));
  ask(chat, "cd");
  EXPECT_TRUE(all().empty());
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(KeptChatTest, DeletedWhileItIsWritten) {
  Conversation chat = start();
  const auto result = chat.ask("ab", options_, [this](std::string_view) { return store_->remove(1).ok() || true; }, {});
  ASSERT_TRUE(result);
  EXPECT_TRUE(store_->list({})->empty());
  EXPECT_EQ(chat.messages().size(), 2u) << "the chat goes on";
}

TEST_F(KeptConversationTest, KeepsReasoningApart) {
  const assistant::Dialect* dialect = assistant::find_dialect("hermes");
  ASSERT_NE(dialect, nullptr);
  const auto kept = keep(dialect);
  std::vector<ChatMessage> messages = {{"user", "ab", {}}};
  kept->begin_reply(messages, "<|im_start|>assistant\n");
  for (const char* piece : {"<thi", "nk>\nWell", ".\n</thi", "nk>\n\nYes", "."}) kept->push(piece);
  const auto id = kept->end_reply(MessageState::complete, nullptr);
  ASSERT_TRUE(id);
  EXPECT_EQ(store_->message(*id)->reasoning, "Well.");
  EXPECT_EQ(store_->message(*id)->content, "Yes.");
  // Where the prompt opened it.
  kept->begin_reply(messages, "<|im_start|>assistant\n<think>\n");
  kept->push("Well.\n</think>\n\nNo.");
  const auto other = kept->end_reply(MessageState::complete, nullptr);
  ASSERT_TRUE(other);
  EXPECT_EQ(store_->message(*other)->reasoning, "Well.");
  EXPECT_EQ(store_->message(*other)->content, "No.");
  // And of what was loaded from a file.
  kept->begin_new();
  std::vector<ChatMessage> loaded = {{"user", "ab", {}}, {"assistant", "<think>\nHm.\n</think>\n\nSo.", {}}};
  kept->keep(loaded);
  EXPECT_EQ(store_->message(*loaded[1].id)->reasoning, "Hm.");
  EXPECT_EQ(store_->message(*loaded[1].id)->content, "So.");
}

TEST_F(KeptConversationTest, LeavesOutWhatIsBeingWrittenElsewhere) {
  ASSERT_TRUE(store_->create({}));
  const auto add = [&](std::optional<int64_t> parent, Role role, const char* text) {
    return store_->add({.conversation = 1, .parent = parent, .role = role, .content = text})->id;
  };
  const int64_t answer = add(add({}, Role::user, "ab"), Role::assistant, "cd");
  const auto writing = store_->begin_reply(1, add(answer, Role::user, "ef"), "other");
  ASSERT_TRUE(writing);
  const auto kept = keep();
  auto messages = kept->resume(*store_->find(1));
  ASSERT_TRUE(messages);
  ASSERT_EQ(messages->size(), 2u);
  EXPECT_EQ(messages->back().id, answer);
  (*writing)->finish(MessageState::complete, nullptr);
}

TEST_F(KeptConversationTest, TellsATroubleOnceAndCatchesUp) {
  const auto kept = keep();
  std::vector<ChatMessage> messages = {{"user", std::string(assistant::kLongestMessage + 1, 'x'), {}}};
  kept->keep(messages);
  kept->keep(messages);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_NE(told_[0].find("can't be kept for now"), told_[0].npos);
  messages[0].content = "ab";
  messages.push_back({"assistant", "cd", {}});
  kept->keep(messages);
  EXPECT_EQ(all().size(), 2u);
  EXPECT_EQ(told_.size(), 1u);
}

}  // namespace
}  // namespace ingle::cli
