// Pulls against the misbehaving server: what arrives, what is asked for again, and what an error leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/files.h"
#include "store/download.h"
#include "store/system.h"
#include "store/test_server.h"

namespace ingle::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class PullTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new TestServer();
    ASSERT_TRUE(server_->running()) << "python3 and tests/data/store/fault_server.py are needed";
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override { server_->forget(); }

  static const TestServer& server() { return *server_; }

  StoreOptions options(const std::vector<std::pair<std::string, int>>& sources) const {
    return test_options(folder_.path(), test_catalogue(server(), sources));
  }
  static std::string url(const std::string& faults, const std::string& name = "model.gguf") {
    return server().file_url(faults, name);
  }

  Result<InstalledModel> pull(const StoreOptions& options, const std::string& model = "test") {
    Result<Store> store = Store::open(options);
    if (!store.ok()) return store.error();
    return store->pull(model, [this](const Progress& progress) { seen_.push_back(progress); });
  }
  Result<InstalledModel> pull_from(const std::vector<std::pair<std::string, int>>& sources) {
    return pull(options(sources));
  }

  void expect_good(const Result<InstalledModel>& model, bool fetched = true) const {
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(model->sha256, server().sha256("model.gguf"));
    EXPECT_EQ(*sha256_file(model->path, {}), server().sha256("model.gguf"));
    EXPECT_EQ(model->bytes, server().size("model.gguf"));
    EXPECT_EQ(model->fetched, fetched);
    EXPECT_EQ(model->verified, fetched);
    EXPECT_TRUE(std::filesystem::is_empty(root() / "partial"));
  }
  void expect_nothing_visible() const {
    EXPECT_TRUE(std::filesystem::is_empty(root() / "blobs/sha256"));
    EXPECT_TRUE(std::filesystem::is_empty(root() / "models"));
  }
  std::filesystem::path root() const { return folder_.path() / "store"; }
  std::filesystem::path partial() const { return root() / "partial" / server().sha256("model.gguf"); }

  /// Requests whose path ends so.
  static std::vector<base::Json> requests(const std::string& ending) {
    std::vector<base::Json> out;
    for (const base::Json& entry : server().log()) {
      if (entry["path"].get<std::string>().ends_with(ending)) out.push_back(entry);
    }
    return out;
  }

  ScratchFolder folder_;
  std::vector<Progress> seen_;
  static TestServer* server_;
};
TestServer* PullTest::server_ = nullptr;

TEST_F(PullTest, FreshThenAlreadyThere) {
  const StoreOptions options = this->options({{url("-"), 1}});
  expect_good(pull(options));
  EXPECT_EQ(seen_.back().stage, Stage::done);
  EXPECT_EQ(seen_.back().bytes_done, server().size("model.gguf"));
  EXPECT_EQ(seen_.back().bytes_total, server().size("model.gguf"));
  uint64_t before = 0;
  for (const Progress& progress : seen_) {
    if (progress.stage == Stage::downloading) {
      EXPECT_GE(progress.bytes_done, before);
      before = progress.bytes_done;
    }
  }
  server().forget();
  expect_good(pull(options, "TEST:latest"), false);
  EXPECT_TRUE(server().log().empty()) << "nothing to fetch, nothing to ask";
}

TEST_F(PullTest, NamesAndRemoval) {
  const StoreOptions options = this->options({{url("-"), 1}});
  Result<Store> store = Store::open(options);
  ASSERT_TRUE(store.ok());
  EXPECT_THAT(store->resolve("test").error().message, HasSubstr("'ingle pull test' fetches 4 MB"));
  ASSERT_TRUE(store->ensure("test").ok());
  EXPECT_EQ(store->resolve("Test")->path, root() / "blobs/sha256" / server().sha256("model.gguf"));
  EXPECT_EQ(store->list()->size(), 1u);
  EXPECT_TRUE(store->show("test:latest")->entry.has_value());
  EXPECT_EQ(store->show("test")->installed->source, url("-"));
  EXPECT_EQ(store->remove("TEST")->bytes_freed, server().size("model.gguf"));
  expect_nothing_visible();
  EXPECT_EQ(store->remove("test").error().code, ErrorCode::not_found);
  EXPECT_TRUE(store->list()->empty());
  EXPECT_THAT(store->pull("tset").error().message, HasSubstr("did you mean test?"));
  for (const char* bad : {"", "../../nonexistent", "a/../b", "hf:x", "\x1b[2J"}) {
    EXPECT_FALSE(store->pull(bad).ok()) << bad;
    EXPECT_FALSE(store->remove(bad).ok()) << bad;
  }
}

