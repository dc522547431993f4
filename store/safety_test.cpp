// What must hold whatever happens: a killed pull, two at once, no space, and whom TLS trusts.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "base/files.h"
#include "store/http.h"
#include "store/race.h"
#include "store/system.h"
#include "store/test_server.h"

namespace ingle::store {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string parts_address = "pypi:test-model-part{1..3}==1.0/test_model_part{1..3}/data/part{00..02}.bin";

class SafetyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new TestServer(); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override { ASSERT_TRUE(server_->running()); }

  StoreOptions options(const std::string& source, const std::string& index_faults = "-") const {
    StoreOptions out = test_options(folder_.path(), test_catalogue(*server_, {{source, 1}}));
    out.environment.push_back("PIP_INDEX_URL=" + server_->origin() + "/index/json/" + index_faults);
    return out;
  }

  /// Runs a pull in a child; its exit code is 0, or 1 + the error's code.
  static pid_t start_pull(const StoreOptions& options, const std::function<void()>& before = {}) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (before) before();
    Result<Store> store = Store::open(options);
    const Result<InstalledModel> model = store.ok() ? store->pull("test") : Result<InstalledModel>(store.error());
    ::_exit(model.ok() ? 0 : 1 + static_cast<int>(model.error().code));
  }
  static int wait_for(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Every blob is what its name says, and every manifest has its blob.
  void expect_sound() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "store/blobs/sha256"))
      EXPECT_EQ(*sha256_file(entry.path(), {}), entry.path().filename().string());
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "store/models")) {
      if (entry.path().extension() == ".json") {
        EXPECT_TRUE(std::filesystem::exists(folder_.path() / "store/blobs/sha256" / server_->sha256("model.gguf")));
      }
    }
  }

  void kill_at_random(const StoreOptions& slow, const StoreOptions& clean, int rounds) {
    std::mt19937 random(1);
    int killed = 0;
    for (int i = 0; i < rounds; ++i) {
      const pid_t child = start_pull(slow);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 160000));
      ::kill(child, SIGKILL);
      if (wait_for(child) < 0) ++killed;
      ASSERT_TRUE(Store::open(clean).ok());
      expect_sound();
      if (std::filesystem::exists(folder_.path() / "store/models/test.json")) {
        ASSERT_TRUE(Store::open(clean)->remove("test").ok());
      }
    }
    EXPECT_GT(killed, rounds / 2) << "too few were killed on their way to prove anything";
    EXPECT_EQ(wait_for(start_pull(clean)), 0);
    expect_sound();
    EXPECT_EQ(Store::open(clean)->resolve("test")->sha256, server_->sha256("model.gguf"));
  }

  ScratchFolder folder_;
  static TestServer* server_;
};
TestServer* SafetyTest::server_ = nullptr;

TEST_F(SafetyTest, KilledAtAnyByteOfADownload) {
  const StoreOptions slow = options(server_->file_url("rate=5000000", "model.gguf"));
  kill_at_random(slow, options(server_->file_url("-", "model.gguf")), 40);
}

TEST_F(SafetyTest, KilledAtAnyByteOfAPackage) {
  kill_at_random(options(parts_address, "rate=8000000"), options(parts_address), 40);
}

TEST_F(SafetyTest, TwoProcessesAtOnce) {
  server_->forget();
  const StoreOptions slow = options(server_->file_url("rate=6000000", "model.gguf"));
  ASSERT_TRUE(Store::open(slow).ok());
  const pid_t first = start_pull(slow), second = start_pull(slow);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  // And this process as the third, which sees why it waits.
  bool waited = false;
  Result<Store> store = Store::open(slow);
  EXPECT_EQ(store->remove("test").error().code, ErrorCode::not_found);
  const Result<InstalledModel> third = store->pull("test", [&](const Progress& progress) {
    waited |= progress.stage == Stage::waiting && progress.message.find("another download") != std::string::npos;
  });
  ASSERT_TRUE(third.ok()) << third.error().message;
  EXPECT_TRUE(waited);
  EXPECT_FALSE(third->fetched);
  EXPECT_EQ(wait_for(first), 0);
  EXPECT_EQ(wait_for(second), 0);
  expect_sound();
  EXPECT_EQ(server_->log().size(), 1u) << "it was fetched once";
}

