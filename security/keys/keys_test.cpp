#include "security/keys/keys.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "base/files.h"
#include "base/test_source_folder.h"
#include "security/keys/key_watch.h"

namespace ingle::security {
namespace {

using base::ErrorCode;

constexpr int64_t kNow = 1'764'000'000;

std::string_view code_of(const auto& result) {
  return result.ok() ? "ok" : base::error_code_name(result.error().code);
}

class KeysTest : public testing::Test {
 protected:
  KeysTest() {
    std::string name = testing::TempDir() + "keys.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    folder_ = root_ / "keys";
  }
  ~KeysTest() override { std::filesystem::remove_all(root_); }

  Keys open() {
    auto keys = Keys::open(folder_);
    EXPECT_TRUE(keys.ok()) << keys.error().message;
    return std::move(*keys);
  }
  std::string text() const {
    std::stringstream stream;
    stream << std::ifstream(folder_ / "keys.json").rdbuf();
    return stream.str();
  }

  std::filesystem::path root_, folder_;
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 0777;
}

// RFC 4648 and SHA-256 by other programs: printf 'ingle_…' | sha256sum.
TEST(TokenTest, FormAndHash) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto token = new_token();
    ASSERT_TRUE(token.ok());
    EXPECT_TRUE(is_token(*token)) << *token;
    EXPECT_EQ(token->size(), 58U);
    EXPECT_TRUE(seen.insert(*token).second);
  }
  const std::string token = "ingle_" + std::string(52, 'a');
  EXPECT_TRUE(is_token(token));
  EXPECT_FALSE(is_token(token + "a"));
  EXPECT_FALSE(is_token("ingle_" + std::string(51, 'a') + "1"));
  EXPECT_FALSE(is_token("jngle_" + std::string(52, 'a')));
  EXPECT_FALSE(is_token(""));
  EXPECT_EQ(to_hex(*hash_token("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// Every character of a token carries its five bits: over many, each of the 32 comes up at each place but the last,
// which has one bit of the 256.
TEST(TokenTest, AllBitsAreRandom) {
  std::vector<std::set<char>> places(52);
  for (int i = 0; i < 1000; ++i) {
    const std::string token = new_token()->substr(6);
    for (size_t at = 0; at < places.size(); ++at) places[at].insert(token[at]);
  }
  for (size_t at = 0; at + 1 < places.size(); ++at) EXPECT_EQ(places[at].size(), 32U) << at;
  EXPECT_EQ(places.back(), (std::set<char>{'a', 'q'}));
}

TEST(TokenTest, HexadecimalRoundTrip) {
  TokenHash hash{}, back{};
  for (size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<uint8_t>(i * 37);
  EXPECT_TRUE(from_hex(to_hex(hash), back));
  EXPECT_TRUE(same_hash(hash, back));
  back[31] ^= 1;
  EXPECT_FALSE(same_hash(hash, back));
  EXPECT_FALSE(from_hex(to_hex(hash).substr(1), back));
  EXPECT_FALSE(from_hex(std::string(64, 'A'), back));
}

TEST_F(KeysTest, CreateListVerifyRevoke) {
  Keys keys = open();
  const auto phone = keys.create("phone", {Scope::chat}, std::nullopt, kNow);
  const auto admin = keys.create("laptop", {Scope::chat, Scope::admin}, kNow + 10, kNow);
  ASSERT_TRUE(phone.ok() && admin.ok());
  EXPECT_EQ(text().find(phone->token), std::string::npos) << "the token itself is nowhere";

  const auto principal = keys.verify(phone->token, kNow);
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ(principal->name, "phone");
  EXPECT_EQ(principal->id, phone->key.id);
  EXPECT_TRUE(principal->scopes.has(Scope::chat));
  EXPECT_FALSE(principal->scopes.has(Scope::admin));
  EXPECT_TRUE(keys.verify(admin->token, kNow + 9)->scopes.has(Scope::admin));
  EXPECT_EQ(code_of(keys.verify(admin->token, kNow + 10)), "permission_denied") << "it has expired";
  EXPECT_EQ(code_of(keys.verify("ingle_" + std::string(52, 'a'), kNow)), "permission_denied");
  EXPECT_EQ(code_of(keys.verify("", kNow)), "permission_denied");

  const auto list = keys.list();
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 2U);
  EXPECT_THAT(scope_names((*list)[1].scopes), testing::ElementsAre("chat", "admin"));
  EXPECT_EQ((*list)[1].expires, kNow + 10);

  EXPECT_TRUE(keys.revoke("phone").ok());
  EXPECT_EQ(code_of(keys.verify(phone->token, kNow)), "permission_denied");
  EXPECT_TRUE(keys.revoke(admin->key.id).ok()) << "by id";
  EXPECT_EQ(code_of(keys.revoke("phone")), "not_found");
  EXPECT_TRUE(keys.list()->empty());
}

TEST_F(KeysTest, RefusesWhatMakesNoSense) {
  Keys keys = open();
  EXPECT_EQ(code_of(keys.create("", {Scope::chat}, std::nullopt, kNow)), "invalid_argument");
  EXPECT_EQ(code_of(keys.create(std::string(65, 'x'), {Scope::chat}, std::nullopt, kNow)), "invalid_argument");
  EXPECT_EQ(code_of(keys.create("a\x1b[2J", {Scope::chat}, std::nullopt, kNow)), "invalid_argument");
  EXPECT_EQ(code_of(keys.create("x", {}, std::nullopt, kNow)), "invalid_argument");
  EXPECT_EQ(code_of(keys.create("x", {Scope::chat}, kNow, kNow)), "invalid_argument");
  EXPECT_EQ(code_of(keys.create("x", {Scope::chat}, std::nullopt, kNow)), "ok");
  EXPECT_EQ(code_of(keys.create("x", {Scope::chat}, std::nullopt, kNow)), "invalid_argument") << "the name is taken";
  EXPECT_EQ(code_of(parse_scope("root")), "invalid_argument");
}

TEST_F(KeysTest, IsPrivate) {
  Keys keys = open();
  ASSERT_TRUE(keys.create("x", {Scope::chat}, std::nullopt, kNow).ok());
  EXPECT_EQ(mode_of(folder_), 0700U);
  EXPECT_EQ(mode_of(folder_ / "keys.json"), 0600U);
  EXPECT_EQ(mode_of(folder_ / "keys.lock"), 0600U);
}

TEST_F(KeysTest, RefusesFilesThatOthersReach) {
  Keys keys = open();
  const auto created = keys.create("x", {Scope::chat}, std::nullopt, kNow);
  ASSERT_TRUE(created.ok());
  const auto file = folder_ / "keys.json";
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    const auto verified = keys.verify(created->token, kNow);
    EXPECT_EQ(code_of(verified), "permission_denied") << mode;
    EXPECT_THAT(verified.error().message, testing::HasSubstr("chmod 600 " + file.string()));
    EXPECT_EQ(code_of(keys.list()), "permission_denied");
    EXPECT_EQ(code_of(keys.create("y", {Scope::chat}, std::nullopt, kNow)), "permission_denied");
    EXPECT_EQ(code_of(Keys::open(folder_)), "permission_denied");
  }
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(code_of(keys.verify(created->token, kNow)), "ok");
  ASSERT_EQ(::chmod(folder_.c_str(), 0750), 0);
  EXPECT_EQ(code_of(Keys::open(folder_)), "permission_denied");
  EXPECT_EQ(code_of(keys.revoke("x")), "permission_denied");
}

TEST_F(KeysTest, RefusesFilesOfOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  Keys keys = open();
  const auto created = keys.create("x", {Scope::chat}, std::nullopt, kNow);
  ASSERT_TRUE(created.ok());
  ASSERT_EQ(::chown((folder_ / "keys.json").c_str(), 65534, 65534), 0);
  const auto verified = keys.verify(created->token, kNow);
  EXPECT_EQ(code_of(verified), "permission_denied");
  EXPECT_THAT(verified.error().message, testing::HasSubstr("user 65534"));
}

TEST_F(KeysTest, FollowsNoLink) {
  Keys keys = open();
  ASSERT_TRUE(keys.create("x", {Scope::chat}, std::nullopt, kNow).ok());
  std::filesystem::rename(folder_ / "keys.json", root_ / "elsewhere");
  std::filesystem::create_symlink(root_ / "elsewhere", folder_ / "keys.json");
  EXPECT_FALSE(keys.list().ok());
}

// A server's Keys and a command line's: each sees at once what the other did, even many changes within a clock's tick.
TEST_F(KeysTest, SeesChangesAtOnce) {
  Keys server = open(), command = open();
  for (int i = 0; i < 50; ++i) {
    const auto created = command.create("x", {Scope::chat}, std::nullopt, kNow);
    ASSERT_TRUE(created.ok());
    EXPECT_EQ(code_of(server.verify(created->token, kNow)), "ok");
    ASSERT_TRUE(command.revoke("x").ok());
    EXPECT_EQ(code_of(server.verify(created->token, kNow)), "permission_denied");
  }
}

TEST_F(KeysTest, SeesChangesOfASettledFile) {
  Keys server = open(), command = open();
  const auto created = command.create("x", {Scope::chat}, std::nullopt, kNow);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_EQ(code_of(server.verify(created->token, kNow)), "ok");
  EXPECT_EQ(code_of(server.verify(created->token, kNow)), "ok") << "not read again";
  ASSERT_TRUE(command.revoke("x").ok());
  EXPECT_EQ(code_of(server.verify(created->token, kNow)), "permission_denied");
  std::filesystem::remove(folder_ / "keys.json");
  EXPECT_EQ(code_of(server.verify(created->token, kNow)), "permission_denied");
}

TEST_F(KeysTest, DamageOpensNothing) {
  Keys keys = open();
  const auto created = keys.create("x", {Scope::chat}, std::nullopt, kNow);
  const std::string good = text();
  const auto put = [&](const std::string& content) {
    ASSERT_TRUE(base::write_file_atomic(folder_ / "keys.json", content, base::Readers::owner).ok());
  };
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  put(replaced("\"chat\"", "\"admin\""));
  EXPECT_EQ(code_of(keys.verify(created->token, kNow)), "corrupt") << "the checksum";
  put(replaced("\"version\": 1", "\"version\": 2"));
  EXPECT_EQ(code_of(keys.verify(created->token, kNow)), "unsupported");
  put(good.substr(0, good.size() / 2));
  EXPECT_EQ(code_of(keys.verify(created->token, kNow)), "corrupt");
  EXPECT_EQ(code_of(keys.create("y", {Scope::chat}, std::nullopt, kNow)), "corrupt") << "and is not written over";
  put("");
  EXPECT_EQ(code_of(keys.verify(created->token, kNow)), "corrupt");
  put(std::string(kMaxKeyFileBytes + 1, ' '));
  EXPECT_EQ(code_of(keys.verify(created->token, kNow)), "limit_exceeded");
  put(good);
  EXPECT_EQ(code_of(keys.verify(created->token, kNow)), "ok");
}

TEST_F(KeysTest, HasALimit) {
  Keys keys = open();
  std::vector<Key> many(kMaxKeys);
  for (size_t i = 0; i < many.size(); ++i) {
    many[i].id = many[i].name = std::to_string(i);
    many[i].scopes = {Scope::chat};
    many[i].hash[0] = static_cast<uint8_t>(i);
  }
  ASSERT_TRUE(base::write_file_atomic(folder_ / "keys.json", write_key_file(many), base::Readers::owner).ok());
  EXPECT_EQ(keys.list()->size(), kMaxKeys);
  EXPECT_EQ(code_of(keys.create("x", {Scope::chat}, std::nullopt, kNow)), "limit_exceeded");
  ASSERT_TRUE(keys.revoke("7").ok());
  EXPECT_EQ(code_of(keys.create("x", {Scope::chat}, std::nullopt, kNow)), "ok");
}

// Writers in threads and in another process lose nothing to one another, and readers see whole files only.
TEST_F(KeysTest, WritersTakeTurns) {
  Keys keys = open();
  const auto fixed = keys.create("fixed", {Scope::chat}, std::nullopt, kNow);
  constexpr int kEach = 10;
  const auto add = [&](const std::string& prefix) {
    Keys own = open();
    bool all = true;
    for (int i = 0; i < kEach; ++i)
      all = own.create(prefix + std::to_string(i), {Scope::chat}, std::nullopt, kNow).ok() && all;
    return all;
  };
  const pid_t child = ::fork();
  if (child == 0) ::_exit(add("process") ? 0 : 1);
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) EXPECT_EQ(code_of(keys.verify(fixed->token, kNow)), "ok");
  });
  std::vector<std::thread> writers;
  for (const char* name : {"a", "b", "c"}) writers.emplace_back([&, name] { EXPECT_TRUE(add(name)); });
  for (std::thread& writer : writers) writer.join();
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  stop = true;
  reader.join();
  EXPECT_EQ(status, 0);
  EXPECT_EQ(keys.list()->size(), size_t{1 + 4 * kEach});
}

