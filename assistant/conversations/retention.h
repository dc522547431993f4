// How long conversations are kept, as people write it: "forever", or an age such as 30d after which one that nobody
// touched is deleted, unless it is pinned.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ingle::assistant {

inline constexpr int64_t kForever = 0;              ///< days
inline constexpr int64_t kLongestKept = 100 * 365;  ///< days

/// Days: of "forever", or a number with d, w, m or y for days, weeks, months of 30 and years of 365 days. Error:
/// invalid_argument, with what is allowed; the message goes on after the value.
base::Result<int64_t> parse_retention(std::string_view text);
/// "forever", "30d".
std::string retention_text(int64_t days);
/// The moment before which a conversation that nobody touched since is too old, in milliseconds as `now`. With
/// kForever, none is.
int64_t too_old_before(int64_t days, int64_t now);

}  // namespace ingle::assistant