TEST_F(SafetyTest, WaitingCanBeCancelled) {
  const StoreOptions options = this->options(server_->file_url("-", "model.gguf"));
  Result<Store> store = Store::open(options);
  const auto lock = FileLock::try_acquire(folder_.path() / "store/locks" / (server_->sha256("model.gguf") + ".lock"));
  ASSERT_TRUE(lock.ok() && lock->has_value());
  EXPECT_EQ(store->pull("test", {}, [] { return true; }).error().code, ErrorCode::cancelled);
}

// A limit on the size of files fails writes in the middle as a full disk does, without needing one.
TEST_F(SafetyTest, NoSpaceInTheMiddle) {
  const auto limit = [] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit half{1500000, 1500000};
    ::setrlimit(RLIMIT_FSIZE, &half);
  };
  for (const std::string& source : {server_->file_url("-", "model.gguf"), parts_address}) {
    const StoreOptions options = this->options(source);
    EXPECT_EQ(wait_for(start_pull(options, limit)), 1 + static_cast<int>(ErrorCode::no_space)) << source;
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "store/blobs/sha256"));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "store/models"));
    EXPECT_EQ(wait_for(start_pull(options)), 0) << "with space again it goes on";
    expect_sound();
    ASSERT_TRUE(Store::open(options)->remove("test").ok());
  }
}

TEST_F(SafetyTest, NoSpaceIsSaidBeforeTheDownload) {
  base::Json document = *base::parse_json(test_catalogue(*server_, {{server_->file_url("-,huge", "model.gguf"), 1}}));
  // What the server has is smaller, but the catalogue's word counts until it is asked: a local folder never is.
  document["models"][0]["size_bytes"] = uint64_t{1} << 49;
  document["models"][0]["sources"] = {{{"address", "file:" + (folder_.path() / "sparse").string()}}};
  std::filesystem::create_directories(folder_.path() / "sparse");
  ASSERT_TRUE(base::write_file_atomic(folder_.path() / "sparse/model.gguf", "x").ok());
  std::error_code error;
  std::filesystem::resize_file(folder_.path() / "sparse/model.gguf", uint64_t{1} << 43, error);
  if (error) GTEST_SKIP() << "no sparse files of 8 TB here";
  document["models"][0]["size_bytes"] = uint64_t{1} << 43;
  Result<Store> store = Store::open(test_options(folder_.path(), document.dump()));
  ASSERT_TRUE(store.ok()) << store.error().message;
  // Should the check ever be missing, this must not fill the disk.
  uint64_t copied = 0;
  const Result<InstalledModel> model =
      store->pull("test", [&](const Progress& progress) { copied = progress.bytes_done; }, [&] { return copied > 0; });
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::no_space) << model.error().message;
  EXPECT_THAT(model.error().message, HasSubstr("needs 8796127 MB more"));
}

TEST_F(SafetyTest, AFolderThatCannotBeWritten) {
  StoreOptions options = this->options(server_->file_url("-", "model.gguf"));
  options.root = "/proc/ingle";
  EXPECT_THAT(Store::open(options).error().code, AnyOf(ErrorCode::not_found, ErrorCode::permission_denied));
  options.root = options.catalogues[0] / "x";
  EXPECT_FALSE(Store::open(options).ok());
}

// A certificate for 127.0.0.1 that nobody has signed but itself.
void make_certificate(const std::string& certificate, const std::string& key_file) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* x509 = X509_new();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("ingle test"), -1, -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(x509));
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(x509, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(x509, key, EVP_sha256());
  BIO* out = BIO_new_file(certificate.c_str(), "w");
  PEM_write_bio_X509(out, x509);
  BIO_free(out);
  out = BIO_new_file(key_file.c_str(), "w");
  PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  BIO_free(out);
  X509_free(x509);
  EVP_PKEY_free(key);
}

