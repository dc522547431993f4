// Kept prefixes on disk, so that what was computed before a restart need not be computed again. In files that are there
// already, as a confined process can make none: each holds one prefix or nothing, and may be emptied or overwritten by
// others at any time, which its hashes show.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "core/engine/engine.h"

namespace ingle::core {

/// The name of a principal in the files, which say no more of it.
std::string prefix_owner(std::string_view principal);
/// From any process: empties the files of the folder that hold the principal's prefixes.
void forget_prefixes(const std::filesystem::path& folder, std::string_view principal);

class PrefixFiles {
 public:
  static constexpr std::string_view kSuffix = ".prefix";
  static constexpr size_t kFewestTokens = 64;                  ///< fewer are computed again as fast
  static constexpr uint64_t kMostBytes = uint64_t{128} << 20;  ///< of one: others wait while it is read

  /// Reads what the files are of. Those that can't be opened are left out. `most_bytes`: of all together.
  PrefixFiles(Engine& engine, std::span<const std::filesystem::path> paths, uint64_t most_bytes);

  size_t count() const { return files_.size(); }
  /// Looks at what other processes, as one whose place this one took, have written meanwhile.
  void refresh();

  struct Match {
    size_t file = 0;
    size_t tokens = 0;  ///< that its beginning has in common with those that are looked for
  };
  /// The longest beginning of `tokens` that a file of the owner holds.
  std::optional<Match> find(std::string_view owner, std::span<const TokenId> tokens) const;
  /// One that was not read yet, the latest first.
  std::optional<size_t> next_unread() const;

  struct Restored {
    std::string owner;
    RestoredSequence state;
  };
  /// Nothing: it is not there any more, or damaged.
  std::optional<Restored> read(size_t file);
  /// Bytes that its sequence takes in memory.
  uint64_t sequence_bytes(size_t file) const;
  /// Writes one into the file of what it continues, an empty one, or that of the one that was used least lately. It is
  /// not kept where it is too short or too long, or the disk is full.
  void keep(std::string_view owner, std::span<const TokenId> tokens, const Sequence& sequence);
  void forget(std::string_view owner);

 private:
  struct File {
    std::filesystem::path path;
    base::FileDescriptor fd;
    std::string owner;            ///< of what it holds
    std::vector<TokenId> tokens;  ///< none: it is empty
    uint64_t bytes = 0;
    int64_t written = 0;  ///< as the system says; nanoseconds
    int64_t used = 0;     ///< the greater, the later
    bool read = false;    ///< in this process, or written by it
  };

  void load_head(File& file);
  void empty(File& file);
  File* choose(std::string_view owner, std::span<const TokenId> tokens);

  Engine& engine_;
  const uint64_t most_bytes_;
  const bool windowed_;
  std::vector<File> files_;
  int64_t now_ = 0;
};

}  // namespace ingle::core
