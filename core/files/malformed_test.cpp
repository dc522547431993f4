// Opens every malformed model of tests/data/files/malformed.txt: each must give its error, and never crash or hang.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/test_source_folder.h"
#include "core/files/model_file.h"

namespace ingle::core {
namespace {

namespace fs = std::filesystem;

struct MalformedCase {
  std::string name, code, open_path, message;
  std::map<std::string, std::string> files;
};

int parse_number(std::string_view digits, int base) {
  int value = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return value;
}

/// Hex digits, where {HH*COUNT} is a run.
std::string parse_hex(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (text[0] == '{') {
      const size_t end = text.find('}');
      bytes.append(static_cast<size_t>(parse_number(text.substr(4, end - 4), 10)),
                   static_cast<char>(parse_number(text.substr(1, 2), 16)));
      text.remove_prefix(end + 1);
    } else {
      bytes += static_cast<char>(parse_number(text.substr(0, 2), 16));
      text.remove_prefix(2);
    }
  }
  return bytes;
}

std::vector<MalformedCase> read_cases() {
  std::ifstream stream(source_folder() + "/tests/data/files/malformed.txt");
  std::vector<MalformedCase> cases;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "case") {
      MalformedCase& added = cases.emplace_back();
      words >> added.name >> added.code >> added.open_path >> std::ws;
      std::getline(words, added.message);
    } else if (kind == "file") {
      std::string path, hex;
      words >> path >> hex;
      cases.back().files[path] = parse_hex(hex);
    }
  }
  return cases;
}

/// A folder of its own, gone with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "ingle_files_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(MalformedFiles, EachGivesItsError) {
  const std::vector<MalformedCase> cases = read_cases();
  ASSERT_GE(cases.size(), 500u);
  const TemporaryFolder temporary;
  for (const MalformedCase& malformed : cases) {
    SCOPED_TRACE(malformed.name);
    const fs::path folder = temporary.path() / "case";
    fs::create_directory(folder);
    for (const auto& [path, content] : malformed.files) {
      std::ofstream(folder / path, std::ios::binary) << content;
    }
    const auto result = ModelFile::open(folder / malformed.open_path);
    fs::remove_all(folder);
    if (result.ok()) {
      ADD_FAILURE() << "it opened";
      continue;
    }
    EXPECT_EQ(base::error_code_name(result.error().code), malformed.code) << result.error().message;
    EXPECT_THAT(result.error().message, testing::HasSubstr(malformed.message));
    EXPECT_THAT(result.error().message, testing::HasSubstr(folder.string())) << "names no file";
    for (const char c : result.error().message) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << "control character";
  }
}

}  // namespace
}  // namespace ingle::core
