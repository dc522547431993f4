#include "assistant/conversations/interchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::unique_ptr<ConversationStore> new_store() {
  auto store = ConversationStore::open({.file = {}, .first_id = 1, .now_ms = {}});
  EXPECT_TRUE(store.ok());
  return std::move(*store);
}

std::string exported(ConversationStore& store, ExportFormat format, std::optional<int64_t> one = {}) {
  std::string text;
  const auto done = export_conversations(store, format, one, [&](std::string_view piece) {
    text += piece;
    return base::Status();
  });
  EXPECT_TRUE(done.ok()) << done.error().message;
  return text;
}

/// The branch that is shown, "user: a|assistant: b".
std::string shown(ConversationStore& store, const Conversation& conversation) {
  std::string out;
  const auto branch = store.branch(conversation.leaf.value_or(0));
  if (!branch) return "";
  for (const Message& message : *branch)
    out += (out.empty() ? "" : "|") + std::string(role_name(message.role)) + ": " + message.content;
  return out;
}

TEST(Interchange, OurOwnFormComesBackWhole) {
  const auto store = new_store();
  const int64_t folder = store->add_folder("Work")->id;
  const auto made = store->create({.title = "Hash \"tables\"",
                                   .folder = folder,
                                   .pinned = true,
                                   .model = "m",
                                   .system = "Be brief.",
                                   .parameters = {{"top_k", 3}}});
  const int64_t file = store->add_attachment("a b.txt", std::string("x\0y", 3), "x y")->id;
  const int64_t question =
      store->add({.conversation = made->id, .content = "q </script> 你好", .attachments = {file}})->id;
  store->add({.conversation = made->id, .parent = question, .role = Role::assistant, .content = "one"}).value();
  store
      ->add({.conversation = made->id,
             .parent = question,
             .role = Role::assistant,
             .content = "two",
             .reasoning = "hm",
             .model = "m"})
      .value();
  const std::string text = exported(*store, ExportFormat::json);

  const auto other = new_store();
  auto count = import_conversations(*other, text);
  ASSERT_TRUE(count.ok()) << count.error().message;
  EXPECT_EQ(count->imported, 1);
  EXPECT_THAT(count->warnings, IsEmpty());
  const auto all = other->list({});
  ASSERT_THAT(*all, SizeIs(1));
  const Conversation& copy = all->front();
  EXPECT_EQ(copy.title, "Hash \"tables\"");
  EXPECT_TRUE(copy.pinned);
  EXPECT_EQ(copy.system, "Be brief.");
  EXPECT_EQ(copy.parameters["top_k"], 3);
  EXPECT_EQ(other->folders()->at(0).name, "Work");
  EXPECT_EQ(copy.folder, other->folders()->at(0).id);
  EXPECT_EQ(copy.size, 3);
  EXPECT_EQ(copy.created, made->created);
  EXPECT_EQ(shown(*other, copy), "user: q </script> 你好|assistant: two");
  const auto messages = other->messages(copy.id);
  EXPECT_EQ(messages->messages[2].reasoning, "hm");
  ASSERT_THAT(messages->messages[0].attachments, SizeIs(1));
  EXPECT_EQ(other->attachment(messages->messages[0].attachments[0].id)->content, std::string("x\0y", 3));
  EXPECT_THAT(*other->search("two", 9), SizeIs(1));

  // Neither here nor there is it taken twice.
  EXPECT_EQ(import_conversations(*other, text)->skipped, 1);
  EXPECT_EQ(import_conversations(*store, text)->skipped, 1);
  EXPECT_EQ(import_conversations(*store, exported(*other, ExportFormat::json))->skipped, 1);
}

TEST(Interchange, MarkdownIsForPeople) {
  const auto store = new_store();
  const int64_t id = store->create({.title = "Title"})->id;
  const int64_t question = store->add({.conversation = id, .content = "Why?"})->id;
  store
      ->add({.conversation = id,
             .parent = question,
             .role = Role::assistant,
             .content = "Because.",
             .reasoning = "a\nb",
             .model = "m"})
      .value();
  EXPECT_THAT(
      exported(*store, ExportFormat::markdown, id),
      testing::AllOf(HasSubstr("# Title\n\n"), HasSubstr("**You**\n\nWhy?\n\n**m**\n\n> a\n> b\n\nBecause.\n")));
}