TEST_F(KeysTest, GivesUpWaiting) {
  Keys keys = open();
  ASSERT_TRUE(keys.create("x", {Scope::chat}, std::nullopt, kNow).ok());
  const base::FileDescriptor lock(::open((folder_ / "keys.lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
  EXPECT_EQ(code_of(keys.revoke("x")), "busy");
}

TEST_F(KeysTest, WatchersHearOfKeysThatAreGone) {
  Keys server = open(), command = open();
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> gone;
  const auto one = command.create("one", {Scope::chat}, std::nullopt, kNow);
  auto watch = KeyWatch::start(server, [&](const std::string& id) {
    const std::lock_guard lock(mutex);
    gone.push_back(id);
    changed.notify_all();
  });
  ASSERT_TRUE(watch.ok()) << watch.error().message;
  const auto hears = [&](const std::vector<std::string>& ids) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), [&] { return gone.size() >= ids.size(); }) && gone == ids;
  };
  const auto two = command.create("two", {Scope::chat}, std::nullopt, kNow);
  ASSERT_TRUE(one.ok() && two.ok());
  ASSERT_TRUE(command.revoke("one").ok());
  EXPECT_TRUE(hears({one->key.id}));
  std::ofstream(folder_ / "keys.json") << "damaged";  // who has them still is not known
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(hears({one->key.id}));
  std::filesystem::remove(folder_ / "keys.json");
  EXPECT_TRUE(hears({one->key.id, two->key.id}));
  const int64_t now = std::time(nullptr);
  const auto brief = command.create("brief", {Scope::chat}, now + 1, now);
  ASSERT_TRUE(brief.ok());
  EXPECT_TRUE(hears({one->key.id, two->key.id, brief->key.id})) << "it expires";

  // Another folder in its place is watched, too.
  std::filesystem::rename(folder_, root_ / "old");
  Keys anew = open();
  const auto three = anew.create("three", {Scope::chat}, now + 2, now);
  ASSERT_TRUE(three.ok());
  EXPECT_TRUE(hears({one->key.id, two->key.id, brief->key.id, three->key.id}));
  watch->reset();
  {
    auto another = KeyWatch::start(anew, [&](const std::string& id) {
      const std::lock_guard lock(mutex);
      gone.push_back(id);
      changed.notify_all();
    });
    ASSERT_TRUE(another.ok());
    EXPECT_TRUE(hears({one->key.id, two->key.id, brief->key.id, three->key.id, three->key.id}))
        << "it has expired before";
  }
}

