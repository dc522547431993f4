// What a power cut takes: hundreds of them, at moments and with remains that seeds choose (test_disk.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "assistant/conversations/conversation_store.h"
#include "assistant/conversations/schema.h"
#include "assistant/conversations/test_disk.h"
#include "assistant/conversations/words.h"
#include "base/test_source_folder.h"

extern "C" int fsync(int descriptor) {
  return ingle::assistant::TestDisk::sync(descriptor);
}
extern "C" int fdatasync(int descriptor) {
  return ingle::assistant::TestDisk::sync(descriptor);
}

namespace ingle::assistant {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

/// All that a person would miss: titles (by the negated id), messages with their files.
using Contents = std::map<int64_t, std::string>;

Contents contents(ConversationStore& store) {
  Contents out;
  const auto list = store.list({.limit = 1000});
  EXPECT_TRUE(list.ok()) << list.error().message;
  for (const Conversation& each : *list) {
    out[-each.id] = each.title;
    const auto read = store.messages(each.id);
    EXPECT_TRUE(read.ok()) << read.error().message;
    for (const Message& message : read->messages) {
      std::string& text = out[message.id] = message.content;
      for (const Attachment& file : message.attachments) text += "\n" + store.attachment(file.id)->content;
    }
  }
  return out;
}

void copy_with_log(const fs::path& from, const fs::path& to) {
  fs::copy_file(from, to);
  if (fs::exists(from.string() + "-wal")) fs::copy_file(from.string() + "-wal", to.string() + "-wal");
}

/// Conversations, the last of them in the log alone, as a killed process leaves them.
void make_unfinished(const fs::path& file) {
  const fs::path made = file.string() + ".made";
  for (int i = 0; i < 13; ++i) {
    auto store = ConversationStore::open({.file = made});
    const auto conversation = (*store)->create({.title = "title " + std::to_string(i)});
    for (int k = 0; k < (i < 12 ? 6 : 1); ++k)
      (void)(*store)->add({.conversation = conversation->id, .content = "text" + std::string(600, 'w')});
    if (i == 12) copy_with_log(made, file);
  }
}

/// Many small checkpoints, as a long life has them.
int checkpoint_often(sqlite3* database, char**, const sqlite3_api_routines*) {
  return sqlite3_wal_autocheckpoint(database, 24);
}

class PowerCutTest : public ::testing::Test {
 protected:
  struct Cut {
    size_t when;  ///< as the test counts
    TestDisk::Image image;
  };

  PowerCutTest() {
    std::string form = (fs::temp_directory_path() / "power.XXXXXX").string();
    folder_ = fs::canonical(::mkdtemp(form.data()));
    fs::create_directory(root());
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(checkpoint_often));
  }
  ~PowerCutTest() override {
    sqlite3_reset_auto_extension();
    fs::remove_all(folder_);
  }

  fs::path root() const { return folder_ / "disk"; }
  fs::path file() const { return root() / "data" / "conversations.db"; }

  static std::unique_ptr<ConversationStore> open(const fs::path& path) {
    auto opened = ConversationStore::open({.file = path});
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened.ok() ? std::move(*opened) : nullptr;
  }

  /// A disk with nothing, or this file of conversations and its log.
  void begin(uint64_t seed, const fs::path& has = {}) {
    random_.seed(seed);
    fs::remove_all(root());
    fs::create_directory(root());
    if (!has.empty()) {
      fs::create_directory(file().parent_path());
      copy_with_log(has, file());
    }
    disk_.emplace(root());
  }
  /// From now on: before one step of `rarity`, and each sync of a folder, `when` at that moment.
  void cut_at_random(size_t rarity, std::function<size_t()> when) {
    disk_->before_step = [this, rarity, when = std::move(when)](bool is_of_folder) {
      if (is_of_folder || random_() % rarity == 0) cut(when());
    };
  }
  void cut(size_t when) { cuts_.push_back({when, disk_->cut(random_)}); }
  std::vector<Cut> end() {
    disk_->before_step = nullptr;
    return std::exchange(cuts_, {});
  }