TEST_F(PullTest, TwoNamesShareOneBlob) {
  base::Json document = *base::parse_json(test_catalogue(server(), {{url("-"), 1}}));
  base::Json second = document["models"][0];
  second["name"] = "twin";
  second["aliases"] = base::Json::array();
  document["models"].push_back(second);
  Result<Store> store = Store::open(test_options(folder_.path(), document.dump()));
  ASSERT_TRUE(store.ok()) << store.error().message;
  ASSERT_TRUE(store->pull("test").ok());
  const Result<InstalledModel> twin = store->pull("twin");
  expect_good(twin, false);
  EXPECT_EQ(requests("model.gguf").size(), 1u);
  EXPECT_EQ(store->remove("test")->bytes_freed, 0u);
  EXPECT_TRUE(store->resolve("twin").ok());
  EXPECT_EQ(store->remove("twin")->bytes_freed, server().size("model.gguf"));
  expect_nothing_visible();
}

TEST_F(PullTest, ResumesADroppedTransfer) {
  expect_good(pull_from({{url("drops=1000000:2"), 1}}));
  const std::vector<base::Json> asked = requests("model.gguf");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[1]["headers"]["Range"], "bytes=1000000-");
  EXPECT_TRUE(asked[1]["headers"].contains("If-Range"));
  EXPECT_EQ(asked[2]["headers"]["Range"], "bytes=2000000-");
}

TEST_F(PullTest, ResumesInTheNextPull) {
  StoreOptions options = this->options({{url("drops=1000000:1"), 1}});
  options.retries = 0;
  const Result<InstalledModel> failed = pull(options);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::network);
  expect_nothing_visible();
  EXPECT_EQ(file_size_if_exists(partial() / "model.partial"), 1000000u);
  server().forget();
  expect_good(pull(this->options({{url("-,x"), 1}})));  // another address of the same file continues it
  EXPECT_EQ(requests("model.gguf")[0]["headers"]["Range"], "bytes=1000000-");
}

TEST_F(PullTest, TellsOfAPartAndRemovesIt) {
  StoreOptions options = this->options({{url("drops=1000000:1"), 1}});
  options.retries = 0;
  ASSERT_FALSE(pull(options).ok());
  Store store = Store::open(options).value();
  EXPECT_EQ(store.partial_bytes("test"), 1000000u);
  EXPECT_EQ(store.partial_bytes("smollm2-135m"), 0u);
  EXPECT_EQ(store.partial_bytes("no such model"), 0u);
  {
    const auto lock = FileLock::try_acquire(root() / "locks" / (server().sha256("model.gguf") + ".lock"));
    ASSERT_TRUE(lock.ok() && lock->has_value());
    EXPECT_EQ(store.discard_partial("test").error().code, ErrorCode::busy);
    EXPECT_EQ(store.partial_bytes("test"), 1000000u);
  }
  EXPECT_TRUE(store.discard_partial("test").ok());
  EXPECT_EQ(store.partial_bytes("test"), 0u);
  EXPECT_FALSE(std::filesystem::exists(partial()));
  EXPECT_TRUE(store.discard_partial("test").ok()) << "nothing is there, as is wanted";
  EXPECT_EQ(store.discard_partial("no such model").error().code, ErrorCode::not_found);
}

TEST_F(PullTest, StartsAgainWhereTheServerIgnoresTheRange) {
  expect_good(pull_from({{url("drops=1000000:1,norange"), 1}}));
}

TEST_F(PullTest, GivesUpWhereTheSameBytesComeAgainAndAgain) {
  const Result<InstalledModel> failed = pull_from({{url("drop=1000000,norange"), 1}});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::network);
  EXPECT_EQ(requests("model.gguf").size(), StoreOptions().retries + 1);
  expect_nothing_visible();
}