// As OpenAI's export writes it, with a hidden system message, an edited question, thoughts, an image and a circle.
constexpr std::string_view kChatGpt = R"([{
  "title": "Quantum", "create_time": 1700000000.5, "update_time": 1700000100, "conversation_id": "abc", "current_node": "a2",
  "mapping": {
    "root": {"id": "root", "parent": null, "message": null, "children": ["s"]},
    "s": {"id": "s", "parent": "root", "children": ["u1", "u2"], "message": {"author": {"role": "system"},
      "content": {"content_type": "text", "parts": ["hidden"]}, "metadata": {"is_visually_hidden_from_conversation": true}}},
    "u1": {"id": "u1", "parent": "s", "children": [], "message": {"author": {"role": "user"}, "create_time": 1700000001.0,
      "content": {"content_type": "text", "parts": ["first"]}}},
    "u2": {"id": "u2", "parent": "s", "children": ["t"], "message": {"author": {"role": "user"}, "create_time": 1700000002.0,
      "content": {"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "second"]}}},
    "t": {"id": "t", "parent": "u2", "children": ["a2"], "message": {"author": {"role": "assistant"},
      "content": {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "thinking"}]}}},
    "a2": {"id": "a2", "parent": "t", "children": [], "message": {"author": {"role": "assistant"},
      "content": {"content_type": "text", "parts": ["answer"]}, "metadata": {"model_slug": "gpt-5"}}},
    "x": {"id": "x", "parent": "y", "message": {"author": {"role": "user"}, "content": {"parts": ["lost"]}}},
    "y": {"id": "y", "parent": "x", "message": {"author": {"role": "user"}, "content": {"parts": ["lost"]}}}
  }}, {"title": "no messages"}])";

TEST(Interchange, ReadsWhatChatGptExports) {
  const auto store = new_store();
  const auto count = import_conversations(*store, kChatGpt);
  ASSERT_TRUE(count.ok()) << count.error().message;
  EXPECT_EQ(count->imported, 1);
  EXPECT_THAT(count->warnings, SizeIs(2));
  const Conversation all = store->list({})->at(0);
  EXPECT_EQ(all.title, "Quantum");
  EXPECT_EQ(all.created, 1700000000500);
  EXPECT_EQ(all.size, 4);
  EXPECT_EQ(shown(*store, all), "user: [image_asset_pointer]\n\nsecond|assistant: |assistant: answer");
  const auto messages = store->messages(all.id)->messages;
  EXPECT_EQ(messages[0].content, "first");
  EXPECT_EQ(messages[0].parent, std::nullopt) << "what is hidden is no parent";
  EXPECT_EQ(messages[2].reasoning, "thinking");
  EXPECT_EQ(messages[3].model, "gpt-5");
  EXPECT_EQ(import_conversations(*store, kChatGpt)->skipped, 1);
}

constexpr std::string_view kOpenWebUi = R"([{
  "id": "w1", "title": "Web", "created_at": 1700000000, "updated_at": 1700000009, "pinned": true,
  "chat": {"title": "Web", "system": "S", "params": {"temperature": 0.2, "custom": 1}, "models": ["llama"],
    "history": {"currentId": "2", "messages": {
      "2": {"id": "2", "parentId": "1", "childrenIds": [], "role": "assistant", "model": "llama", "timestamp": 1700000002,
        "content": "<details type=\"reasoning\" done=\"true\" duration=\"2\">\n<summary>Thought for 2 seconds</summary>\n&gt; a &lt; b\n> c\n</details>\nyes"},
      "1": {"id": "1", "parentId": null, "childrenIds": ["2"], "role": "user", "timestamp": 1700000001, "content": "ok?"}}}}}])";

TEST(Interchange, ReadsWhatOpenWebUiExports) {
  const auto store = new_store();
  const auto count = import_conversations(*store, kOpenWebUi);
  ASSERT_TRUE(count.ok()) << count.error().message;
  const Conversation all = store->list({})->at(0);
  EXPECT_EQ(all.system, "S");
  EXPECT_EQ(all.parameters, base::Json({{"temperature", 0.2}}));
  EXPECT_TRUE(all.pinned);
  EXPECT_EQ(all.updated, 1700000009000);
  EXPECT_EQ(shown(*store, all), "user: ok?|assistant: yes");
  EXPECT_EQ(store->messages(all.id)->messages[1].reasoning, "a < b\nc");
  const std::string one(kOpenWebUi.substr(1, kOpenWebUi.size() - 2));
  EXPECT_EQ(import_conversations(*store, one)->skipped, 1);
}

TEST(Interchange, WhatIsNoExportIsRefused) {
  const auto store = new_store();
  EXPECT_EQ(import_conversations(*store, "no json").error().code, ErrorCode::corrupt);
  EXPECT_EQ(import_conversations(*store, "{\"a\": 1}").error().code, ErrorCode::unsupported);
  EXPECT_EQ(import_conversations(*store, "3").error().code, ErrorCode::unsupported);
  EXPECT_EQ(import_conversations(*store, R"({"format": "ingle-conversations", "version": 2})").error().code,
            ErrorCode::unsupported);
  EXPECT_EQ(import_conversations(*store, "[]")->imported, 0);
  EXPECT_THAT(*store->list({}), IsEmpty());
}

}  // namespace
}  // namespace ingle::assistant
