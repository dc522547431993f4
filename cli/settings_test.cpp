#include "cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "base/files.h"
#include "cli/errors.h"

namespace ingle::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Environment surroundings(std::map<std::string, std::string, std::less<>> variables) {
  return Environment(std::move(variables));
}

class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "ingle-settings-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = folder_ / "config.toml";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(std::string_view text) { ASSERT_TRUE(base::write_file_atomic(file_, text)); }
  static Values values() {
    std::vector<const Option*> options;
    for (const Option& option : all_settings()) options.push_back(&option);
    return Values(options);
  }
  std::string failure(std::string_view text) {
    write(text);
    Values v = values();
    const base::Status status = apply_config_file(v, file_);
    return status ? "accepted" : status.error().message;
  }

  std::filesystem::path folder_, file_;
};

TEST_F(SettingsTest, EnvironmentOverFileOverDefault) {
  Values v = values();
  EXPECT_EQ(v.integer("batch"), 0);
  EXPECT_FALSE(v.is_set("batch"));
  write("batch = 64\ntemp = 1\nthink = false\nstop = ['a', 'b']\nmemory = 1000\nmirostat = 2\n");
  ASSERT_TRUE(apply_config_file(v, file_));
  EXPECT_EQ(v.integer("batch"), 64);
  EXPECT_EQ(v.at("batch").where, file_.string() + ":1");
  EXPECT_EQ(v.number("temp"), 1);
  EXPECT_TRUE(v.is_set("think"));
  EXPECT_FALSE(v.flag("think"));
  EXPECT_THAT(v.list("stop"), ElementsAre("a", "b"));
  EXPECT_EQ(v.bytes("memory"), 1000u);
  EXPECT_EQ(v.text("mirostat"), "2");
  const Environment environment =
      surroundings({{"INGLE_BATCH", "32"}, {"INGLE_TEMP", ""}, {"INGLE_STOP", "x\n\ny z\n"}});
  ASSERT_TRUE(apply_environment(v, environment));
  EXPECT_EQ(v.integer("batch"), 32);
  EXPECT_EQ(v.at("batch").origin, Origin::environment);
  EXPECT_EQ(v.number("temp"), 1);
  EXPECT_THAT(v.list("stop"), ElementsAre("x", "y z"));
}

TEST_F(SettingsTest, AMissingFileIsEmpty) {
  Values v = values();
  EXPECT_TRUE(apply_config_file(v, folder_ / "none.toml"));
}

TEST_F(SettingsTest, ErrorsNameFileAndLine) {
  EXPECT_THAT(failure("batch = 1\ntopp-k = 2"),
              HasSubstr(file_.string() + ":2: unknown key 'topp-k'; did you mean 'top-k'?"));
  EXPECT_THAT(failure("batch = \n"), HasSubstr(file_.string() + ":1: "));
  EXPECT_THAT(failure("batch = '64'"), HasSubstr(":1: 'batch' takes a whole number"));
  EXPECT_THAT(failure("offline = 'yes'"), HasSubstr("true or false"));
  EXPECT_THAT(failure("\n\nbatch = -1"), HasSubstr(":3: '-1' is out of range; give a whole number from 0 to 65536"));
  EXPECT_THAT(failure("stop = [1, 2]"), HasSubstr("list of texts"));
  EXPECT_THAT(failure("batch = [1, 2]"), HasSubstr("a whole number"));
  EXPECT_THAT(failure("temp = nan"), HasSubstr("not a number"));
  EXPECT_THAT(failure("a.b = 1"), HasSubstr("unknown key 'a'"));
  EXPECT_THAT(failure(std::string("batch = 1\n\xff\n")), HasSubstr("config.toml:1: Encountered invalid utf-8"));
}

TEST_F(SettingsTest, FlagsOfOtherCommandsAreCheckedToo) {
  write("temp = 1000");
  Values none;
  EXPECT_FALSE(apply_config_file(none, file_));
}

TEST_F(SettingsTest, UnknownVariables) {
  EXPECT_THAT(
      unknown_variables(surroundings({{"INGLE_TEMP", "1"}, {"INGLE_CONFIG", "x"}, {"INGLE_TMEP", "1"}, {"HOME", "/"}})),
      ElementsAre("INGLE_TMEP"));
}

TEST(Settings, RecordsAreWhole) {
  std::set<std::string_view> names;
  for (const Option& option : all_settings()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_NE(option.group, group_none) << option.name;
    EXPECT_NE(group_title(option.group), "") << option.name;
    EXPECT_FALSE(option.help.empty()) << option.name;
    EXPECT_EQ(option.type == ValueType::choice, !option.choices.empty()) << option.name;
    // A flag-only option can't be a setting: it could not be switched off again.
    EXPECT_NE(option.type, ValueType::flag) << option.name;
  }
}

TEST(Paths, FollowXdg) {
  const Paths home = find_paths(surroundings({{"HOME", "/home/me"}}));
  EXPECT_EQ(home.config_file, "/home/me/.config/ingle/config.toml");
  EXPECT_EQ(home.data, "/home/me/.local/share/ingle");
  EXPECT_EQ(home.state, "/home/me/.local/state/ingle");
  EXPECT_EQ(home.cache, "/home/me/.cache/ingle");
  const Paths named = find_paths(surroundings({{"HOME", "/home/me"},
                                               {"XDG_DATA_HOME", "/data"},
                                               {"XDG_CACHE_HOME", "relative"},
                                               {"INGLE_CONFIG", "~/own.toml"}}));
  EXPECT_EQ(named.data, "/data/ingle");
  EXPECT_EQ(named.cache, "/home/me/.cache/ingle");  // relative values are to be ignored
  EXPECT_EQ(named.config_file, "/home/me/own.toml");
}

TEST(Errors, EveryCodeHasItsExit) {
  using base::ErrorCode;
  EXPECT_EQ(exit_code(ErrorCode::invalid_argument), 2);
  EXPECT_EQ(exit_code(ErrorCode::not_found), 3);
  EXPECT_EQ(exit_code(ErrorCode::corrupt), 4);
  EXPECT_EQ(exit_code(ErrorCode::unsupported), 5);
  EXPECT_EQ(exit_code(ErrorCode::limit_exceeded), 6);
  EXPECT_EQ(exit_code(ErrorCode::out_of_memory), 7);
  EXPECT_EQ(exit_code(ErrorCode::no_space), 7);
  EXPECT_EQ(exit_code(ErrorCode::network), 8);
  EXPECT_EQ(exit_code(ErrorCode::offline), 8);
  EXPECT_EQ(exit_code(ErrorCode::permission_denied), 9);
  EXPECT_EQ(exit_code(ErrorCode::busy), 9);
  EXPECT_EQ(exit_code(ErrorCode::io_error), 1);
  EXPECT_EQ(exit_code(ErrorCode::internal), 1);
  EXPECT_EQ(exit_code(ErrorCode::cancelled), 130);
}

TEST(Errors, StayOneLine) {
  const base::Error error{base::ErrorCode::not_found, "a\nb\033[31m\"c\"\xff"};
  EXPECT_EQ(error_line(error, false), "ingle: a b [31m\"c\"\\xff\n");
  EXPECT_EQ(error_line({base::ErrorCode::not_found, "\u009b"}, false), "ingle: \\xc2\\x9b\n");
  EXPECT_EQ(error_line(error, true),
            "{\"error\":{\"code\":\"not_found\",\"message\":\"a b [31m\\\"c\\\"\xef\xbf\xbd\",\"exit\":3}}\n");
}

}  // namespace
}  // namespace ingle::cli
