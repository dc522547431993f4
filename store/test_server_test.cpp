// The helpers of test_server.h. Named _test so that they are built into the test program and nowhere else.
#include "store/test_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/files.h"
#include "base/test_source_folder.h"
#include "store/http.h"
#include "store/system.h"

namespace ingle::store {

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "ingle-store-XXXXXX").string();
  if (::mkdtemp(name.data()) != nullptr) path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
}

TestServer::TestServer(const std::string& certificate, const std::string& key) {
  std::array<int, 2> in{}, out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return;
  const std::string script = source_folder() + "/tests/data/store/fault_server.py";
  const std::string folder = scratch_.path().string();
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    if (certificate.empty()) ::execlp("python3", "python3", script.c_str(), folder.c_str(), nullptr);
    ::execlp("python3", "python3", script.c_str(), folder.c_str(), certificate.c_str(), key.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  std::string line;
  for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
  ::close(out[0]);
  base::Result<base::Json> fixtures = base::parse_json(line);
  if (!fixtures.ok()) return;
  fixtures_ = std::move(fixtures).value();
  port_ = fixtures_["port"].get<int>();
  if (!certificate.empty()) scheme_ = "https";
}

TestServer::~TestServer() {
  if (input_ >= 0) ::close(input_);
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
}

std::string TestServer::origin(const std::string& host) const {
  return scheme_ + "://" + host + ":" + std::to_string(port_);
}

std::string TestServer::file_url(const std::string& options, const std::string& name) const {
  return origin() + "/file/" + options + "/" + name;
}

std::string TestServer::get(const std::string& path) const {
  HttpClient client({});
  HttpRequest request;
  request.url = origin() + path;
  base::Result<HttpClient::Text> text = client.get_text(request, 1 << 24, {});
  return text.ok() ? text->body : std::string();
}

base::Json TestServer::log() const {
  base::Result<base::Json> parsed = base::parse_json(get("/log"));
  return parsed.ok() ? *parsed : base::Json();
}

void TestServer::forget() const {
  (void)get("/forget");
}

std::string test_catalogue(const TestServer& server, const std::vector<std::pair<std::string, int>>& sources) {
  base::Json model;
  model["name"] = "test";
  model["aliases"] = {"test:latest"};
  model["description"] = "A file of random bytes.";
  model["architecture"] = "llama";
  model["parameters"] = 1000;
  model["quantisation"] = "Q4_0";
  model["licence"] = {{"name", "CC0-1.0"}, {"url", "https://example.org/licence"}};
  model["file_name"] = "model.gguf";
  model["size_bytes"] = server.size("model.gguf");
  model["sha256"] = server.sha256("model.gguf");
  model["memory_bytes"] = 10'000'000;
  model["context_length"] = 2048;
  model["chat"] = false;
  model["sources"] = base::Json::array();
  for (const auto& [address, rank] : sources) model["sources"].push_back({{"address", address}, {"rank", rank}});
  base::Json document;
  document["version"] = 1;
  document["models"] = base::Json::array({model});
  return document.dump();
}

StoreOptions test_options(const std::filesystem::path& folder, const std::string& catalogue) {
  StoreOptions options;
  options.root = folder / "store";
  // Named by its content: a test may use several at once.
  options.catalogues = {folder / (sha256_text(catalogue).substr(0, 8) + "-catalogue.json")};
  (void)base::write_file_atomic(options.catalogues[0], catalogue);
  options.retry_delay_seconds = 0.01;
  options.stall_seconds = 2;
  const char* path = std::getenv("PATH");
  options.environment = {std::string("PATH=") + (path == nullptr ? "" : path), "PIP_CONFIG_FILE=/dev/null"};
  return options;
}

std::vector<std::string> files_below(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file()) out.push_back(std::filesystem::relative(entry.path(), folder).string());
  }
  return out;
}

}  // namespace ingle::store
