// Python hashed the published templates (tests/template/make_known.py); the files themselves must be found by that.
#include "store/known_templates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/test_source_folder.h"
#include "store/known_templates_table.h"

namespace ingle::store {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(KnownTemplates, AreThePublishedOnes) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_folder() + "/tests/data/template/models")) {
    ++files;
    const std::string text = read(entry.path());
    EXPECT_FALSE(publisher_of_template(text).empty()) << entry.path();
    // What converters do to a text is no other text.
    std::string windows;
    for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
    EXPECT_EQ(publisher_of_template(windows + "\r\n \n"), publisher_of_template(text)) << entry.path();
    // One more character anywhere is.
    EXPECT_TRUE(publisher_of_template(text + "x").empty());
    EXPECT_TRUE(publisher_of_template(" " + text).empty());
  }
  EXPECT_GT(files, 60u);
}

TEST(KnownTemplates, HashIsSha256OfTheTrimmedText) {
  // FIPS 180-2, appendix B.1, and that of nothing.
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(template_hash("abc"), abc);
  EXPECT_EQ(template_hash("abc\r\n\t \n"), abc);
  EXPECT_NE(template_hash("abc\r"), abc);
  EXPECT_NE(template_hash("a\rbc"), abc);
  EXPECT_EQ(template_hash("\n"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(KnownTemplates, TableIsSorted) {
  EXPECT_TRUE(std::ranges::is_sorted(known_templates, {}, &KnownTemplate::sha256));
}

TEST(KnownTemplates, NothingIsKnownOfNothing) {
  EXPECT_TRUE(publisher_of_template("").empty());
}

}  // namespace
}  // namespace ingle::store
