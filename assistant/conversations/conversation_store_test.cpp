#include "assistant/conversations/conversation_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <thread>

#include "assistant/conversations/retention.h"
#include "assistant/conversations/schema.h"
#include "assistant/conversations/words.h"

namespace ingle::assistant {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Status;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// A folder of its own, and stores in it.
class ConversationStoreTest : public ::testing::Test {
 protected:
  ConversationStoreTest() {
    std::string form = (fs::temp_directory_path() / "conversations.XXXXXX").string();
    folder_ = ::mkdtemp(form.data());
  }
  ~ConversationStoreTest() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  fs::path file() const { return folder_ / "data" / "conversations.db"; }

  void open(const fs::path& path) {
    auto opened = ConversationStore::open({.file = path, .now_ms = [this] { return ++time_; }});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(*opened);
  }
  void reopen() {
    store_.reset();
    open(file());
  }

  int64_t conversation(const std::string& title = {}) {
    const auto made = store_->create({.title = title});
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made->id;
  }
  int64_t add(int64_t conversation, std::optional<int64_t> parent, const std::string& text, Role role = Role::user) {
    const auto made = store_->add({.conversation = conversation, .parent = parent, .role = role, .content = text});
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made->id;
  }
  std::vector<std::string> found(const std::string& words) {
    std::vector<std::string> out;
    const auto result = store_->search(words, 100);
    EXPECT_TRUE(result.ok()) << result.error().message;
    for (const Found& each : *result) {
      std::string text;
      for (const Found::Part& part : each.snippet) text += part.match ? "[" + part.text + "]" : part.text;
      out.push_back(text);
    }
    return out;
  }

