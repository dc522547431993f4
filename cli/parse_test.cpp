#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/settings.h"

namespace ingle::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Words = std::vector<std::string>;

std::vector<std::string> flag(const ParsedLine& line, std::string_view name) {
  for (const ParsedFlag& parsed : line.flags) {
    if (parsed.option->name == name) return parsed.texts;
  }
  return {};
}

TEST(Parse, FindsTheCommandBeforeAndAfterOptions) {
  const Words before = {"--threads", "2", "--offline", "run", "hi"};
  const auto line = parse_line(before);
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->command->name, "run");
  EXPECT_THAT(line->arguments, ElementsAre("hi"));
  EXPECT_THAT(flag(*line, "threads"), ElementsAre("2"));
  EXPECT_THAT(flag(*line, "offline"), ElementsAre("true"));
  EXPECT_EQ(parse_line(Words{"ls"})->command->name, "list");
  EXPECT_EQ(parse_line(Words{})->command->name, "open");
  EXPECT_EQ(parse_line(Words{"--help"})->command, nullptr);
  EXPECT_TRUE(parse_line(Words{"--version"})->version);
  EXPECT_TRUE(parse_line(Words{"help", "run"})->help);
}

TEST(Parse, TakesValuesInEveryForm) {
  const auto line = parse_line(Words{"run", "-n32", "--temp=0.5", "--stop", "a", "--stop=b", "--stop=", "--stop", "-x",
                                     "--stop", "--", "--seed", "1", "--seed", "2", "--no-think", "-qv"});
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_THAT(flag(*line, "max-tokens"), ElementsAre("32"));
  EXPECT_THAT(flag(*line, "temp"), ElementsAre("0.5"));
  EXPECT_THAT(flag(*line, "stop"), ElementsAre("a", "b", "", "-x", "--"));
  EXPECT_THAT(flag(*line, "seed"), ElementsAre("1", "2"));  // Values::set lets the last one win
  EXPECT_THAT(flag(*line, "think"), ElementsAre("false"));
  EXPECT_THAT(flag(*line, "quiet"), ElementsAre("true"));
  EXPECT_THAT(flag(*line, "verbose"), ElementsAre("true"));
  EXPECT_THAT(line->arguments, IsEmpty());
}

TEST(Parse, LeavesPromptsAlone) {
  // Names of commands, brackets, braces, equals signs and, after --, dashes: all of it is text.
  for (const std::string prompt : {"list", "help", "[a, b]", "{x}", "a=b", "", " ", "-", "/help", "x\n\"y'"}) {
    const auto line = parse_line(Words{"run", "-m", "some", prompt});
    ASSERT_TRUE(line) << prompt << ": " << line.error().message;
    EXPECT_THAT(line->arguments, ElementsAre(prompt));
  }
  const auto line = parse_line(Words{"run", "-m", "some", "--raw", "--", "--raw", "-5", "--"});
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_THAT(line->arguments, ElementsAre("--raw", "-5", "--"));
}

TEST(Parse, RefusesWithAdvice) {
  const auto message = [](const Words& words) {
    const auto line = parse_line(words);
    return line ? std::string("parsed") : line.error().message;
  };
  EXPECT_THAT(message({"rn"}), HasSubstr("unknown command 'rn'; did you mean 'run'?"));
  EXPECT_THAT(message({"run", "--tmp", "1"}), HasSubstr("unknown option '--tmp'; did you mean '--temp'?"));
  EXPECT_THAT(message({"run", "--tmp=1"}), HasSubstr("unknown option '--tmp'"));
  EXPECT_THAT(message({"run", "-5"}), HasSubstr("after '--'"));
  EXPECT_THAT(message({"run", "--temp"}), HasSubstr("'--temp' needs a value; see 'ingle run --help'"));
  EXPECT_THAT(message({"show"}), HasSubstr("MODEL is missing"));
  EXPECT_THAT(message({"show", "a", "b"}), HasSubstr("unexpected argument 'b'"));
  EXPECT_THAT(message({"version", "--temp", "1"}), HasSubstr("unknown option '--temp'"));
  EXPECT_THAT(message({"config", "--offline", "--no-offline"}), HasSubstr("contradict"));
  EXPECT_THAT(message({"run", "--raw", "--no-raw"}), HasSubstr("unknown option '--no-raw'"));
}

TEST(Commands, AreWholeRecords) {
  for (const Command* command : all_commands()) {
    EXPECT_NE(command->run, nullptr) << command->name;
    EXPECT_FALSE(command->summary.empty()) << command->name;
    EXPECT_FALSE(command->summary.ends_with('.')) << command->name;
    std::vector<std::string_view> names;
    std::string letters;
    for (const Option* option : options_of(*command)) {
      EXPECT_EQ(std::count(names.begin(), names.end(), option->name), 0) << command->name << " --" << option->name;
      names.push_back(option->name);
      if (option->letter == 0) continue;
      EXPECT_EQ(letters.find(option->letter), std::string::npos) << command->name << " -" << option->letter;
      letters += option->letter;
    }
    for (const Option* option : options_of(*command)) {
      EXPECT_EQ(takes_value(*option), !option->metavar.empty()) << option->name;
      EXPECT_TRUE(option->fallback.empty() || check_value(*option, option->fallback, "").ok()) << option->name;
    }
    for (size_t i = 0; i + 1 < command->arguments.size(); ++i) EXPECT_FALSE(command->arguments[i].repeatable);
  }
}

}  // namespace
}  // namespace ingle::cli
