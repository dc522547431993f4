// A file that describes the newest version of this program, as text:
//   {"version":1,"release":{"version":"0.2.0","summary":"Reads documents."},"check":"…"}
// "check" is hash128_hex of "release" as nlohmann's dump() writes it: it finds damage, not forgery. Nothing is done by
// what the file says but telling a person; what installs anything will want a signature.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ingle::assistant {

struct Version {
  uint32_t major = 0, minor = 0, patch = 0;
  friend constexpr auto operator<=>(const Version&, const Version&) = default;
};
/// "1.20.3": three numbers of at most six digits, without leading zeros. Error: corrupt.
base::Result<Version> parse_version(std::string_view text);
std::string to_text(const Version& version);

struct Release {
  Version version;
  std::string summary;  ///< one line of at most 200 bytes, without control characters; may be empty
};

constexpr size_t kMostUpdateFileBytes = size_t{16} << 10;

/// Errors: corrupt, limit_exceeded, unsupported (another version of the format).
base::Result<Release> parse_update_file(std::string_view text);
std::string write_update_file(const Release& release);

}  // namespace ingle::assistant
