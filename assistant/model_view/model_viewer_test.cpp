// What model files consist of, told by a process that this program is, too.
#include "assistant/model_view/model_viewer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "assistant/model_view/viewer_host.h"
#include "base/test_source_folder.h"
#include "core/anatomy/anatomy.h"
#include "security/sandbox/launch.h"

namespace ingle::assistant {

constexpr const char* kViewerFlag = "__viewer";
constexpr const char* kBabbleFlag = "__babble";
constexpr const char* kDieFlag = "__die";
constexpr const char* kHangFlag = "__hang";

/// A process that a file has taken over, which writes until nobody reads.
int babble() {
  const std::string what(size_t{1} << 16, '[');
  while (::write(STDOUT_FILENO, what.data(), what.size()) > 0) {
  }
  return 0;
}

namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Json;
using ::testing::HasSubstr;

class ModelViewerTest : public testing::Test {
 protected:
  static fs::path model(const std::string& name) {
    return fs::path(source_folder()) / "tests" / "data" / "models" / name;
  }
  static ModelViewer viewer(const char* flag = kViewerFlag) {
    return ModelViewer({security::self_program(), {"viewer", flag}, security::kSanitizedBuild});
  }
  static fs::path file(const std::string& name, const std::string& bytes) {
    const fs::path path = fs::path(testing::TempDir()) / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
};

TEST_F(ModelViewerTest, SaysWhatThisProcessWouldSay) {
  for (const char* name : {"gemma3.gguf", "llama3-hf", "bert-mean.gguf"}) {
    const auto told = viewer().describe(model(name), {});
    ASSERT_TRUE(told.ok()) << told.error().message;
    EXPECT_EQ(*told, core::describe_anatomy(core::ModelFile::open(model(name)).value()));
  }
}

TEST_F(ModelViewerTest, TellsOfATensor) {
  const auto told = viewer().statistics(model("llama.gguf"), "token_embd.weight", {});
  ASSERT_TRUE(told.ok()) << told.error().message;
  EXPECT_GT((*told)["deviation"].get<double>(), 0);
  const auto none = viewer().statistics(model("llama.gguf"), "token", {});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
}

TEST_F(ModelViewerTest, ComparesWhatTwoFilesHold) {
  std::vector<std::string> told;
  double done = 0;
  const auto compared = viewer().compare(model("llama3.gguf"), model("llama3-hf"),
                                         [&](const Json& pair) {
                                           told.push_back(pair["tensor"]);
                                           EXPECT_EQ(pair["nmse"].get<double>(), 0);
                                           done = pair["done"];
                                         },
                                         {});
  ASSERT_TRUE(compared.ok()) << compared.error().message;
  EXPECT_EQ((*compared)["pairs"].get<size_t>(), told.size());
  EXPECT_EQ(told.size(), 21u);
  EXPECT_EQ(done, 1);
  const auto refused = viewer().compare(model("llama3.gguf"), model("gemma3.gguf"), {}, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
}

TEST_F(ModelViewerTest, WhatIsNoModelIsAnError) {
  const auto missing = viewer().describe("/nowhere/model.gguf", {});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  const auto broken = viewer().describe(file("broken.gguf", "GGUF\3\0\0\0 and no more"), {});
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code, ErrorCode::corrupt);
}

TEST_F(ModelViewerTest, ItsEndIsAnError) {
  const auto ended = viewer(kDieFlag).describe(model("llama.gguf"), {});
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, ErrorCode::unavailable);
}

TEST_F(ModelViewerTest, OneThatBabblesIsNotListenedToForEver) {
  const auto ended = viewer(kBabbleFlag).describe(model("llama.gguf"), {});
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, ErrorCode::limit_exceeded);
}

TEST_F(ModelViewerTest, CanBeStopped) {
  const auto began = std::chrono::steady_clock::now();
  const auto stop = [&] { return std::chrono::steady_clock::now() > began + std::chrono::milliseconds(200); };
  const auto ended = viewer(kHangFlag).describe(model("llama.gguf"), stop);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, ErrorCode::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

}  // namespace
}  // namespace ingle::assistant

int main(int argc, char** argv) {
  using namespace ingle::assistant;
  const std::string_view flag = argc == 2 ? argv[1] : "";
  if (flag == kViewerFlag) return run_viewer_host();
  if (flag == kBabbleFlag) return babble();
  if (flag == kDieFlag) return 3;
  if (flag == kHangFlag) return ::pause();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
