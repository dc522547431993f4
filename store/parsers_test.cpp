// The small parsers: package index pages, pip's configuration and help, and our own state files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "store/download.h"
#include "store/fetch.h"
#include "store/layout.h"
#include "store/package_index.h"
#include "store/pip.h"
#include "store/test_server.h"

namespace ingle::store {
namespace {

using ::testing::ElementsAre;

const std::string sha(64, 'b');

TEST(PackageIndex, Html) {
  const std::string page =
      "<!DOCTYPE html><html><head><base href=\"https://files.example/root/\"></head><body>\n"
      "<!-- <a href=\"commented-1.0-py3-none-any.whl\">x</a> -->"
      "<A HREF='../a%2B/pkg-1.0-py3-none-any.whl#sha256=" +
      sha +
      "' data-requires-python=\"&gt;=3.9\">pkg</A>"
      "<a class=x href=pkg-2.0-py3-none-any.whl?x=1&amp;y=2 data-yanked>y</a><abbr href=\"no.whl\">"
      "<a name=anchor><a href=\"pkg-1.0.tar.gz#md5=1\">t";
  const auto files = parse_simple_index("text/html; charset=utf-8", page, "https://index.example/simple/pkg/");
  ASSERT_TRUE(files.ok()) << files.error().message;
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ((*files)[0].url, "https://files.example/a%2B/pkg-1.0-py3-none-any.whl");
  EXPECT_EQ((*files)[0].file_name, "pkg-1.0-py3-none-any.whl");
  EXPECT_EQ((*files)[0].sha256, sha);
  EXPECT_FALSE((*files)[0].yanked);
  EXPECT_EQ((*files)[1].url, "https://files.example/root/pkg-2.0-py3-none-any.whl?x=1&y=2");
  EXPECT_EQ((*files)[1].file_name, "pkg-2.0-py3-none-any.whl");
  EXPECT_TRUE((*files)[1].yanked);
  EXPECT_EQ((*files)[2].sha256, "");
}

TEST(PackageIndex, Json) {
  const std::string page = R"({"meta":{"api-version":"1.4"},"name":"pkg","extra":[1],"files":[
    {"filename":"pkg-1.0-py3-none-any.whl","url":"/f/pkg-1.0-py3-none-any.whl","hashes":{"sha256":")" +
                           sha + R"("},"size":12,"yanked":false},
    {"filename":"pkg-1.1-py3-none-any.whl","url":"https://h/x","hashes":{},"yanked":"broken"}]})";
  const auto files =
      parse_simple_index("application/vnd.pypi.simple.v1+json", page, "https://index.example/simple/pkg/");
  ASSERT_TRUE(files.ok()) << files.error().message;
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].url, "https://index.example/f/pkg-1.0-py3-none-any.whl");
  EXPECT_EQ((*files)[0].size, 12u);
  EXPECT_TRUE((*files)[1].yanked);
  const auto code = [](const char* text) {
    return parse_simple_index("application/vnd.pypi.simple.v1+json", text, "https://h/").error().code;
  };
  EXPECT_EQ(code(R"({"meta":{"api-version":"2.0"},"files":[]})"), ErrorCode::unsupported);
  EXPECT_EQ(code(R"({"files":[{"url":1}]})"), ErrorCode::corrupt);
  EXPECT_EQ(code("[]"), ErrorCode::corrupt);
  EXPECT_EQ(parse_simple_index("image/png", "x", "https://h/").error().code, ErrorCode::corrupt);
}

TEST(PackageIndex, ChoosesTheWheelThatRunsAnywhere) {
  EXPECT_TRUE(is_wheel_of("My_Pkg.x-1.0-py3-none-any.whl", "my-pkg-x", "1.0"));
  EXPECT_TRUE(is_wheel_of("p-1.0-1-py2.py3-none-any.whl", "p", "1.0"));
  EXPECT_FALSE(is_wheel_of("p-1.0-cp311-cp311-linux_x86_64.whl", "p", "1.0"));
  EXPECT_FALSE(is_wheel_of("p-1.0.1-py3-none-any.whl", "p", "1.0"));
  EXPECT_FALSE(is_wheel_of("p2-1.0-py3-none-any.whl", "p", "1.0"));
  EXPECT_FALSE(is_wheel_of("p-1.0.tar.gz", "p", "1.0"));
  EXPECT_FALSE(is_wheel_of("-none-any.whl", "", ""));
  const std::vector<IndexFile> files = {{"p-1.0-py2-none-any.whl", "yanked", "", 0, true},
                                        {"p-1.0-py3-none-any.whl", "good", "", 0, false}};
  EXPECT_EQ(choose_wheel(files, "P", "1.0")->url, "good");
  EXPECT_EQ(choose_wheel({files[0]}, "p", "1.0")->url, "yanked");
  EXPECT_FALSE(choose_wheel(files, "p", "2.0"));
  EXPECT_EQ(normalise_package_name("A__b.-C"), "a-b-c");
}

