// Reads a Python package index's page of one project: the "simple" repository API, as HTML (PEP 503, with yanked files
// of PEP 592) or JSON (PEP 691, with sizes of PEP 700).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ingle::store {

struct IndexFile {
  std::string file_name;
  std::string url;     ///< absolute, without a fragment
  std::string sha256;  ///< empty where the index gives none
  uint64_t size = 0;   ///< 0 where the index gives none
  bool yanked = false;
};

/// What a request for a page should accept.
extern const char* const simple_index_accept;

/// `page_url` resolves relative links. Errors: corrupt, unsupported (API version 2), limit_exceeded.
base::Result<std::vector<IndexFile>> parse_simple_index(std::string_view content_type, std::string_view body,
                                                        std::string_view page_url);

/// PEP 503: lower case, runs of '-', '_' and '.' are one '-'.
std::string normalise_package_name(std::string_view name);

/// The wheel of exactly this version that runs anywhere (tag "none-any"); a yanked one only where there is no other,
/// as pip does for "==".
std::optional<IndexFile> choose_wheel(const std::vector<IndexFile>& files, std::string_view package,
                                      std::string_view version);
/// Whether a file name is that of such a wheel.
bool is_wheel_of(std::string_view file_name, std::string_view package, std::string_view version);

}  // namespace ingle::store