  /// A store on what a cut has left. `notices`: it may have had to mend something.
  std::unique_ptr<ConversationStore> reopen(const Cut& cut, bool notices = false) {
    fs::remove_all(folder_ / "after");
    TestDisk::write(cut.image, folder_ / "after");
    auto store = open(folder_ / "after" / "data" / "conversations.db");
    if (store && !notices) {
      EXPECT_THAT(store->notices(), IsEmpty());
    }
    return store;
  }
  /// Each page, each index, and the words that search finds.
  void check_whole() {
    auto database = *Database::open(folder_ / "after" / "data" / "conversations.db", Database::Mode::create);
    ASSERT_TRUE(add_word_tokenizer(database.handle()).ok());
    EXPECT_EQ(*database.text("PRAGMA integrity_check"), "ok");
    for (const std::string index : {"message_words", "title_words"}) {
      const auto done = database.run("INSERT INTO " + index + " (" + index + ") VALUES ('integrity-check')");
      EXPECT_TRUE(done.ok()) << done.error().message;
    }
  }

  fs::path folder_;
  std::mt19937_64 random_;
  std::optional<TestDisk> disk_;
  std::vector<Cut> cuts_;
};

/// A server and a command line, and a person who does one thing after the other.
class Life {
 public:
  /// `last`: of the states.
  Life(const fs::path& file, uint64_t seed, std::atomic<size_t>& last) : file_(file), random_(seed), last_(last) {
    for (auto& store : stores_) store = *ConversationStore::open({.file = file_});
  }

  /// What there was after each call. The first is nothing.
  std::vector<Contents> states{{}};

  void go_on() {
    ++calls_;
    const size_t at = random_() % 2;
    ConversationStore& store = *stores_[at];
    if (conversations_.empty() || random_() % 10 == 0) {
      conversations_.push_back(store.create({.title = "title " + std::to_string(calls_)})->id);
    } else {
      change(store, *stores_[1 - at], conversations_[random_() % conversations_.size()]);
    }
    has_happened();
  }

 private:
  void change(ConversationStore& store, ConversationStore& other, int64_t id) {
    const std::string text = "text " + std::to_string(calls_) + std::string(random_() % 9000, 'w');
    const auto last = store.find(id)->leaf;
    switch (random_() % 16) {
      case 0:
        EXPECT_TRUE(store.remove(id).ok());
        std::erase(conversations_, id);
        break;
      case 1:
        if (last) {
          EXPECT_TRUE(store.remove_message(*last).ok());
        }
        break;
      case 2:
        if (calls_ % 4 != 0) break;
        EXPECT_TRUE(store.remove_all().ok());
        conversations_.clear();
        break;
      case 3:
        EXPECT_TRUE(store
                        .update(id,
                                [](Conversation& each) {
                                  each.title += " renamed";
                                  return base::Status();
                                })
                        .ok());
        break;
      case 4:
      case 5: {
        const auto file = store.add_attachment("a.txt", text, text);
        EXPECT_TRUE(store.add({.conversation = id, .content = "read", .attachments = {file->id}}).ok());
        break;
      }
      case 6:
        (void)Database::open(file_, Database::Mode::create)->run("PRAGMA wal_checkpoint(TRUNCATE)");
        break;
      case 7:  // the log goes with the last one
        for (auto& each : stores_) each.reset();
        for (auto& each : stores_) each = *ConversationStore::open({.file = file_});
        break;
      case 8:
      case 9: {
        const int64_t reply = answer(*store.begin_reply(id, last, "m"), other, text);
        answer(*store.continue_reply(reply, "m"), other, " more");
        break;
      }
      default:
        EXPECT_TRUE(store.add({.conversation = id, .parent = last, .content = text}).ok());
    }
  }

  int64_t answer(const std::shared_ptr<LiveReply>& reply, ConversationStore& other, const std::string& text) {
    has_happened();
    reply->push(LiveReply::Part::content, text);
    reply->finish(MessageState::complete, nullptr);
    while (other.message(reply->message())->state != MessageState::complete)
      std::this_thread::sleep_for(milliseconds(1));
    has_happened();
    return reply->message();
  }

