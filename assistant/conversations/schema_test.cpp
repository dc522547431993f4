// Each version of the tables has a file in tests/data/conversations, which becomes one of this version here.
#include "assistant/conversations/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "assistant/conversations/conversation_store.h"
#include "base/test_source_folder.h"

namespace ingle::assistant {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

fs::path fixture(int64_t version) {
  return fs::path(source_folder()) / "tests/data/conversations" / ("version-" + std::to_string(version) + ".db");
}

std::unique_ptr<ConversationStore> open(const fs::path& file) {
  auto opened = ConversationStore::open({.file = file});
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  return opened.ok() ? std::move(*opened) : nullptr;
}

// What every fixture holds. What a later version adds to it, and its check, come behind a question for the version.
void fill(ConversationStore& store) {
  const auto folder = store.add_folder("Work");
  ASSERT_TRUE(store.add_preset({.name = "Brief", .system = "Be brief.", .parameters = {{"top_k", 5}}}).ok());
  const auto made = store.create({.title = "",
                                  .folder = folder->id,
                                  .pinned = true,
                                  .model = "m",
                                  .system = "Think.",
                                  .parameters = {{"temperature", 0.5}}});
  const auto file = store.add_attachment("notes.txt", std::string("raw\0bytes", 9), "the notes");
  const auto question = store.add({.conversation = made->id, .content = "What is 哈希表?", .attachments = {file->id}});
  const auto parent = question->id;
  ASSERT_TRUE(
      store.add({.conversation = made->id, .parent = parent, .role = Role::assistant, .content = "A map."}).ok());
  {
    const auto reply = *store.begin_reply(made->id, parent, "m");
    reply->push(LiveReply::Part::reasoning, "hm");
    reply->push(LiveReply::Part::content, "A table.");
    reply->finish(MessageState::stopped, {{"tokens", 3}});
  }
  ASSERT_TRUE(store.create({.title = "Empty"}).ok());
  ASSERT_TRUE(store.set_keep_days(90).ok());
}

void check(ConversationStore& store) {
  EXPECT_EQ(*store.keep_days(), 90);
  const auto folders = store.folders();
  ASSERT_THAT(*folders, SizeIs(1));
  EXPECT_EQ(folders->at(0).name, "Work");
  const auto presets = store.presets();
  ASSERT_THAT(*presets, SizeIs(1));
  EXPECT_EQ(presets->at(0).name, "Brief");
  EXPECT_EQ(presets->at(0).system, "Be brief.");
  EXPECT_EQ(presets->at(0).parameters, base::Json({{"top_k", 5}}));
  const auto list = store.list({});
  ASSERT_THAT(*list, SizeIs(2));
  EXPECT_EQ(list->at(0).size + list->at(1).size, 3);

  const auto found = store.search("哈希", 10);
  ASSERT_THAT(*found, Not(IsEmpty()));
  const auto read = store.messages(found->at(0).conversation);
  ASSERT_THAT(read->messages, SizeIs(3));
  const Conversation& conversation = read->conversation;
  EXPECT_EQ(conversation.title, "What is 哈希表?");
  EXPECT_EQ(conversation.folder, folders->at(0).id);
  EXPECT_TRUE(conversation.pinned);
  EXPECT_EQ(conversation.model, "m");
  EXPECT_EQ(conversation.system, "Think.");
  EXPECT_EQ(conversation.parameters, base::Json({{"temperature", 0.5}}));
  const Message &question = read->messages[0], &first = read->messages[1], &second = read->messages[2];
  EXPECT_EQ(question.role, Role::user);
  EXPECT_EQ(question.content, "What is 哈希表?");
  ASSERT_THAT(question.attachments, SizeIs(1));
  const auto file = store.attachment(question.attachments[0].id);
  EXPECT_EQ(file->name, "notes.txt");
  EXPECT_EQ(file->content, std::string("raw\0bytes", 9));
  EXPECT_EQ(file->text, "the notes");
  // Two branches.
  EXPECT_EQ(first.parent, question.id);
  EXPECT_EQ(first.role, Role::assistant);
  EXPECT_EQ(first.content, "A map.");
  EXPECT_EQ(second.parent, question.id);
  EXPECT_EQ(second.content, "A table.");
  EXPECT_EQ(second.reasoning, "hm");
  EXPECT_EQ(second.state, MessageState::stopped);
  EXPECT_EQ(second.model, "m");
  EXPECT_EQ(second.report, base::Json({{"tokens", 3}}));
  EXPECT_EQ(conversation.leaf, second.id);
}

class SchemaTest : public ::testing::Test {
 protected:
  SchemaTest() {
    std::string form = (fs::temp_directory_path() / "schema.XXXXXX").string();
    folder_ = ::mkdtemp(form.data());
  }
  ~SchemaTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

// Makes the fixture of a new version, once, before its first release:
// conversations_test --gtest_also_run_disabled_tests --gtest_filter='*MakesAFixture'
TEST_F(SchemaTest, DISABLED_MakesAFixture) {
  ASSERT_FALSE(fs::exists(fixture(schema_version()))) << "it would no longer be what that version wrote";
  fill(*open(folder_ / "made.db"));
  ASSERT_TRUE(open(folder_ / "made.db")->back_up(fixture(schema_version())).ok());
}

TEST_F(SchemaTest, FilesOfEveryVersionAreBroughtUpToDate) {
  for (int64_t version = 1; version <= schema_version(); ++version) {
    SCOPED_TRACE("version " + std::to_string(version));
    ASSERT_TRUE(fs::exists(fixture(version))) << "each version has its file: see MakesAFixture";
    const fs::path file = folder_ / "conversations.db", backup = file.string() + ".version-" + std::to_string(version);
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    fs::copy_file(fixture(version), file);
    {
      const auto store = open(file);
      ASSERT_TRUE(store);
      check(*store);
      if (version == schema_version()) {
        EXPECT_THAT(store->notices(), IsEmpty()) << "a step that was released was changed";
        EXPECT_FALSE(fs::exists(backup));
        continue;
      }
      EXPECT_THAT(store->notices(), ElementsAre(HasSubstr("brought up to date")));
    }
    auto earlier = Database::open(backup, Database::Mode::read_only);
    ASSERT_TRUE(earlier.ok()) << earlier.error().message;
    EXPECT_EQ(*version_of(*earlier), version);
    EXPECT_EQ(*earlier->text("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(*earlier->integer("SELECT count(*) FROM messages"), 3);
    EXPECT_EQ(open(file)->notices().size(), 0u) << "once is enough";
  }
}

// What is set up by hand and what is brought up to date have the same content.
TEST_F(SchemaTest, TheFixturesHoldWhatIsChecked) {
  fill(*open(folder_ / "made.db"));
  check(*open(folder_ / "made.db"));
}

}  // namespace
}  // namespace ingle::assistant
