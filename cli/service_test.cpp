// Servers that find one another: records and their locks, sockets that change hands, words to whoever started one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "cli/daemon.h"
#include "cli/notify.h"
#include "cli/running.h"
#include "cli/takeover.h"

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::FileDescriptor;
using testing::HasSubstr;

class ServersTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "ingle-servers-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = fs::path(name) / "servers";
  }
  void TearDown() override { fs::remove_all(folder_.parent_path()); }

  static RunningServer server(uint16_t port) {
    return {.pid = getpid(), .version = "0.1.0", .host = "127.0.0.1", .port = port, .socket = "/run/x.sock"};
  }
  size_t count() const {
    const auto all = running_servers(folder_);
    return all ? all->size() : 99;
  }
  fs::path folder_;
};

TEST_F(ServersTest, ARecordCountsAsLongAsItsProcessHoldsIt) {
  EXPECT_EQ(count(), 0u);
  {
    auto record = ServerRecord::create(folder_, server(8080));
    ASSERT_TRUE(record) << record.error().message;
    auto other = ServerRecord::create(folder_, server(80));
    ASSERT_TRUE(other);
    const auto all = running_servers(folder_);
    ASSERT_TRUE(all && all->size() == 2);
    EXPECT_EQ(all->at(0).port, 80);
    const RunningServer& one = all->at(1);
    EXPECT_EQ(one.pid, getpid());
    EXPECT_EQ(one.version, "0.1.0");
    EXPECT_EQ(one.socket, "/run/x.sock");
    EXPECT_EQ(one.address(), "http://127.0.0.1:8080");
    EXPECT_TRUE(still_runs(folder_, one));
    EXPECT_EQ(ServerRecord::create(folder_, server(80)).error().code, ErrorCode::busy);
    struct stat info = {};
    ASSERT_EQ(stat((folder_ / "80.json").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
  EXPECT_EQ(count(), 0u);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(ServersTest, WhatAKilledProcessLeftIsTakenOver) {
  const pid_t child = fork();
  if (child == 0) {
    const auto record = ServerRecord::create(folder_, server(80));
    _exit(record && count() == 1 ? 0 : 1);  // without its destructor
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "80.json"));
  EXPECT_EQ(count(), 0u);
  EXPECT_TRUE(ServerRecord::create(folder_, server(80)));
}

TEST_F(ServersTest, WhatIsNoRecordIsLeftOut) {
  const auto record = ServerRecord::create(folder_, server(80));
  for (const char* text :
       {"", "{", "[]", R"({"format":2,"pid":1,"port":80})", R"({"format":1,"pid":-1,"port":80})",
        R"({"format":1,"pid":1,"port":65536})", R"({"format":1,"pid":"1","port":80})", R"({"format":1,"pid":1e99})"}) {
    std::ofstream(folder_ / "80.json") << text;  // still locked
    EXPECT_EQ(count(), 0u) << text;
  }
  fs::permissions(folder_, fs::perms::all);
  EXPECT_EQ(running_servers(folder_).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(ServerRecord::create(folder_, server(81)).error().code, ErrorCode::permission_denied);
}

FileDescriptor listening() {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  return socket;
}

ino_t inode(int descriptor) {
  struct stat info = {};
  EXPECT_EQ(fstat(descriptor, &info), 0);
  return info.st_ino;
}

class TakeoverTest : public ServersTest {
 protected:
  void SetUp() override {
    ServersTest::SetUp();
    fs::create_directories(folder_);
    server::HttpServer::Listeners listeners;
    listeners.tcp = listening();
    listeners.socket = listening();
    tcp_ = inode(listeners.tcp.get());
    local_ = inode(listeners.socket.get());
    auto point = HandoverPoint::open(folder_, server(80), std::move(listeners));
    ASSERT_TRUE(point) << point.error().message;
    point_ = std::move(*point);
  }
  /// What the old server does, until `rounds` words have come or somebody takes over.
  std::optional<HandoverPoint::Taken> hear(int rounds) {
    std::optional<HandoverPoint::Taken> taken;
    for (int i = 0; i < rounds && !taken; ++i) {
      pollfd events[] = {{point_.listener(), POLLIN, 0}, {point_.newcomer(), POLLIN, 0}};
      poll(events, 2, 10'000);
      taken = point_.advance();
    }
    return taken;
  }
  HandoverPoint point_;
  ino_t tcp_ = 0, local_ = 0;
};

TEST_F(TakeoverTest, TheNewcomerGetsTheSocketsAndThenThePlace) {
  auto old = std::async(std::launch::async, [&] {
    const auto taken = hear(2);
    point_.leave();
    return taken;
  });
  auto takeover = Takeover::begin(folder_, server(80), "0.2.0");
  ASSERT_TRUE(takeover) << takeover.error().message;
  const auto listeners = takeover->listeners();
  EXPECT_EQ(inode(listeners.tcp.get()), tcp_);
  EXPECT_EQ(inode(listeners.socket.get()), local_);
  EXPECT_TRUE(takeover->complete(true));
  const auto taken = old.get();
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->with_socket);
  EXPECT_FALSE(fs::exists(folder_ / "80.sock"));
}

TEST_F(TakeoverTest, WhoGivesUpChangesNothing) {
  for (int i = 0; i < 3; ++i) {
    auto old = std::async(std::launch::async, [&] { return hear(2); });
    {
      ASSERT_TRUE(Takeover::begin(folder_, server(80), "0.2.0"));
    }
    EXPECT_FALSE(old.get());
    EXPECT_EQ(point_.newcomer(), -1);
  }
}

TEST_F(TakeoverTest, OnlyOneAtATime) {
  auto old = std::async(std::launch::async, [&] { return hear(2); });
  auto first = Takeover::begin(folder_, server(80), "0.2.0");
  ASSERT_TRUE(first);
  auto second = Takeover::begin(folder_, server(80), "0.2.0");
  EXPECT_THAT(second.error().message, HasSubstr("already"));
  old.get();
  point_.leave();
  EXPECT_EQ(first->complete(true).error().code, ErrorCode::network);
}

TEST_F(TakeoverTest, WhereNobodyListensNothingIsHandedOver) {
  EXPECT_EQ(Takeover::begin(folder_, server(81), "0.2.0").error().code, ErrorCode::unsupported);
}

Environment settings(const std::string& socket) {
  return Environment(std::map<std::string, std::string, std::less<>>{{"NOTIFY_SOCKET", socket}});
}

TEST(Notify, WhoStartedItHearsItAndNobodyElseIsHeard) {
  auto news = NotifySocket::open();
  ASSERT_TRUE(news) << news.error().message;
  const Environment environment = settings(news->name());
  const pid_t other = fork();
  if (other == 0) {
    notify_starter(environment, "READY=1");
    _exit(0);
  }
  waitpid(other, nullptr, 0);
  EXPECT_FALSE(news->receive(getpid()));
  notify_starter(environment, "READY=1\nSTATUS=fine");
  EXPECT_EQ(news->receive(getpid()), "READY=1\nSTATUS=fine");
  EXPECT_FALSE(news->receive(getpid()));
  for (const std::string& name : {std::string(), std::string("x"), std::string("/"), std::string("@"),
                                  std::string("/nonexistent/socket"), "@" + std::string(500, 'x')})
    notify_starter(settings(name), "READY=1");
}

TEST(Daemon, VersionsAreCompared) {
  EXPECT_TRUE(is_older("0.1.0", "0.1.1"));
  EXPECT_TRUE(is_older("0.9.0", "0.10.0"));
  EXPECT_TRUE(is_older("1", "1.0.1"));
  EXPECT_FALSE(is_older("1.0", "1"));
  EXPECT_FALSE(is_older("0.1.0", "0.1.0"));
  EXPECT_FALSE(is_older("2.0.0", "1.9.9"));
  EXPECT_FALSE(is_older("99999999999.0", "99999999999.0"));
}

TEST(Daemon, TheSameCommandAgain) {
  const std::vector<std::string> words = {"serve", "--daemon",        "-c",        "64", "--allow-host",
                                          "a",     "--allow-host=-b", "--no-plan", "--", "-model"};
  auto line = parse_line(words);
  ASSERT_TRUE(line) << line.error().message;
  Session session;
  session.command = line->command;
  session.flags = line->flags;
  session.arguments = line->arguments;
  const std::vector<std::string> again = words_again(session, "serve", "daemon");
  auto twice = parse_line(again);
  ASSERT_TRUE(twice) << twice.error().message;
  EXPECT_EQ(twice->arguments, line->arguments);
  size_t compared = 0;
  for (const ParsedFlag& flag : line->flags) {
    const auto same = std::ranges::find(twice->flags, flag.option, &ParsedFlag::option);
    EXPECT_EQ(same == twice->flags.end(), flag.option->name == "daemon") << flag.option->name;
    if (same == twice->flags.end()) continue;
    EXPECT_EQ(same->texts, flag.texts) << flag.option->name;
    ++compared;
  }
  EXPECT_EQ(compared, 3u);
}

}  // namespace
}  // namespace ingle::cli