TEST_F(PullTest, StartsAgainWhereTheFileChanged) {
  StoreOptions options = this->options({{url("drops=1000000:1,flips=10:1"), 1}});
  // The first answer was of another version: its tag differs, so the server sends everything again.
  expect_good(pull(options));
  EXPECT_EQ(requests("model.gguf").size(), 2u);
}

TEST_F(PullTest, WeakTagsAndNoTagsStillResume) {
  expect_good(pull_from({{url("drops=1000000:1,weak"), 1}}));
  EXPECT_FALSE(requests("model.gguf")[1]["headers"].contains("If-Range"));
  ASSERT_TRUE(Store::open(this->options({{url("-"), 1}}))->remove("test").ok());
  expect_good(pull_from({{url("drops=1000000:1,noetag"), 1}}));
}

TEST_F(PullTest, SpoiltPartialIsFetchedAgainOnce) {
  std::filesystem::create_directories(partial());
  ASSERT_TRUE(base::write_file_atomic(partial() / "model.partial", std::string(500000, 'x')).ok());
  expect_good(pull_from({{url("-"), 1}}));
  EXPECT_EQ(requests("model.gguf").size(), 2u) << "continued, found wrong, fetched from the start";
}

TEST_F(PullTest, PartialLongerThanTheFile) {
  std::filesystem::create_directories(partial());
  ASSERT_TRUE(base::write_file_atomic(partial() / "model.partial", std::string(4000000, 'x')).ok());
  expect_good(pull_from({{url("-"), 1}}));
}

TEST_F(PullTest, WrongBytesStayInvisible) {
  const Result<InstalledModel> wrong = pull_from({{url("flip=2999999"), 1}});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::corrupt);
  EXPECT_THAT(wrong.error().message, AllOf(HasSubstr("SHA-256"), HasSubstr(server().sha256("model.gguf"))));
  expect_nothing_visible();
  EXPECT_FALSE(std::filesystem::exists(partial() / "model.partial"));
  EXPECT_EQ(requests("model.gguf").size(), 1u) << "a file that came whole and wrong is not asked for again";
}

TEST_F(PullTest, WrongSizes) {
  EXPECT_THAT(pull_from({{url("-", "small.gguf"), 1}}).error().message, HasSubstr("1000 bytes instead of"));
  EXPECT_EQ(requests("small.gguf").size(), 1u);
  EXPECT_EQ(pull_from({{url("extra=1000"), 1}}).error().code, ErrorCode::corrupt);
  EXPECT_EQ(pull_from({{url("-", "empty.gguf"), 1}}).error().code, ErrorCode::corrupt);
  expect_nothing_visible();
}

TEST_F(PullTest, AnswersThatDoNotFitTheirRange) {
  expect_good(pull_from({{url("shift,drops=1000000:1"), 1}}));
  const std::vector<base::Json> asked = requests("model.gguf");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_TRUE(asked[1]["headers"].contains("Range"));
  EXPECT_FALSE(asked[2]["headers"].contains("Range")) << "an answer for another range than asked means starting again";
}

TEST_F(PullTest, AnEndWithoutALengthIsNoticed) {
  expect_good(pull_from({{url("nolength,drops=5000:1"), 1}}));
  EXPECT_EQ(requests("model.gguf")[1]["headers"]["Range"], "bytes=5000-");
}

TEST_F(PullTest, TransientAnswersAreTriedAgain) {
  expect_good(pull_from({{url("status=503:3"), 1}}));
  EXPECT_EQ(requests("model.gguf").size(), 4u);
  ASSERT_TRUE(Store::open(this->options({{url("-"), 1}}))->remove("test").ok());
  server().forget();
  EXPECT_THAT(pull_from({{url("status=500:99"), 1}}).error().message, HasSubstr("answered 500"));
  EXPECT_EQ(requests("model.gguf").size(), 5u);
  EXPECT_THAT(pull_from({{url("status=404:99,y"), 1}}).error().message, HasSubstr("404 (not found)"));
  EXPECT_EQ(requests("y/model.gguf").size(), 1u);
}

