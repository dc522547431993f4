// One file from one web address into one local file, resumed where an earlier attempt, process or boot left it.
// Beside FILE lies FILE.json: {"version":1,"url":…,"etag":…,"total":…}, what the bytes so far are a prefix of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/http.h"

namespace ingle::store {

struct DownloadState {
  std::string url;
  std::string etag;    ///< empty where the server gave none
  uint64_t total = 0;  ///< 0 where unknown
};
/// Errors: corrupt, unsupported (another version).
Result<DownloadState> parse_download_state(std::string_view text);

struct DownloadRequest {
  HttpRequest http;  ///< url, token and headers
  std::filesystem::path file;
  uint64_t expected_size = 0;   ///< 0: unknown; a server that announces another size fails at once
  uint64_t max_size = 0;        ///< 0: no bound
  bool verified_later = false;  ///< a checksum will be compared, so bytes of another source may be continued
};

struct DownloadControl {
  std::function<void(uint64_t have, uint64_t total)> progress;  ///< total 0 while unknown
  std::function<void(uint64_t bytes)> received;
  std::function<Status(uint64_t missing)> before_body;  ///< e.g. is there space for that many bytes more
  std::function<bool()> cancelled;
  unsigned retries = 0;
  double retry_delay_seconds = 0.5;
};

struct Downloaded {
  uint64_t bytes = 0;
  bool resumed = false;  ///< some of them are from before this call
};

/// Errors: network, corrupt (another size than expected), no_space, cancelled and the other file errors. Except where
/// the size is wrong the bytes so far stay for the next call.
Result<Downloaded> download(HttpClient& client, const DownloadRequest& request, const DownloadControl& control);

/// Removes the file and its state.
Status discard_download(const std::filesystem::path& file);

/// Sleeps, polling `cancelled`; false where it was.
bool sleep_unless_cancelled(double seconds, const std::function<bool()>& cancelled);

}  // namespace ingle::store
