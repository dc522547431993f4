// A sequence's state on disk, so that a conversation goes on after a restart without being computed again.
//
//   header    64 bytes: magic, version, groups, length in positions, char[32] of whose it is (zeros: nobody's), hash of
//             the header (with 0 in its place) and the tables
//   tables    key: char[32], what the state belongs to (model, format of keys and values);
//             per group: page bytes u64, first page u32, pages u32; tokens: i32 per position; hashes: u64 per page
//   pages     group by group, in order
//
// All numbers are little-endian; hashes are XXH3 of 64 bits. The file appears under its name when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ingle::core {

class SequenceState;

inline constexpr uint32_t kStateFileVersion = 1;
inline constexpr size_t kStateKeyBytes = 32, kStateOwnerBytes = 32;

/// `tokens` are those at the state's positions. Errors: io_error, no_space, permission_denied, invalid_argument (not as
/// many tokens as positions).
base::Status write_state_file(const std::filesystem::path& path, const SequenceState& state, std::string_view key,
                              std::span<const int32_t> tokens);

/// The same to anywhere, with a name of whom it belongs to: 32 characters, or empty. What begins with the header comes
/// last, so that a half written state is none. Errors: those of `write`, too.
using StateWriter = std::function<base::Status(uint64_t offset, std::span<const std::byte> bytes)>;
base::Status write_state(const StateWriter& write, const SequenceState& state, std::string_view key,
                         std::string_view owner, std::span<const int32_t> tokens);

/// Fills an empty state from a file and returns the tokens at its positions. On an error the state is empty still.
/// Errors: as MappedFile::open; corrupt; unsupported (another version); invalid_argument (of another key, or longer
/// than the state's capacity).
base::Result<std::vector<int32_t>> read_state_file(const std::filesystem::path& path, std::string_view key,
                                                   SequenceState& state);

/// The same from anywhere: read(offset, out) copies bytes of what is `size` long. Of another owner: invalid_argument.
using StateReader = std::function<base::Status(uint64_t offset, std::span<std::byte> out)>;
base::Result<std::vector<int32_t>> read_state(const StateReader& read, uint64_t size, std::string_view key,
                                              std::string_view owner, SequenceState& state);

/// What a state is of, without its pages, which may be damaged.
struct StateHead {
  std::string owner;  ///< empty: nobody's
  std::vector<int32_t> tokens;
};
/// Whose it says it is, of whatever model: its hash is not looked at. Errors: as read_state.
base::Result<std::string> read_state_owner(const StateReader& read, uint64_t size);
/// Errors: as read_state.
base::Result<StateHead> read_state_head(const StateReader& read, uint64_t size, std::string_view key);

}  // namespace ingle::core