TEST_F(PullTest, AStalledTransferGoesOn) {
  StoreOptions options = this->options({{url("stalls=1000000:1"), 1}});
  options.stall_seconds = 1;
  expect_good(pull(options));
  EXPECT_EQ(requests("model.gguf").size(), 2u);
}

TEST_F(PullTest, FallsThroughToTheNextSource) {
  const Result<InstalledModel> model =
      pull_from({{url("status=404:99"), 1}, {url("flip=5"), 2}, {"file:/nonexistent", 3}, {url("-,last"), 4}});
  expect_good(model);
  EXPECT_EQ(model->source, url("-,last"));
}

TEST_F(PullTest, TheLastErrorNamesAllFailures) {
  const Result<InstalledModel> failed =
      pull_from({{url("status=404:99"), 1}, {url("flip=5"), 2}, {"hf:o/r/gone.gguf", 3}});
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message, AllOf(HasSubstr("404"), HasSubstr("SHA-256"), HasSubstr("hf:o/r/gone.gguf")));
  EXPECT_THAT(failed.error().message, Not(HasSubstr("\n")));
}

TEST_F(PullTest, TheFasterOfEqualRankWins) {
  const std::vector<std::pair<std::string, int>> sources = {
      {url("delay=600,slow"), 1}, {url("status=404:99"), 1}, {url("-,fast"), 1}, {url("-,never"), 2}};
  const Result<InstalledModel> model = pull_from(sources);
  expect_good(model);
  EXPECT_EQ(model->source, url("-,fast"));
  EXPECT_EQ(requests("fast/model.gguf")[0]["headers"]["Range"], "bytes=0-65535");
  EXPECT_TRUE(requests("never/model.gguf").empty());
  EXPECT_EQ(seen_.front().stage, Stage::probing);
}

TEST_F(PullTest, ASlowSourceStillServesWhereTheFastOneLies) {
  const Result<InstalledModel> model = pull_from({{url("delay=600"), 1}, {url("flip=70000,fast"), 1}});
  expect_good(model);
  EXPECT_EQ(model->source, url("delay=600"));
}

TEST_F(PullTest, Offline) {
  StoreOptions options = this->options({{url("-"), 1}});
  options.offline = true;
  const Result<InstalledModel> refused = pull(options);
  EXPECT_EQ(refused.error().code, ErrorCode::offline);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("'test'"), HasSubstr("4 MB"), HasSubstr(url("-"))));
  EXPECT_TRUE(server().log().empty());
  options.offline = false;
  expect_good(pull(options));
  options.offline = true;
  expect_good(pull(options), false);
}

TEST_F(PullTest, TheStartIsReadAndNothingKept) {
  const auto whole = base::read_file(server().folder() / "model.gguf", 1 << 24).value();
  const std::vector<std::string> sources = {url("-"), url("norange"), "file:" + server().folder().string()};
  for (const std::string& source : sources) {
    SCOPED_TRACE(source);
    const StoreOptions options = this->options({{url("status=404:9"), 1}, {source, 2}});
    const Store store = Store::open(options).value();
    size_t calls = 0, seen = 0;
    const Status read = store.read_start("test", [&](std::span<const std::byte> start) {
      ++calls;
      seen = start.size();
      EXPECT_EQ(std::memcmp(start.data(), whole.data(), start.size()), 0);
      return start.size() >= 1'000'000;
    });
    EXPECT_TRUE(read.ok()) << read.error().message;
    EXPECT_GE(seen, 1'000'000u);
    const bool from_file = source.starts_with("file:");
    EXPECT_EQ(calls, from_file ? 1u : 3u) << "at 256 KiB, 512 KiB and 1 MiB";
    EXPECT_EQ(seen == whole.size(), from_file);
    EXPECT_FALSE(store.resolve("test").ok());
    const Status never = store.read_start("test", [](std::span<const std::byte>) { return false; });
    EXPECT_EQ(never.error().code, ErrorCode::corrupt);
    EXPECT_THAT(never.error().message, HasSubstr("ends before"));
  }
}