TEST_F(SafetyTest, TlsIsVerifiedAndNotLeft) {
  const std::string certificate = (folder_.path() / "cert.pem").string(), key = (folder_.path() / "key.pem").string();
  make_certificate(certificate, key);
  const TestServer secure(certificate, key);
  ASSERT_TRUE(secure.running());
  const auto get = [&](const std::string& url, const std::string& trusted) {
    HttpOptions options;
    options.ca_bundle = trusted;
    HttpClient client(options);
    HttpRequest request;
    request.url = url;
    return client.get_text(request, 1 << 23, {});
  };
  const std::string url = secure.file_url("-", "small.gguf");
  const Result<HttpClient::Text> trusted = get(url, certificate);
  ASSERT_TRUE(trusted.ok()) << trusted.error().message;
  EXPECT_EQ(trusted->body.size(), 1000u);
  EXPECT_FALSE(get(url, "").ok()) << "an unknown certificate must be refused";
  EXPECT_FALSE(get(secure.origin("localhost") + "/file/-/small.gguf", certificate).ok()) << "and another name";
  const std::string down = secure.file_url(
      "to=http%3A%2F%2F127.0.0.1%3A" + std::to_string(server_->port()) + "%2Ffile%2F-%2Fsmall.gguf", "x");
  EXPECT_THAT(get(down, certificate).error().message, HasSubstr("refusing a redirect from https"));
}

// What somebody else asks for must not reach this machine or its network, by whatever name.
TEST_F(SafetyTest, OnlyPublicAddressesForOthers) {
  const auto get = [&](bool others, std::vector<std::string> trusted, const std::string& host) {
    HttpOptions options;
    options.public_addresses_only = others;
    options.trusted_hosts = std::move(trusted);
    HttpClient client(options);
    HttpRequest request;
    request.url = server_->origin(host) + "/file/-/small.gguf";
    return client.get_text(request, 1 << 23, {});
  };
  EXPECT_TRUE(get(false, {}, "127.0.0.1").ok());
  EXPECT_TRUE(get(true, {"127.0.0.1"}, "127.0.0.1").ok());
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto refused = get(true, {"example.org"}, host);
    ASSERT_FALSE(refused.ok()) << host;
    EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
  }
}

TEST(PublicAddress, IsOneThatAnybodyReaches) {
  const auto is_public = [](const std::string& text) {
    sockaddr_storage address{};
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
    if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
      address.ss_family = AF_INET;
    } else {
      EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr), 1) << text;
      address.ss_family = AF_INET6;
    }
    return is_public_address(reinterpret_cast<const sockaddr&>(address));
  };
  for (const char* text : {"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.255",
                           "2606:4700::1111", "2a00:1450::1", "2002:808:808::1"})
    EXPECT_TRUE(is_public(text)) << text;
  for (const char* text :
       {"127.0.0.1",  "127.9.9.9",       "0.0.0.0",   "10.1.2.3",   "172.16.0.1", "172.31.255.255",  "192.168.1.1",
        "100.64.0.1", "169.254.169.254", "192.0.0.8", "198.18.0.1", "224.0.0.1",  "255.255.255.255", "::1",
        "::",         "::ffff:8.8.8.8",  "fe80::1",   "fc00::1",    "fd12::1",    "ff02::1",         "2002:7f00:1::1",
        "2001::1",    "64:ff9b::7f00:1"})
    EXPECT_FALSE(is_public(text)) << text;
}

TEST(Race, OrdersByTimeThenByFailure) {
  using Racer = std::function<Result<double>(const std::atomic<bool>&)>;
  const auto after = [](double seconds) -> Racer {
    return [seconds](const std::atomic<bool>& stop) -> Result<double> {
      const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
      while (std::chrono::steady_clock::now() < end) {
        if (stop) return Error{ErrorCode::cancelled, "stopped"};
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
      return seconds;
    };
  };
  const Racer fails = [](const std::atomic<bool>&) -> Result<double> { return Error{ErrorCode::network, "gone"}; };
  const RaceOutcome outcome = race({fails, after(30), after(0.06), after(0.01)}, 10, {});
  EXPECT_THAT(outcome.order, ElementsAre(3u, 2u, 1u, 0u));
  EXPECT_EQ(outcome.errors[0].message, "gone");
  EXPECT_EQ(outcome.errors[1].message, "");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(race({after(30), after(30)}, 0.05, {}).order, ElementsAre(0u, 1u));
  EXPECT_THAT(race({after(30), after(30)}, 30, [] { return true; }).order, ElementsAre(0u, 1u));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace ingle::store