// Written by hand, with the checksum by xxh128sum and SHA-256 of "abc" as FIPS 180 gives it.
TEST(KeyFileTest, ReadsAFileOfOthers) {
  std::stringstream stream;
  stream << std::ifstream(source_folder() + "/tests/data/fuzz/key_file_fuzz/whole.json").rdbuf();
  const auto keys = parse_key_file(stream.str());
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].name, "phone");
  EXPECT_EQ((*keys)[0].hash, *hash_token("abc"));
  EXPECT_EQ((*keys)[0].expires, 1'795'000'000);
  EXPECT_EQ((*keys)[0].scopes, (Scopes{Scope::chat, Scope::models}));
  EXPECT_EQ((*keys)[1].name, "töpfe");
}

TEST(KeyFileTest, WritesWhatItReads) {
  std::vector<Key> keys(2);
  keys[0] = {"a", "töpfe", {Scope::models}, kNow, kNow + 1, {}};
  keys[1] = {"b", "b", {}, -5, std::nullopt, {}};
  keys[1].hash[0] = 1;
  const auto again = parse_key_file(write_key_file(keys));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(write_key_file(*again), write_key_file(keys));
  EXPECT_EQ((*again)[0].name, "töpfe");
  EXPECT_EQ((*again)[1].created, -5);
  keys[1].hash = keys[0].hash;
  EXPECT_EQ(code_of(parse_key_file(write_key_file(keys))), "corrupt") << "one token, two keys";
}