TEST_F(PullTest, TheStartIsReadOnlyWhereThatIsAllowed) {
  const auto any = [](std::span<const std::byte>) { return true; };
  StoreOptions options = this->options({{url("-"), 1}});
  options.offline = true;
  EXPECT_EQ(Store::open(options)->read_start("test", any).error().code, ErrorCode::offline);
  EXPECT_TRUE(server().log().empty());
  options = this->options({{"pypi:test_model_part1==1.0/test_model_part1/data/part00.bin", 1}});
  EXPECT_EQ(Store::open(options)->read_start("test", any).error().code, ErrorCode::unsupported);
  options = this->options({{url("-"), 1}});
  EXPECT_EQ(Store::open(options)->read_start("nosuch", any).error().code, ErrorCode::not_found);
  const Status stopped = Store::open(options)->read_start("test", any, [] { return true; });
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

TEST_F(PullTest, OfflineStillCopiesFromAFolder) {
  const std::string folder = server().folder().string();
  StoreOptions options = this->options({{url("-"), 1}, {"file:" + folder, 2}});
  options.offline = true;
  const Result<InstalledModel> model = pull(options);
  expect_good(model);
  EXPECT_EQ(model->source, "file:" + folder);
  EXPECT_TRUE(server().log().empty());
}

TEST_F(PullTest, Cancelled) {
  Result<Store> store = Store::open(this->options({{url("rate=2000000"), 1}}));
  ASSERT_TRUE(store.ok());
  uint64_t done = 0;
  const Result<InstalledModel> model =
      store->pull("test", [&](const Progress& progress) { done = progress.bytes_done; }, [&] { return done > 300000; });
  EXPECT_EQ(model.error().code, ErrorCode::cancelled);
  expect_nothing_visible();
  EXPECT_GT(file_size_if_exists(partial() / "model.partial").value_or(0), 0u) << "kept for the next time";
}

TEST_F(PullTest, HubAddressesAndTheirToken) {
  StoreOptions options = this->options({{"hf:owner/repo/model.gguf@v1", 1}});
  options.hf_endpoint = server().origin();
  options.hf_token = "secret";
  expect_good(pull(options));
  const base::Json asked = requests("model.gguf")[0];
  EXPECT_EQ(asked["path"], "/owner/repo/resolve/v1/model.gguf");
  EXPECT_EQ(asked["headers"]["Authorization"], "Bearer secret");
  Result<Store> store = Store::open(options);
  ASSERT_TRUE(store->remove("test").ok());
  StoreOptions scope = this->options({{"modelscope:owner/repo/model.gguf", 1}});
  scope.modelscope_endpoint = server().origin();
  scope.hf_token = "secret";
  expect_good(pull(scope));
  EXPECT_EQ(requests("master/model.gguf")[0]["path"], "/models/owner/repo/resolve/master/model.gguf");
  EXPECT_FALSE(requests("master/model.gguf")[0]["headers"].contains("Authorization"));
}

TEST_F(PullTest, ABadEndpointConcernsOnlyItsHub) {
  const auto with_bad_endpoints = [](StoreOptions options) {
    options.hf_endpoint = "http://example.org";
    options.modelscope_endpoint = "hub";
    return options;
  };
  const Result<InstalledModel> model = pull(with_bad_endpoints(options({{"hf:owner/repo/model.gguf", 1}})));
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(model.error().message, HasSubstr("HF_ENDPOINT is 'http://example.org'"));
  // Another source of the same rank delivers.
  expect_good(
      pull(with_bad_endpoints(options({{"hf:owner/repo/model.gguf", 1}, {url(""), 1}, {"modelscope:o/r/m.gguf", 1}}))));
}

TEST_F(PullTest, TheTokenStaysWithItsHost) {
  const TestServer other;
  const auto redirected = [&](const std::string& target) {
    HttpClient client({});
    HttpRequest request;
    request.url = server().file_url("to=" + target, "model.gguf");
    request.bearer_token = "secret";
    return client.get_text(request, 1 << 23, {});
  };
  const auto encoded = [](const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '/' ? std::string("%2F") : c == ':' ? std::string("%3A") : std::string(1, c);
    return out;
  };
  // Another port, and another name of the same machine, are other hosts.
  const Result<HttpClient::Text> away = redirected(encoded(other.file_url("-", "model.gguf")));
  ASSERT_TRUE(away.ok()) << away.error().message;
  EXPECT_EQ(away->body.size(), server().size("model.gguf"));
  ASSERT_EQ(other.log().size(), 1u);
  EXPECT_FALSE(other.log()[0]["headers"].contains("Authorization"));
  ASSERT_TRUE(redirected(encoded(server().origin("localhost") + "/file/-/model.gguf")).ok());
  EXPECT_FALSE(requests("/file/-/model.gguf")[0]["headers"].contains("Authorization"));
  // The same origin keeps it.
  server().forget();
  ASSERT_TRUE(redirected("%2Ffile%2F-%2Fmodel.gguf").ok());
  EXPECT_EQ(requests("/file/-/model.gguf")[0]["headers"]["Authorization"], "Bearer secret");
}

TEST_F(PullTest, RedirectsAreLimited) {
  EXPECT_THAT(pull_from({{url("loop"), 1}}).error().message, HasSubstr("too many redirects"));
  EXPECT_THAT(pull_from({{url("to=http%3A%2F%2Fexample.org%2Fx"), 1}}).error().message, HasSubstr("not https"));
  EXPECT_THAT(pull_from({{url("to=file%3A%2F%2F%2Fetc%2Fpasswd"), 1}}).error().message, HasSubstr("refusing"));
}

TEST_F(PullTest, AnyAddressAndItsName) {
  const StoreOptions options = this->options({{url("-"), 1}});
  Result<Store> store = Store::open(options);
  const std::string address = url("-,adhoc", "other.gguf");
  EXPECT_EQ(store->resolve(address).error().code, ErrorCode::not_found);
  const Result<InstalledModel> other = store->pull(address);
  ASSERT_TRUE(other.ok()) << other.error().message;
  EXPECT_EQ(other->name, "other");
  EXPECT_EQ(other->sha256, server().sha256("other.gguf"));
  EXPECT_FALSE(other->verified) << "nobody said what the file should be";
  EXPECT_EQ(store->resolve(address)->path, other->path);
  EXPECT_EQ(store->resolve("OTHER")->path, other->path);
  EXPECT_FALSE(store->pull(address)->fetched);
  EXPECT_FALSE(store->pull("other")->fetched);
  // The same file name of another address does not take the name away.
  const Result<InstalledModel> second = store->pull(url("-,second", "other.gguf"));
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(second->name, AllOf(HasSubstr("other-"), Not("other")));
  EXPECT_EQ(store->remove("other")->bytes_freed, 0u);
  EXPECT_EQ(store->remove(url("-,second", "other.gguf"))->bytes_freed, server().size("other.gguf"));
  EXPECT_EQ(store->pull(url("-", "big-00001-of-00002.gguf")).error().code, ErrorCode::unsupported);
}

TEST_F(PullTest, AWebPageIsNoModel) {
  Result<Store> store = Store::open(options({{url("-"), 1}}));
  const Result<InstalledModel> page = store->pull(url("-", "page.gguf"));
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().code, ErrorCode::corrupt);
  EXPECT_THAT(page.error().message, HasSubstr("a web page"));
  expect_nothing_visible();
}

