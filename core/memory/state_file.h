// A sequence's state on disk, so that a conversation goes on after a restart without being computed again.
//
//   header    64 bytes: magic, version, groups, length in positions, hash of the header (with 0 in its place) and
//   tables tables    key: char[32], what the state belongs to (model, format of keys and values);
//             per group: page bytes u64, first page u32, pages u32; tokens: i32 per position; hashes: u64 per page
//   pages     group by group, in order
//
// All numbers are little-endian; hashes are XXH3 of 64 bits. The file appears under its name when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/memory/sequence_state.h"

namespace ingle::core {

inline constexpr uint32_t kStateFileVersion = 1;
inline constexpr size_t kStateKeyBytes = 32;

/// `tokens` are those at the state's positions. Errors: io_error, no_space, permission_denied, invalid_argument (not as
/// many tokens as positions).
base::Status write_state_file(const std::filesystem::path& path, const SequenceState& state, std::string_view key,
                              std::span<const int32_t> tokens);

/// Fills an empty state from a file and returns the tokens at its positions. On an error the state is empty still.
/// Errors: as MappedFile::open; corrupt; unsupported (another version); invalid_argument (of another key, or longer
/// than the state's capacity).
base::Result<std::vector<int32_t>> read_state_file(const std::filesystem::path& path, std::string_view key,
                                                   SequenceState& state);

/// The same from anywhere: read(offset, out) copies bytes of what is `size` long.
using StateReader = std::function<base::Status(uint64_t offset, std::span<std::byte> out)>;
base::Result<std::vector<int32_t>> read_state(const StateReader& read, uint64_t size, std::string_view key,
                                              SequenceState& state);

}  // namespace ingle::core
