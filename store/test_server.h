// Runs tests/data/store/fault_server.py for the tests, and keeps a scratch folder for each of them.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "store/store.h"

namespace ingle::store {

class ScratchFolder {
 public:
  ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class TestServer {
 public:
  /// With TLS where certificate and key (PEM files) are given.
  explicit TestServer(const std::string& certificate = {}, const std::string& key = {});
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer();

  bool running() const { return port_ != 0; }
  int port() const { return port_; }
  std::string origin(const std::string& host = "127.0.0.1") const;
  std::string file_url(const std::string& options, const std::string& name) const;
  uint64_t size(const std::string& name) const { return fixtures_["files"][name]["size"].get<uint64_t>(); }
  std::string sha256(const std::string& name) const { return fixtures_["files"][name]["sha256"].get<std::string>(); }
  const std::filesystem::path& folder() const { return scratch_.path(); }
  /// Requests since the last call of forget.
  base::Json log() const;
  void forget() const;

 private:
  std::string get(const std::string& path) const;
  ScratchFolder scratch_;
  pid_t child_ = -1;
  int input_ = -1;
  int port_ = 0;
  std::string scheme_ = "http";
  base::Json fixtures_;
};

/// A catalogue file with one model "test" whose file is model.gguf of the server.
std::string test_catalogue(const TestServer& server, const std::vector<std::pair<std::string, int>>& sources);

/// The usual options of a test: an own folder, a catalogue file, quick retries, no environment but PATH.
StoreOptions test_options(const std::filesystem::path& folder, const std::string& catalogue);

/// Names of all files below a folder, for "nothing is left" checks.
std::vector<std::string> files_below(const std::filesystem::path& folder);

}  // namespace ingle::store