  void has_happened() {
    states.push_back(contents(*stores_[0]));
    last_ = states.size() - 1;
  }

  const fs::path file_;
  std::mt19937_64 random_;
  std::atomic<size_t>& last_;
  std::unique_ptr<ConversationStore> stores_[2];
  std::vector<int64_t> conversations_;
  int calls_ = 0;
};

TEST_F(PowerCutTest, WhatAPersonDidIsThere) {
  size_t checked = 0;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    begin(seed);
    std::atomic<size_t> last = 0;
    cut_at_random(80, [&] { return last.load(); });
    std::vector<Contents> states;
    {
      Life life(file(), seed, last);
      for (int call = 0; call < 60; ++call) life.go_on();
      cut(last);
      states = life.states;
    }
    for (const Cut& cut : end()) {
      SCOPED_TRACE("state " + std::to_string(cut.when));
      const auto store = reopen(cut);
      ASSERT_TRUE(store);
      check_whole();
      // The call that the power failed in has happened or not.
      ASSERT_THAT(contents(*store), AnyOf(states[cut.when], states[std::min(cut.when + 1, states.size() - 1)]));
      ++checked;
    }
  }
  EXPECT_GT(checked, 150u);
}

TEST_F(PowerCutTest, AReplyLosesNoMoreThanTwoSeconds) {
  begin(1);
  auto store = open(file());
  const int64_t id = store->create({.title = "t"})->id;
  const int64_t question = store->add({.conversation = id, .content = "question"})->id;
  const auto reply = *store->begin_reply(id, question, "m");

  struct Moment {
    steady_clock::time_point time;
    size_t size;  ///< of the text
    size_t sent;  ///< messages
  };
  std::vector<Moment> pushes, moments;  // the latter of the cuts
  std::vector<int64_t> sent;
  std::string text;
  steady_clock::duration late = {};  // a machine that did not let us run
  // Words come, stop for longer than two seconds, and come again while the person sends.
  const auto begun = steady_clock::now(), pause = begun + milliseconds(2300), on = begun + milliseconds(4600);
  for (auto now = begun; now < begun + milliseconds(4900);) {
    if (now < pause || now > on) {
      const std::string word = std::to_string(pushes.size()) + " ";
      reply->push(LiveReply::Part::content, word);
      text += word;
      pushes.push_back({steady_clock::now(), text.size(), 0});
    }
    if (now > on && random_() % 10 == 0)
      sent.push_back(store->add({.conversation = id, .parent = question, .content = "sent"})->id);
    if (random_() % 10 == 0) {
      moments.push_back({steady_clock::now(), text.size(), sent.size()});
      cut(moments.size() - 1);
    }
    std::this_thread::sleep_for(milliseconds(4));
    const auto before = std::exchange(now, steady_clock::now());
    late = std::max(late, now - before - milliseconds(4));
  }
  reply->finish(MessageState::complete, nullptr);
  store.reset();
  moments.push_back({steady_clock::time_point::max(), text.size(), sent.size()});
  cut(moments.size() - 1);

  for (const Cut& cut : end()) {
    const Moment& moment = moments[cut.when];
    SCOPED_TRACE(std::chrono::duration_cast<milliseconds>(moment.time - begun).count());
    const auto after = reopen(cut);
    ASSERT_TRUE(after);
    check_whole();
    const auto asked = after->message(question), replied = after->message(reply->message());
    ASSERT_TRUE(asked.ok() && replied.ok());
    EXPECT_EQ(asked->content, "question");
    for (size_t i = 0; i < moment.sent; ++i) EXPECT_TRUE(after->message(sent[i]).ok());
    const std::string& kept = replied->content;
    EXPECT_EQ(text.rfind(kept, 0), 0u);
    const auto lost = std::ranges::find_if(pushes, [&](const Moment& push) { return push.size > kept.size(); });
    if (lost != pushes.end() && lost->size <= moment.size) {
      EXPECT_LE(std::chrono::duration_cast<milliseconds>(moment.time - lost->time),
                std::chrono::duration_cast<milliseconds>(std::chrono::seconds(2) + late));
    }
  }
}