TEST_F(PullTest, AnAddressOfAnEntryIsThatEntry) {
  Result<Store> store = Store::open(options({{url("-"), 1}}));
  EXPECT_EQ(store->pull(url("-"))->name, "test");
}

TEST_F(PullTest, PathsOfTheUser) {
  Result<Store> store = Store::open(options({{url("-"), 1}}));
  const std::string file = (server().folder() / "small.gguf").string();
  EXPECT_EQ(store->resolve(file)->path, file);
  EXPECT_EQ(store->resolve(file)->bytes, 1000u);
  EXPECT_EQ(store->resolve(server().folder().string())->path, server().folder());
  EXPECT_EQ(store->resolve(file + "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(store->resolve("/dev/null").error().code, ErrorCode::invalid_argument);
  const Result<InstalledModel> imported = store->pull(file);
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(imported->name, "small");
  EXPECT_EQ(imported->sha256, server().sha256("small.gguf"));
  EXPECT_TRUE(store->pull(server().folder().string()).ok()) << "a folder is used where it is";
  EXPECT_EQ(store->ensure(file)->path, file);
}

TEST_F(PullTest, DamagedStore) {
  const StoreOptions options = this->options({{url("-"), 1}});
  Result<InstalledModel> model = pull(options);
  expect_good(model);
  std::filesystem::remove(model->path);
  EXPECT_EQ(Store::open(options)->resolve("test").error().code, ErrorCode::not_found);
  EXPECT_TRUE(Store::open(options)->list()->empty());
  expect_good(pull(options));
  ASSERT_TRUE(base::write_file_atomic(root() / "models/test.json", "{broken").ok());
  expect_good(pull(options), false);
  ASSERT_TRUE(base::write_file_atomic(root() / "version", "2\n").ok());
  EXPECT_EQ(Store::open(options).error().code, ErrorCode::unsupported);
}

TEST_F(PullTest, GarbageOfAWeekAgo) {
  const StoreOptions options = this->options({{url("-"), 1}});
  expect_good(pull(options));
  const std::string orphan(64, 'f');
  std::filesystem::create_directories(root() / "partial" / orphan);
  const std::vector<std::string> names = {"partial/" + orphan + "/model.partial", "models/x.json.AbCdEf",
                                          "blobs/sha256/" + orphan};
  for (const std::string& name : names) ASSERT_TRUE(base::write_file_atomic(root() / name, "x").ok());
  ASSERT_TRUE(Store::open(options).ok());
  EXPECT_TRUE(std::filesystem::exists(root() / "partial" / orphan)) << "young garbage may be somebody's work";
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 8);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root()))
    std::filesystem::last_write_time(entry.path(), old);
  ASSERT_TRUE(Store::open(options).ok());
  EXPECT_FALSE(std::filesystem::exists(root() / "partial" / orphan));
  EXPECT_FALSE(std::filesystem::exists(root() / "models/x.json.AbCdEf"));
  EXPECT_FALSE(std::filesystem::exists(root() / "blobs/sha256" / orphan));
  EXPECT_TRUE(Store::open(options)->resolve("test").ok()) << "what has a name stays";
}

