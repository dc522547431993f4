// Takes one member out of a wheel (a zip archive, PEP 427). The archive is untrusted: its size claims are checked
// against what the caller allows, its names are only compared, never used as paths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"

namespace ingle::store {

/// Streams the member's bytes to `sink` in order; libzip checks its CRC-32. Returns their number.
/// Errors: corrupt (not a zip, member missing, CRC), limit_exceeded (more than max_bytes), unsupported (encrypted or an
/// unknown compression), and what the sink returns.
base::Result<uint64_t> extract_member(const std::filesystem::path& wheel, const std::string& member, uint64_t max_bytes,
                                      const std::function<base::Status(std::span<const std::byte>)>& sink);

}  // namespace ingle::store