TEST_F(KeysTest, ACodeBecomesAPagesTokenOnce) {
  Keys keys = open();
  const auto code = keys.create("code", {Scope::page}, kNow + 300, kNow);
  ASSERT_TRUE(code.ok());
  EXPECT_EQ(code_of(keys.exchange(code->token, "", kNow)), "permission_denied");
  EXPECT_EQ(code_of(keys.exchange(code->token, "http://a", kNow + 300)), "permission_denied") << "too late";
  const auto page = keys.exchange(code->token, "http://a", kNow + 299);
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(code_of(keys.exchange(code->token, "http://a", kNow)), "permission_denied");
  EXPECT_EQ(code_of(keys.verify(code->token, kNow)), "permission_denied");
  EXPECT_EQ(code_of(keys.exchange(page->token, "http://a", kNow)), "permission_denied");
  // Another process knows it, and where it may be used.
  const auto known = open().verify(page->token, kNow + 300);
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known->origin, "http://a");
  EXPECT_TRUE(known->scopes.has(Scope::admin));
  EXPECT_FALSE(known->scopes.has(Scope::page));
  EXPECT_EQ(code_of(keys.verify(page->token, kNow + 31 * 24 * 3600)), "permission_denied");
}

TEST_F(KeysTest, OldPagesLeaveRoomForNewOnes) {
  Keys keys = open();
  ASSERT_TRUE(keys.create("kept", {Scope::chat}, kNow + 1, kNow).ok());
  for (int i = 0; i < 300; ++i) {
    const int64_t now = kNow + i * 24 * 3600;
    const auto code = keys.create("code " + std::to_string(i), {Scope::page}, now + 300, now);
    ASSERT_TRUE(code.ok()) << code.error().message;
    ASSERT_TRUE(keys.exchange(code->token, "http://a", now).ok());
    ASSERT_TRUE(keys.create("unused " + std::to_string(i), {Scope::page}, now + 300, now).ok());
  }
  const auto left = keys.list();
  EXPECT_LE(left->size(), 33u);
  EXPECT_EQ(left->front().name, "kept") << "what a person made is told as expired";
}

}  // namespace
}  // namespace ingle::security