TEST_F(PowerCutTest, WhatCouldBeSalvagedStillIs) {
  const fs::path damaged = folder_ / "damaged.db";
  make_unfinished(damaged);
  std::fstream(damaged, std::ios::in | std::ios::out | std::ios::binary).seekp(30 * 4096) << std::string(3 * 4096, 'x');
  copy_with_log(damaged, folder_ / "once.db");
  const Contents salvaged = contents(*open(folder_ / "once.db"));
  EXPECT_GE(salvaged.size(), 60u) << "of 86";
  EXPECT_LT(salvaged.size(), 86u);
  for (uint64_t seed = 0; seed < 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    begin(seed, damaged);
    cut_at_random(16, [] { return 0; });
    const auto store = open(file());
    ASSERT_THAT(store->notices(), SizeIs(1));
    cut(1);
    for (const Cut& cut : end()) {
      const auto after = reopen(cut, cut.when == 0);
      ASSERT_TRUE(after);
      check_whole();
      ASSERT_EQ(contents(*after), salvaged);
    }
  }
}

TEST_F(PowerCutTest, FilesOfEveryVersionAreBroughtUpToDate) {
  for (int64_t version = 1; version <= schema_version(); ++version) {
    const std::string name = "version-" + std::to_string(version);
    const fs::path earlier = fs::path(source_folder()) / "tests/data/conversations" / (name + ".db");
    fs::copy_file(earlier, folder_ / name);
    const Contents before = contents(*open(folder_ / name));
    for (uint64_t seed = 0; seed < 5; ++seed) {
      SCOPED_TRACE(name + ", seed " + std::to_string(seed));
      begin(seed, earlier);
      cut_at_random(8, [] { return 0; });
      (void)open(file());
      cut(1);
      for (const Cut& cut : end()) {
        const auto after = reopen(cut, true);
        ASSERT_TRUE(after);
        check_whole();
        EXPECT_EQ(contents(*after), before);
        const bool has_backup = fs::exists(folder_ / "after" / "data" / ("conversations.db." + name));
        EXPECT_EQ(has_backup, version < schema_version());
      }
    }
  }
}

TEST_F(PowerCutTest, ARestoreHappensOrNot) {
  const fs::path earlier = folder_ / "earlier.db", backup = folder_ / "backup.db";
  make_unfinished(earlier);
  copy_with_log(earlier, folder_ / "once.db");
  const Contents before = contents(*open(folder_ / "once.db"));
  {
    const auto store = open(folder_ / "other.db");
    ASSERT_TRUE(store->create({.title = "of the backup"}).ok());
    ASSERT_TRUE(store->back_up(backup).ok());
  }
  for (uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    begin(seed, earlier);
    cut_at_random(8, [] { return 0; });
    const auto done = ConversationStore::restore(backup, file());
    ASSERT_TRUE(done.ok()) << done.error().message;
    cut(1);
    for (const Cut& cut : end()) {
      const auto after = reopen(cut, cut.when == 0);
      ASSERT_TRUE(after);
      check_whole();
      if (const Contents now = contents(*after); cut.when == 1 || now != before) {
        ASSERT_THAT(now, ElementsAre(Pair(-1, "of the backup")));
      }
    }
  }
}

TEST_F(PowerCutTest, ABackupIsThere) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    begin(seed);
    const auto store = open(file());
    const auto made = store->create({.title = "t"});
    ASSERT_TRUE(store->add({.conversation = made->id, .content = "kept"}).ok());
    ASSERT_TRUE(store->back_up(root() / "data" / "backup.db").ok());
    cut(0);
    TestDisk::Image image = end().at(0).image;
    ASSERT_TRUE(image.contains("data/backup.db"));
    const auto after = reopen({0, {{"data/conversations.db", image["data/backup.db"]}}});
    ASSERT_TRUE(after);
    EXPECT_EQ(contents(*after), contents(*store));
  }
}

}  // namespace
}  // namespace ingle::assistant