  fs::path folder_;
  int64_t time_ = 1'700'000'000'000;
  std::unique_ptr<ConversationStore> store_;
};

/// Until it holds, at most so long.
bool soon(const std::function<bool()>& holds, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

TEST_F(ConversationStoreTest, IsItsOwnersAlone) {
  const mode_t mask = ::umask(0);
  open(file());
  add(conversation(), {}, "secret");
  ::umask(mask);
  for (const auto& entry : fs::directory_iterator(file().parent_path()))
    EXPECT_EQ(entry.status().permissions() & fs::perms(077), fs::perms::none) << entry.path();
  EXPECT_EQ(fs::status(file().parent_path()).permissions() & fs::perms(077), fs::perms::none);
}

TEST_F(ConversationStoreTest, KeepsAConversation) {
  open(file());
  const auto folder = store_->add_folder("Work");
  ASSERT_TRUE(folder.ok());
  const auto made = store_->create({.title = "",
                                    .folder = folder->id,
                                    .pinned = true,
                                    .model = "m",
                                    .system = "Be brief.",
                                    .parameters = {{"temperature", 0.5}}});
  ASSERT_TRUE(made.ok()) << made.error().message;
  const int64_t question = add(made->id, {}, "  What is a hash table?\nAnswer soon.");
  const int64_t answer = add(made->id, question, "A map.", Role::assistant);
  reopen();
  const auto read = store_->messages(made->id);
  ASSERT_TRUE(read.ok());
  const Conversation& now = read->conversation;
  EXPECT_EQ(now.title, "What is a hash table?");
  EXPECT_EQ(now.folder, folder->id);
  EXPECT_TRUE(now.pinned);
  EXPECT_EQ(now.model, "m");
  EXPECT_EQ(now.system, "Be brief.");
  EXPECT_EQ(now.parameters, base::Json({{"temperature", 0.5}}));
  EXPECT_EQ(now.leaf, answer);
  EXPECT_EQ(now.size, 2);
  ASSERT_THAT(read->messages, SizeIs(2));
  EXPECT_EQ(read->messages[0].content, "  What is a hash table?\nAnswer soon.");
  EXPECT_EQ(read->messages[1].parent, question);
  EXPECT_EQ(read->messages[1].role, Role::assistant);
}

TEST_F(ConversationStoreTest, BranchesAreKept) {
  open(file());
  const int64_t id = conversation("t");
  const int64_t a = add(id, {}, "a"), b = add(id, a, "b", Role::assistant), c = add(id, b, "c");
  const int64_t edited = add(id, b, "c2"), d = add(id, edited, "d", Role::assistant);
  const auto branch = store_->branch(d);
  ASSERT_TRUE(branch.ok());
  std::vector<int64_t> ids;
  for (const Message& message : *branch) ids.push_back(message.id);
  EXPECT_THAT(ids, ElementsAre(a, b, edited, d));
  EXPECT_EQ(store_->find(id)->leaf, d);
  EXPECT_EQ(store_->branch(c)->size(), 3u);
  EXPECT_EQ(store_->branch(99).error().code, ErrorCode::not_found);
}

TEST_F(ConversationStoreTest, RefusesWhatDoesNotBelongTogether) {
  open(file());
  const int64_t one = conversation("1"), two = conversation("2");
  const int64_t message = add(one, {}, "x");
  EXPECT_EQ(store_->add({.conversation = two, .parent = message, .content = "y"}).error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(store_->add({.conversation = 77, .content = "y"}).error().code, ErrorCode::not_found);
  EXPECT_EQ(store_->create({.folder = 5}).error().code, ErrorCode::not_found);
  const auto foreign_leaf = store_->update(two, [&](Conversation& now) {
    now.leaf = message;
    return base::Status();
  });
  EXPECT_EQ(foreign_leaf.error().code, ErrorCode::not_found);
  EXPECT_EQ(store_->add({.conversation = one, .content = "\xff"}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(store_->add({.conversation = one, .content = std::string(kLongestMessage + 1, 'x')}).error().code,
            ErrorCode::limit_exceeded);
  EXPECT_EQ(store_->begin_reply(two, message, "m").error().code, ErrorCode::not_found);
  EXPECT_EQ(store_->messages(two)->messages.size(), 0u);
}

TEST_F(ConversationStoreTest, TellsWhatChangedSince) {
  open(file());
  const int64_t id = conversation("t");
  const int64_t a = add(id, {}, "a");
  const int64_t then = store_->find(id)->changed;
  const int64_t b = add(id, a, "b");
  auto news = store_->messages(id, then);
  ASSERT_TRUE(news.ok());
  EXPECT_FALSE(news->whole);
  ASSERT_THAT(news->messages, SizeIs(1));
  EXPECT_EQ(news->messages[0].id, b);
  ASSERT_TRUE(store_->remove_message(b).ok());
  news = store_->messages(id, then);
  EXPECT_TRUE(news->whole);
  ASSERT_THAT(news->messages, SizeIs(1));
  EXPECT_EQ(news->conversation.leaf, a);
}

TEST_F(ConversationStoreTest, DeletesLongConversationsWhole) {
  open(file());
  const int64_t id = conversation("long");
  std::optional<int64_t> parent;
  int64_t third = 0;
  for (int i = 0; i < 2500; ++i) {
    parent = add(id, parent, "word" + std::to_string(i));
    if (i == 2) third = *parent;
  }
  EXPECT_EQ(store_->branch(*parent)->size(), 2500u);
  ASSERT_TRUE(store_->remove_message(third).ok());
  EXPECT_EQ(store_->find(id)->size, 2);
  EXPECT_THAT(found("word1"), ElementsAre("[word1]"));
  ASSERT_TRUE(store_->remove(id).ok());
  EXPECT_THAT(found("word1"), IsEmpty());
  EXPECT_EQ(store_->remove(id).error().code, ErrorCode::not_found);
}

TEST_F(ConversationStoreTest, FindsWordsOfAllScripts) {
  open(file());
  const int64_t id = conversation("量子物理");
  add(id, {}, "What is a Hash Table? Übergrößen are naïve.");
  add(id, {}, "今天天气很好,我们去公园散步。");
  add(id, {}, "東京都に行きました");
  EXPECT_THAT(found("hash tab"), ElementsAre("What is a [Hash] [Table]? Übergrößen are naïve."));
  EXPECT_THAT(found("\"table hash\""), IsEmpty());
  EXPECT_THAT(found("ubergross NAIVE"), SizeIs(1));
  EXPECT_THAT(found("天气"), ElementsAre("今天[天气]很好,我们去公园散步。"));
  EXPECT_THAT(found("气天"), IsEmpty());
  EXPECT_THAT(found("公园 天"), SizeIs(1));
  EXPECT_THAT(found("行き"), SizeIs(1));
  EXPECT_THAT(found("量子"), ElementsAre("[量子]物理"));
  EXPECT_THAT(found("\" ' * : ^ ( NEAR"), IsEmpty());
}

TEST_F(ConversationStoreTest, SearchFollowsChanges) {
  open(file());
  const int64_t id = conversation("apple");
  const int64_t message = add(id, {}, "pear");
  ASSERT_TRUE(store_
                  ->update(id,
                           [](Conversation& now) {
                             now.title = "banana";
                             return base::Status();
                           })
                  .ok());
  EXPECT_THAT(found("apple"), IsEmpty());
  EXPECT_THAT(found("banana"), SizeIs(1));
  auto reply = store_->begin_reply(id, message, "m");
  ASSERT_TRUE(reply.ok());
  (*reply)->push(LiveReply::Part::content, "cherry");
  EXPECT_THAT(found("cherry"), IsEmpty());
  (*reply)->finish(MessageState::complete, nullptr);
  // Before the end is written: everybody knows of it.
  reply = store_->continue_reply((*reply)->message(), "m");
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_THAT(found("cherry"), IsEmpty());
  (*reply)->push(LiveReply::Part::content, " plum");
  (*reply)->finish(MessageState::complete, nullptr);
  EXPECT_TRUE(soon([&] { return found("plum").size() == 1; }));
  EXPECT_THAT(found("cherry"), ElementsAre("[cherry] plum"));
  ASSERT_TRUE(store_->remove_all().ok());
  for (const char* word : {"banana", "pear", "cherry", "plum"}) EXPECT_THAT(found(word), IsEmpty());
}

TEST_F(ConversationStoreTest, DeletedTextIsNowhereInTheFiles) {
  open(file());
  const int64_t id = conversation("xylophone");
  add(id, {}, "zeppelin");
  ASSERT_TRUE(store_->add_attachment("quokka.txt", "wombat", "wombat").ok());
  EXPECT_EQ(*store_->remove_all(), 1);
  for (const auto& entry : fs::directory_iterator(file().parent_path())) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    for (const char* word : {"xylophone", "zeppelin", "quokka", "wombat"})
      EXPECT_EQ(bytes.find(word), std::string::npos) << word << " in " << entry.path();
  }
}

TEST_F(ConversationStoreTest, ListsTheLatestFirst) {
  open(file());
  std::vector<int64_t> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(conversation(std::to_string(i)));
  add(ids[1], {}, "news");
  const auto titles = [&](const ConversationStore::ListQuery& query) {
    std::string all;
    const auto list = store_->list(query);
    for (const Conversation& each : *list) all += each.title;
    return all;
  };
  EXPECT_EQ(titles({}), "14320");
  EXPECT_EQ(titles({.limit = 2}), "14");
  EXPECT_EQ(titles({.before = store_->find(ids[4])->updated}), "320");
  EXPECT_EQ(*store_->remove_before(store_->find(ids[3])->updated), 2);
  EXPECT_EQ(titles({}), "143");
}

TEST_F(ConversationStoreTest, WhatIsTooOldGoes) {
  constexpr int64_t kDay = 86'400'000;
  time_ = 100 * kDay;
  open(file());
  const int64_t pinned = conversation("pinned"), writing = conversation("writing"), touched = conversation("touched");
  ASSERT_TRUE(store_
                  ->update(pinned,
                           [](Conversation& now) {
                             now.pinned = true;
                             return Status();
                           })
                  .ok());
  const auto reply = *store_->begin_reply(writing, add(writing, {}, "x"), "m");
  const int64_t old = conversation("zeppelin");
  add(old, {}, "quokka");
  ASSERT_TRUE(store_->add_attachment("never sent", "wombat", "wombat").ok());
  const int64_t last = store_->find(old)->updated;
  time_ += 30 * kDay;
  add(touched, {}, "x");
  EXPECT_THAT(*store_->untouched_since(last), IsEmpty()) << "exactly so old is not older";
  const auto would = *store_->untouched_since(last + 1);
  ASSERT_THAT(would, SizeIs(1));
  EXPECT_EQ(would[0].id, old);
  EXPECT_EQ(*store_->remove_before(last + 1), 1);
  EXPECT_EQ(store_->find(old).error().code, ErrorCode::not_found);
  for (const int64_t kept : {pinned, writing, touched}) EXPECT_TRUE(store_->find(kept).ok()) << kept;
  reply->finish(MessageState::complete, nullptr);
  store_.reset();
  for (const auto& each : fs::directory_iterator(file().parent_path()))
    for (const char* word : {"zeppelin", "quokka", "wombat"})
      EXPECT_THAT(base::read_file(each.path(), 1 << 24).value(), Not(HasSubstr(word))) << each.path();
}

TEST_F(ConversationStoreTest, WordsOfASingleDeletionLeaveTheIndex) {
  open(file());
  // Several parts of the index are older than what goes, and others are newer.
  const int64_t kept = conversation("kept");
  for (int i = 0; i < 40; ++i) add(kept, {}, "before " + std::to_string(i) + " " + std::string(200, 'k'));
  const int64_t gone = conversation("zeppelin"), branched = conversation("branched");
  add(gone, {}, "quokka");
  const int64_t message = add(branched, {}, "wombat");
  for (int i = 0; i < 40; ++i) add(kept, {}, "after " + std::to_string(i));
  ASSERT_TRUE(store_->remove(gone).ok());
  ASSERT_TRUE(store_->remove_message(message).ok());
  const auto left = [&] {
    std::vector<std::string> words;
    for (const auto& each : fs::directory_iterator(file().parent_path())) {
      const std::string bytes = base::read_file(each.path(), 1 << 24).value();
      for (const char* word : {"zeppelin", "quokka", "wombat"})
        if (bytes.find(word) != std::string::npos) words.push_back(word + (" in " + each.path().filename().string()));
    }
    return words;
  };
  // By itself, while the store is open.
  for (int i = 0; i < 100 && !left().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_THAT(left(), IsEmpty());
  EXPECT_THAT(*store_->search("after", 100), SizeIs(40));
  EXPECT_THAT(*store_->search("quokka", 100), IsEmpty());
  // Closed right after the deletion.
  const int64_t last = conversation("quokka");
  ASSERT_TRUE(store_->remove(last).ok());
  store_.reset();
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(ConversationStoreTest, RemembersHowLongToKeep) {
  open(file());
  EXPECT_EQ(*store_->keep_days(), kForever);
  std::vector<Change> told;
  uint64_t id = 0;
  ASSERT_TRUE(store_->subscribe(id, [&](const Change& change) { told.push_back(change); }).ok());
  ASSERT_TRUE(store_->set_keep_days(30).ok());
  store_->unsubscribe(id);
  EXPECT_THAT(told, IsEmpty()) << "no list has changed";
  EXPECT_EQ(store_->set_keep_days(-1).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(store_->set_keep_days(kLongestKept + 1).error().code, ErrorCode::invalid_argument);
  open(file());
  EXPECT_EQ(*store_->keep_days(), 30);
}

TEST_F(ConversationStoreTest, AttachmentsBelongToOneMessage) {
  open(file());
  const auto attached = store_->add_attachment("a.txt", "héllo", "héllo");
  ASSERT_TRUE(attached.ok());
  EXPECT_EQ(attached->bytes, 6u);
  EXPECT_EQ(attached->characters, 5u);
  const int64_t id = conversation("t");
  const auto sent = store_->add({.conversation = id, .content = "see", .attachments = {attached->id}});
  ASSERT_TRUE(sent.ok());
  ASSERT_THAT(sent->attachments, SizeIs(1));
  EXPECT_EQ(sent->attachments[0].name, "a.txt");
  EXPECT_EQ(store_->add({.conversation = id, .content = "again", .attachments = {attached->id}}).error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(store_->find(id)->size, 1) << "the message that was refused is not there";
  EXPECT_EQ(store_->attachment(attached->id)->content, "héllo");
  ASSERT_TRUE(store_->remove(id).ok());
  EXPECT_EQ(store_->attachment(attached->id).error().code, ErrorCode::not_found);
}

TEST_F(ConversationStoreTest, FoldersAndPresets) {
  open(file());
  const auto folder = store_->add_folder("b");
  ASSERT_TRUE(store_->add_folder("A").ok());
  EXPECT_EQ(store_->add_folder("").error().code, ErrorCode::invalid_argument);
  const int64_t id = store_->create({.title = "t", .folder = folder->id})->id;
  ASSERT_TRUE(store_->rename_folder(folder->id, "c").ok());
  const auto folders = store_->folders();
  ASSERT_THAT(*folders, SizeIs(2));
  EXPECT_EQ((*folders)[1].name, "c");
  ASSERT_TRUE(store_->remove_folder(folder->id).ok());
  EXPECT_EQ(store_->find(id)->folder, std::nullopt);
  auto preset = store_->add_preset({.name = "p", .system = "s", .parameters = {{"top_k", 1}}});
  ASSERT_TRUE(preset.ok());
  preset->name = "q";
  ASSERT_TRUE(store_->update_preset(*preset).ok());
  EXPECT_EQ(store_->presets()->at(0).name, "q");
  ASSERT_TRUE(store_->remove_preset(preset->id).ok());
  EXPECT_EQ(store_->remove_preset(preset->id).error().code, ErrorCode::not_found);
}

// ---- replies

TEST_F(ConversationStoreTest, AReplyIsSeenWhileItGrows) {
  open(file());
  const int64_t id = conversation("t");
  const auto reply = *store_->begin_reply(id, add(id, {}, "q"), "m");
  std::vector<Change> deltas;
  uint64_t listener = 0;
  ASSERT_TRUE(store_
                  ->subscribe(listener,
                              [&](const Change& change) {
                                if (change.kind == Change::Kind::delta) deltas.push_back(change);
                              })
                  .ok());
  EXPECT_TRUE(reply->push(LiveReply::Part::reasoning, "hm"));
  EXPECT_TRUE(reply->push(LiveReply::Part::content, "a😀"));
  EXPECT_TRUE(reply->push(LiveReply::Part::content, "é."));
  ASSERT_THAT(deltas, SizeIs(3));
  EXPECT_EQ(deltas[2].delta.at, 3u);
  Message now = *store_->message(reply->message());
  EXPECT_EQ(now.state, MessageState::writing);
  EXPECT_EQ(now.content, "a😀é.");
  EXPECT_EQ(now.reasoning, "hm");
  EXPECT_TRUE(store_->find(id)->writing);
  reply->finish(MessageState::complete, {{"predicted_n", 3}});
  EXPECT_TRUE(soon([&] { return !store_->find(id)->writing; }));
  EXPECT_FALSE(reply->push(LiveReply::Part::content, "more"));
  store_->unsubscribe(listener);
  reopen();
  now = *store_->message(reply->message());
  EXPECT_EQ(now.state, MessageState::complete);
  EXPECT_EQ(now.content, "a😀é.");
  EXPECT_EQ(now.report["predicted_n"], 3);
}

TEST_F(ConversationStoreTest, StoppingAsksTheWriter) {
  open(file());
  const int64_t id = conversation("t");
  const auto reply = *store_->begin_reply(id, {}, "m");
  int stops = 0;
  reply->on_stop([&] { ++stops; });
  reply->push(LiveReply::Part::content, "half");
  ASSERT_TRUE(store_->stop_reply(reply->message()).ok());
  ASSERT_TRUE(store_->stop_reply(reply->message()).ok());
  EXPECT_EQ(stops, 1);
  EXPECT_FALSE(reply->push(LiveReply::Part::content, "more"));
  reply->finish(MessageState::failed, nullptr, "cancelled");
  EXPECT_TRUE(soon([&] { return store_->message(reply->message())->state == MessageState::stopped; }));
  EXPECT_EQ(store_->message(reply->message())->content, "half");
}

TEST_F(ConversationStoreTest, DeletingStopsWhatIsWritten) {
  open(file());
  const int64_t id = conversation("t");
  const auto reply = *store_->begin_reply(id, {}, "m");
  std::atomic<bool> stopped = false;
  reply->on_stop([&] { stopped = true; });
  ASSERT_TRUE(store_->remove(id).ok());
  EXPECT_TRUE(stopped);
  reply->finish(MessageState::stopped, nullptr);
  EXPECT_EQ(store_->find(id).error().code, ErrorCode::not_found);
}

TEST_F(ConversationStoreTest, AStoreThatEndsKeepsWhatThereIs) {
  open(file());
  const int64_t id = conversation("t");
  const auto reply = *store_->begin_reply(id, {}, "m");
  reply->push(LiveReply::Part::content, "half");
  reopen();
  const Message message = *store_->message(reply->message());
  EXPECT_EQ(message.state, MessageState::interrupted);
  EXPECT_EQ(message.content, "half");
}

// ---- several processes

/// Runs in a child process, which ends by _exit(0) or is killed.
class Child {
 public:
  explicit Child(const std::function<void()>& work) : pid_(::fork()) {
    if (pid_ == 0) {
      work();
      ::_exit(0);
    }
  }
  ~Child() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

 private:
  pid_t pid_;
};

TEST_F(ConversationStoreTest, KillLosesNoMoreThanAQuarterOfASecond) {
  for (int round = 0; round < 4; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    fs::remove_all(file().parent_path());
    int64_t killed = 0;  // ms
    {
      Child child([&] {
        auto store = ConversationStore::open({.file = file()});
        const int64_t id = (*store)->create({.title = "t"})->id;
        const auto question = (*store)->add({.conversation = id, .content = "sent"});
        const auto reply = *(*store)->begin_reply(id, question->id, "m");
        for (int i = 0; i < 100'000; ++i) {
          const std::string word = std::to_string(i) + " ";
          reply->push(LiveReply::Part::content, word);
          const auto now = std::chrono::steady_clock::now().time_since_epoch();
          const std::pair<int, int64_t> said{i, std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
          if (::write(pipe_ends[1], &said, sizeof(said)) != sizeof(said)) return;
          std::this_thread::sleep_for(std::chrono::milliseconds(3));
        }
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(900 + 37 * round));
      killed =
          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
              .count();  // before it is: a busy machine may take long to bury it
      child.kill();
    }
    ::close(pipe_ends[1]);
    std::pair<int, int64_t> said;
    int must_have = -1;
    while (::read(pipe_ends[0], &said, sizeof(said)) == sizeof(said))
      if (said.second <= killed - 250) must_have = said.first;
    ::close(pipe_ends[0]);
    open(file());
    const auto messages = store_->messages(store_->list({})->at(0).id);
    ASSERT_THAT(messages->messages, SizeIs(2));
    EXPECT_EQ(messages->messages[0].content, "sent");
    EXPECT_EQ(messages->messages[1].state, MessageState::interrupted);
    ASSERT_GT(must_have, 20) << "the child had written something";
    EXPECT_THAT(messages->messages[1].content, HasSubstr(" " + std::to_string(must_have) + " "));
    EXPECT_EQ(messages->messages[1].content.rfind("0 1 2 ", 0), 0u);
    store_.reset();
  }
}

TEST_F(ConversationStoreTest, ProcessesSeeEachOthersChanges) {
  open(file());
  const int64_t id = conversation("t");
  std::mutex mutex;
  std::vector<int64_t> told, deleted;
  uint64_t listener = 0;
  ASSERT_TRUE(store_
                  ->subscribe(listener,
                              [&](const Change& change) {
                                const std::lock_guard lock(mutex);
                                if (change.kind == Change::Kind::conversation) told.push_back(change.conversation.size);
                                if (change.kind == Change::Kind::deleted) deleted.push_back(change.id);
                              })
                  .ok());
  auto other = ConversationStore::open({.file = file()});
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE((*other)->add({.conversation = id, .content = "from elsewhere"}).ok());
  EXPECT_TRUE(soon([&] {
    const std::lock_guard lock(mutex);
    return !told.empty() && told.back() == 1;
  }));
  // A reply of the other store is its own, and can't be stopped or continued from here.
  const auto reply = *(*other)->begin_reply(id, {}, "m");
  EXPECT_EQ(store_->stop_reply(reply->message()).error().code, ErrorCode::busy);
  EXPECT_EQ(store_->continue_reply(reply->message(), "m").error().code, ErrorCode::busy);
  reply->push(LiveReply::Part::content, "word by word");
  EXPECT_TRUE(soon([&] { return store_->message(reply->message())->content == "word by word"; }));
  EXPECT_EQ(store_->message(reply->message())->state, MessageState::writing);
  // Deleted here, it is stopped there.
  std::atomic<bool> stopped = false;
  reply->on_stop([&] { stopped = true; });
  ASSERT_TRUE(store_->remove(id).ok());
  reply->push(LiveReply::Part::content, "!");
  EXPECT_TRUE(soon([&] { return stopped.load(); }));
  reply->finish(MessageState::stopped, nullptr);
  EXPECT_TRUE(soon([&] {
    const std::lock_guard lock(mutex);
    return deleted == std::vector<int64_t>{id};
  }));
  other->reset();
  store_->unsubscribe(listener);
}

TEST_F(ConversationStoreTest, TwoWritersLoseNothing) {
  open(file());
  const int64_t id = conversation("t");
  auto other = ConversationStore::open({.file = file()});
  const auto write = [id](ConversationStore& store, const std::string& name) {
    for (int i = 0; i < 60; ++i) {
      const auto added = store.add({.conversation = id, .content = name + std::to_string(i)});
      EXPECT_TRUE(added.ok()) << added.error().message;
    }
  };
  std::thread here([&] { write(*store_, "a"); }), there([&] { write(**other, "b"); });
  here.join();
  there.join();
  EXPECT_EQ(store_->find(id)->size, 120);
}

// ---- what goes wrong

TEST_F(ConversationStoreTest, AFullDiskLosesNothingThatWasThere) {
  open(file());
  const int64_t id = conversation("t");
  const int64_t question = add(id, {}, "question");
  const auto reply = *store_->begin_reply(id, question, "m");
  std::mutex mutex;
  std::vector<std::string> trouble;
  uint64_t listener = 0;
  ASSERT_TRUE(store_
                  ->subscribe(listener,
                              [&](const Change& change) {
                                const std::lock_guard lock(mutex);
                                if (change.kind == Change::Kind::trouble) trouble.push_back(change.text);
                              })
                  .ok());
  // No file may grow any more: SIGXFSZ is ignored, so that writes fail as on a full disk.
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit files = {};
  ::getrlimit(RLIMIT_FSIZE, &files);
  rlimit none = files;
  none.rlim_cur = 4096;
  ::setrlimit(RLIMIT_FSIZE, &none);
  reply->push(LiveReply::Part::content, std::string(100'000, 'x'));
  EXPECT_TRUE(soon([&] {
    const std::lock_guard lock(mutex);
    return !trouble.empty();
  }));
  const auto refused = store_->add({.conversation = id, .content = std::string(100'000, 'y')});
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(store_->message(reply->message())->content.size(), 100'000u) << "it can be read";
  reply->finish(MessageState::complete, nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_EQ(store_->message(reply->message())->state, MessageState::complete);
  ::setrlimit(RLIMIT_FSIZE, &files);
  ::signal(SIGXFSZ, before);
  EXPECT_TRUE(soon([&] {
    const std::lock_guard lock(mutex);
    return trouble.size() == 2 && trouble[1].empty();
  }));
  store_->unsubscribe(listener);
  reopen();
  const auto messages = store_->messages(id);
  ASSERT_THAT(messages->messages, SizeIs(2));
  EXPECT_EQ(messages->messages[0].content, "question");
  EXPECT_EQ(messages->messages[1].content.size(), 100'000u);
  EXPECT_EQ(messages->messages[1].state, MessageState::complete);
}

void overwrite(const fs::path& file, uint64_t offset, size_t bytes, char with) {
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(offset));
  out << std::string(bytes, with);
}

TEST_F(ConversationStoreTest, ADamagedFileIsSalvaged) {
  open(file());
  std::vector<int64_t> ids;
  for (int i = 0; i < 40; ++i) {
    ids.push_back(conversation("title " + std::to_string(i)));
    std::optional<int64_t> parent;
    for (int k = 0; k < 10; ++k) parent = add(ids.back(), parent, "text " + std::to_string(k) + std::string(600, 'w'));
  }
  store_.reset();
  const uint64_t size = fs::file_size(file());
  overwrite(file(), size / 2 / 4096 * 4096, 3 * 4096, '\xa5');
  open(file());
  ASSERT_THAT(store_->notices(), SizeIs(1));
  EXPECT_THAT(store_->notices()[0], HasSubstr("damaged"));
  int64_t messages = 0;
  const auto list = store_->list({.limit = 1000});
  for (const Conversation& each : *list) {
    const auto read = store_->messages(each.id);
    ASSERT_TRUE(read.ok());
    messages += static_cast<int64_t>(read->messages.size());
    ASSERT_TRUE(each.leaf.has_value());
    EXPECT_TRUE(store_->branch(*each.leaf).ok());
  }
  EXPECT_GE(messages, 360) << "of 400";
  EXPECT_GE(list->size(), 36u);
  EXPECT_FALSE(found("title").empty());
  add(list->at(0).id, list->at(0).leaf, "goes on");
  // The damaged one is there still.
  const auto is_aside = [](const auto& entry) { return entry.path().string().find(".damaged-") != std::string::npos; };
  fs::directory_iterator files(file().parent_path());
  EXPECT_TRUE(std::any_of(begin(files), end(files), is_aside));
  reopen();
  EXPECT_THAT(store_->notices(), IsEmpty());
}

TEST_F(ConversationStoreTest, NoDamageStopsIt) {
  open(file());
  for (int i = 0; i < 10; ++i) add(conversation("t" + std::to_string(i)), {}, std::string(3000, 'w'));
  store_.reset();
  const fs::path good = folder_ / "good.db";
  fs::copy_file(file(), good);
  const uint64_t size = fs::file_size(good);
  std::mt19937_64 random(1);
  for (int round = 0; round < 60; ++round) {
    fs::remove_all(file().parent_path());
    fs::create_directories(file().parent_path());
    fs::copy_file(good, file());
    if (round % 3 == 0) {
      overwrite(file(), random() % size, 1 + random() % 2000, static_cast<char>(random()));
    } else if (round % 3 == 1) {
      fs::resize_file(file(), random() % size);
    } else {
      for (int i = 0; i < 30; ++i) overwrite(file(), random() % size, 1, static_cast<char>(random()));
    }
    open(file());
    if (HasFatalFailure()) FAIL() << "round " << round;
    const auto made = store_->create({.title = "after"});
    ASSERT_TRUE(made.ok()) << made.error().message;
    ASSERT_TRUE(store_->add({.conversation = made->id, .content = "x"}).ok());
    store_.reset();
  }
}

TEST_F(ConversationStoreTest, RefusesOthersFiles) {
  fs::create_directories(file().parent_path());
  {
    auto other = Database::open(file(), Database::Mode::create);
    ASSERT_TRUE(other->script("CREATE TABLE t (x); PRAGMA user_version = 7").ok());
  }
  open(file());
  ASSERT_THAT(store_->notices(), SizeIs(1)) << "it was set aside";
  store_.reset();
  {
    auto later = Database::open(file(), Database::Mode::create);
    ASSERT_TRUE(later->script("PRAGMA user_version = " + std::to_string(schema_version() + 1)).ok());
  }
  const auto refused = ConversationStore::open({.file = file()});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("newer Ingle"));
}

TEST_F(ConversationStoreTest, ABackupIsWhole) {
  open(file());
  const int64_t id = conversation("t");
  add(id, {}, "kept");
  const fs::path copy = folder_ / "backup.db";
  ASSERT_TRUE(store_->back_up(copy).ok());
  ASSERT_TRUE(store_->remove_all().ok());
  EXPECT_EQ(fs::status(copy).permissions() & fs::perms(077), fs::perms::none);
  open(copy);
  EXPECT_THAT(found("kept"), SizeIs(1));
}

TEST_F(ConversationStoreTest, ABackupIsRestoredWhereNobodyUsesTheFile) {
  open(file());
  add(conversation("old"), {}, "kept");
  const fs::path copy = folder_ / "backup.db";
  ASSERT_TRUE(store_->back_up(copy).ok());
  ASSERT_TRUE(store_->remove_all().ok());
  add(conversation("new"), {}, "later");
  EXPECT_EQ(ConversationStore::restore(copy, file()).error().code, ErrorCode::busy);
  store_.reset();
  EXPECT_EQ(ConversationStore::restore(folder_ / "none", file()).error().code, ErrorCode::not_found);
  std::ofstream(folder_ / "noise") << std::string(10'000, 'x');
  EXPECT_EQ(ConversationStore::restore(folder_ / "noise", file()).error().code, ErrorCode::corrupt);
  const auto before = ConversationStore::restore(copy, file());
  ASSERT_TRUE(before.ok()) << before.error().message;
  open(file());
  EXPECT_THAT(found("kept"), SizeIs(1));
  EXPECT_THAT(found("later"), IsEmpty());
  open(*before);
  EXPECT_THAT(found("later"), SizeIs(1));
}

TEST_F(ConversationStoreTest, TemporaryOnesTouchNoDisk) {
  auto opened = ConversationStore::open({.first_id = int64_t{1} << 50});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  store_ = std::move(*opened);
  const int64_t id = conversation("t");
  EXPECT_EQ(id, int64_t{1} << 50);
  const int64_t message = add(id, {}, "whisper");
  EXPECT_GE(message, int64_t{1} << 50);
  const auto reply = *store_->begin_reply(id, message, "m");
  reply->push(LiveReply::Part::content, "hush");
  reply->finish(MessageState::complete, nullptr);
  EXPECT_TRUE(soon([&] { return found("hush").size() == 1; }));
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace ingle::assistant