TEST_F(PullTest, UserCataloguesAreChecked) {
  StoreOptions options = test_options(folder_.path(), "{\"version\":1,\"models\":[{\"nmae\":\"x\"}]}");
  const Result<Store> store = Store::open(options);
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(store.error().message, AllOf(HasSubstr("catalogue.json: models[0]"), HasSubstr("unknown field 'nmae'")));
  options.catalogues = {folder_.path() / "missing.json"};
  EXPECT_EQ(Store::open(options).error().code, ErrorCode::not_found);
}

TEST(Environment, FillsTheOptions) {
  StoreOptions options;
  apply_environment(options, {"HF_ENDPOINT=https://mirror.example", "HF_TOKEN=t", "https_proxy=http://p:1",
                              "HTTP_PROXY=http://q:2", "NO_PROXY=localhost", "SSL_CERT_FILE=/ca.pem", "HF_TOKEN_X=no"});
  EXPECT_EQ(options.hf_endpoint, "https://mirror.example");
  EXPECT_EQ(options.hf_token, "t");
  EXPECT_EQ(options.https_proxy, "http://p:1");
  EXPECT_EQ(options.http_proxy, "http://q:2");
  EXPECT_EQ(options.no_proxy, "localhost");
  EXPECT_EQ(options.ca_bundle, "/ca.pem");
  EXPECT_EQ(*hub_endpoint(options, Hub::huggingface), "https://mirror.example");
  options.hf_endpoint = "http://me:secret@example.org";
  const Error hf = hub_endpoint(options, Hub::huggingface).error();
  EXPECT_EQ(hf.code, ErrorCode::invalid_argument);
  EXPECT_THAT(hf.message, HasSubstr("HF_ENDPOINT is 'http://***@example.org'"));
  options.modelscope_endpoint = "hub";
  EXPECT_THAT(hub_endpoint(options, Hub::modelscope).error().message, HasSubstr("MODELSCOPE_ENDPOINT is 'hub'"));
}

}  // namespace
}  // namespace ingle::store