TEST(PipConfiguration, ReadsFilesAsPipDoes) {
  const PipOptions options = parse_pip_config(
      "\xef\xbb\xbf# comment\n[global]\nIndex_URL = https://a/simple\n"
      "extra-index-url =\n    https://b/simple\n    # inner comment\n    https://c/simple\n"
      "[install]\nindex-url = https://not-for-download\n[download]\ntimeout: 5\n"
      "index-url=https://d/simple\njunk\n");
  EXPECT_EQ(options.at("index-url"), "https://d/simple");
  EXPECT_EQ(options.at("timeout"), "5");
  EXPECT_EQ(options.at("extra-index-url"), "\nhttps://b/simple\nhttps://c/simple");
}

TEST(PipConfiguration, EnvironmentOverFilesInPipsOrder) {
  const ScratchFolder folder;
  const std::string root = folder.path().string();
  std::filesystem::create_directories(root + "/xdg/pip");
  std::filesystem::create_directories(root + "/home/.config/pip");
  ASSERT_TRUE(base::write_file_atomic(root + "/xdg/pip/pip.conf", "[global]\nindex-url=https://system\n").ok());
  ASSERT_TRUE(base::write_file_atomic(root + "/home/.config/pip/pip.conf", "[global]\nindex-url=https://user\n").ok());
  ASSERT_TRUE(base::write_file_atomic(root + "/own.conf", "[global]\nindex-url=https://own\nno-index=yes\n").ok());
  std::vector<std::string> variables = {"XDG_CONFIG_DIRS=" + root + "/xdg", "HOME=" + root + "/home"};
  PipConfiguration configuration = read_pip_configuration(Environment(variables));
  EXPECT_EQ(configuration.index_url, "https://user");

  variables.push_back("PIP_CONFIG_FILE=" + root + "/own.conf");
  configuration = read_pip_configuration(Environment(variables));
  EXPECT_EQ(configuration.index_url, "https://own");
  EXPECT_TRUE(configuration.indexes().empty()) << "no-index";
  variables.insert(variables.end(), {"PIP_INDEX_URL=https://env", "PIP_EXTRA_INDEX_URL=https://x https://y",
                                     "PIP_NO_INDEX=0", "PIP_TRUSTED_HOST=h:1"});
  configuration = read_pip_configuration(Environment(variables));
  EXPECT_THAT(configuration.indexes(), ElementsAre("https://env", "https://x", "https://y"));
  EXPECT_THAT(configuration.trusted_hosts, ElementsAre("h:1"));
  configuration = read_pip_configuration(Environment({"PIP_CONFIG_FILE=/dev/null", "HOME=" + root + "/home"}));
  EXPECT_EQ(configuration.index_url, "");
}

TEST(PipConfiguration, TheDefaultIsWhatPipNames) {
  EXPECT_EQ(
      parse_pip_help(
          "  -i, --index-url <url>       Base URL (default https://i.example/simple). This\n  --extra-index-url <url>"),
      "https://i.example/simple");
  EXPECT_EQ(
      parse_pip_help("  -i, --index-url <url>  Base URL of the Index (default\n        https://i.example/simple). x\n"),
      "https://i.example/simple");
  EXPECT_EQ(parse_pip_help("  -i, --index-url <url>  text\n  --other (default https://no)"), "");
  EXPECT_EQ(parse_pip_help("--index-url (default https://u:****@h/simple)"), "");
  EXPECT_EQ(parse_pip_help("--index-url (default nonsense)"), "");
  EXPECT_EQ(parse_pip_help(""), "");
}

TEST(StateFiles, RefuseWhatTheyDidNotWrite) {
  EXPECT_EQ(parse_download_state(R"({"version":1,"url":"u","etag":"\"e\"","total":5})")->etag, "\"e\"");
  for (const char* bad :
       {"", "{}", "[]", R"({"version":2,"url":"u","etag":"e","total":5})", R"({"version":1,"url":"u","etag":"e"})",
        R"({"version":1,"url":"u","etag":"e","total":-5})", R"({"version":1,"url":"u","etag":"e\r\nX: y","total":5})",
        R"({"version":1,"url":1,"etag":"e","total":5})"})
    EXPECT_FALSE(parse_download_state(bad).ok()) << bad;
  EXPECT_EQ(parse_parts_state(R"({"version":1,"address":"a","parts":2,"bytes":3})")->parts, 2u);
  for (const char* bad :
       {"", R"({"version":1,"address":"a","parts":2})", R"({"version":9,"address":"a","parts":2,"bytes":3})"})
    EXPECT_FALSE(parse_parts_state(bad).ok()) << bad;
  const std::string good =
      R"({"version":1,"name":"n","sha256":")" + sha + R"(","bytes":3,"source":"s","file_name":"f","installed_at":"t"})";
  EXPECT_EQ(parse_manifest(good)->bytes, 3u);
  for (const auto& [from, to] :
       {std::pair("\"n\"", "\"../n\""), std::pair("bbbb", "bbb/"), std::pair("\"bytes\":3", "\"bytes\":-3"),
        std::pair("\"s\"", "\"\\u001b[2J\""), std::pair("\"version\":1", "\"version\":7")}) {
    std::string bad = good;
    bad.replace(bad.find(from), std::string(from).size(), to);
    EXPECT_FALSE(parse_manifest(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace ingle::store
