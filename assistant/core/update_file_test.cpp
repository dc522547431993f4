#include "assistant/core/update_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "assistant/core/update_service.h"
#include "base/files.h"

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

TEST(VersionTest, IsThreeNumbers) {
  EXPECT_EQ(parse_version("1.20.3").value(), (Version{1, 20, 3}));
  EXPECT_EQ(parse_version("0.0.0").value(), Version());
  EXPECT_EQ(to_text(parse_version("999999.0.12").value()), "999999.0.12");
  for (const char* text : {"", "1", "1.2", "1.2.", "1.2.3.4", "1.2.3-rc1", " 1.2.3", "1.2.3 ", "01.2.3", "1.-2.3",
                           "1000000.0.0", "v1.2.3", "1..3", "99999999999999999999.0.0", "1,2,3"})
    EXPECT_EQ(parse_version(text).error().code, ErrorCode::corrupt) << text;
}

TEST(VersionTest, IsComparedByNumberAndNotByText) {
  EXPECT_LT((Version{0, 9, 0}), (Version{0, 10, 0}));
  EXPECT_LT((Version{0, 10, 9}), (Version{1, 0, 0}));
  EXPECT_LT((Version{1, 0, 9}), (Version{1, 0, 10}));
}

TEST(UpdateFileTest, IsReadAsItWasWritten) {
  const Release release{{0, 2, 0}, "Reads documents."};
  const auto read = parse_update_file(write_update_file(release));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->version, release.version);
  EXPECT_EQ(read->summary, release.summary);
}

TEST(UpdateFileTest, WhatIsNotAsItShouldBeIsRefused) {
  const auto code = [](std::string_view text) { return parse_update_file(text).error().code; };
  const std::string good = write_update_file({{0, 2, 0}, "x"});
  for (size_t length = 0; length < good.size() - 1; ++length)
    EXPECT_EQ(code(good.substr(0, length)), ErrorCode::corrupt) << length;
  std::string changed = good;
  changed.replace(changed.find("0.2.0"), 5, "0.3.0");
  EXPECT_THAT(parse_update_file(changed).error().message, HasSubstr("checksum"));
  std::string later = good;
  later.replace(later.find("1"), 1, "2");
  EXPECT_EQ(code(later), ErrorCode::unsupported);
  EXPECT_EQ(code("[]"), ErrorCode::corrupt);
  EXPECT_EQ(code("{\"version\":1}"), ErrorCode::corrupt);
  EXPECT_EQ(code(std::string(kMostUpdateFileBytes + 1, ' ')), ErrorCode::limit_exceeded);
  // With a checksum that is right.
  EXPECT_EQ(code(write_update_file({{0, 2, 0}, "a line\nand another"})), ErrorCode::corrupt);
  EXPECT_EQ(code(write_update_file({{0, 2, 0}, "\x1b[31mred"})), ErrorCode::corrupt);
  EXPECT_EQ(code(write_update_file({{0, 2, 0}, std::string(201, 'x')})), ErrorCode::corrupt);
  EXPECT_EQ(code(write_update_file({{0, 2, 1000000}, ""})), ErrorCode::corrupt);
}

TEST(UpdatesFromFileTest, TellsOfNewerVersionsAlone) {
  std::string name = testing::TempDir() + "updates.XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const std::filesystem::path file = std::filesystem::path(name) / "update.json";
  const UpdatesFromFile updates(file, {0, 2, 0});
  ASSERT_TRUE(updates.newer().ok());
  EXPECT_FALSE(*updates.newer()) << "there is no file";
  const auto describe = [&](Version version) {
    ASSERT_TRUE(base::write_file_atomic(file, write_update_file({version, "What is new."})));
  };
  for (const Version older : {Version{0, 1, 9}, Version{0, 2, 0}}) {
    describe(older);
    EXPECT_FALSE(updates.newer().value()) << to_text(older);
  }
  describe({0, 10, 0});
  ASSERT_TRUE(updates.newer().value());
  EXPECT_EQ(updates.newer().value()->summary, "What is new.");
  ASSERT_TRUE(base::write_file_atomic(file, "{"));
  EXPECT_EQ(updates.newer().error().code, ErrorCode::corrupt);
  EXPECT_THAT(updates.newer().error().message, HasSubstr("update.json"));
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace ingle::assistant
