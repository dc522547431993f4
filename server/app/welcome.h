// Whether a person has seen the page of the first run: kept by the server, as it is about the machine and not about a
// browser.
#pragma once

#include <atomic>
#include <filesystem>

#include "base/result.h"

namespace ingle::server {

/// For any thread.
class Welcome {
 public:
  /// An empty folder: it is kept until the program ends.
  explicit Welcome(const std::filesystem::path& state_folder);

  bool seen() const { return seen_; }
  /// Errors: as base::write_file_atomic; it is seen all the same, until the program ends.
  base::Status set_seen();

 private:
  const std::filesystem::path path_;
  std::atomic<bool> seen_ = false;
};

}  // namespace ingle::server
