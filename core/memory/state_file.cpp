#include "core/memory/state_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/hash.h"
#include "core/memory/sequence_state.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

static_assert(std::endian::native == std::endian::little);

struct Header {
  std::array<char, 8> magic = {'I', 'N', 'G', 'L', 'E', 'S', 'E', 'Q'};
  uint32_t version = kStateFileVersion;
  uint32_t groups = 0, length = 0;
  std::array<char, kStateOwnerBytes> owner = {};
  uint32_t reserved = 0;
  uint64_t hash = 0;
};
static_assert(sizeof(Header) == 64);

struct GroupEntry {
  uint64_t page_bytes;
  uint32_t first, pages;

  bool operator==(const GroupEntry&) const = default;
};

// Everything before the pages, as bytes.
class Tables {
 public:
  Tables(uint32_t groups, uint32_t length, uint64_t pages)
      : groups_(groups),
        length_(length),
        bytes_(sizeof(Header) + kStateKeyBytes + groups * sizeof(GroupEntry) + length * sizeof(int32_t) +
               pages * sizeof(uint64_t)) {}

  std::span<std::byte> bytes() { return bytes_; }
  std::byte* key() { return bytes_.data() + sizeof(Header); }
  std::byte* entries() { return key() + kStateKeyBytes; }
  std::byte* tokens() { return entries() + groups_ * sizeof(GroupEntry); }
  std::byte* hashes() { return tokens() + size_t{length_} * sizeof(int32_t); }

  /// Puts the header in front; returns the hash that belongs there.
  uint64_t hash(Header header) {
    header.hash = 0;
    std::memcpy(bytes_.data(), &header, sizeof header);
    return base::hash64(bytes_);
  }

 private:
  uint32_t groups_, length_;
  std::vector<std::byte> bytes_;
};

std::vector<GroupEntry> entries_of(const SequenceState& state) {
  std::vector<GroupEntry> entries;
  for (size_t g = 0; g < state.pools().groups(); ++g)
    entries.push_back(
        {state.pools().pool(g).page_bytes(), state.first_page(g), state.end_page(g) - state.first_page(g)});
  return entries;
}

Error damaged(std::string_view what) {
  return {ErrorCode::corrupt, "the saved state is damaged: " + std::string(what)};
}

std::string owner_of(const Header& header) {
  return header.owner[0] == 0 ? std::string() : std::string(header.owner.data(), header.owner.size());
}

// What comes before the pages, as far as it can be checked without a state: sizes and hash are right, and so is the
// key.
struct Head {
  Header header;
  std::vector<GroupEntry> entries;
  std::optional<Tables> tables;
};

base::Result<Header> read_header(const StateReader& read, uint64_t size) {
  Header header;
  if (size < sizeof header) return Error{ErrorCode::corrupt, "not a saved state"};
  INGLE_CHECK(read(0, std::as_writable_bytes(std::span(&header, 1))));
  if (header.magic != Header().magic) return Error{ErrorCode::corrupt, "not a saved state"};
  if (header.version != kStateFileVersion)
    return Error{ErrorCode::unsupported, "a saved state of version " + std::to_string(header.version) +
                                             "; this build reads version " + std::to_string(kStateFileVersion)};
  return header;
}

base::Result<Head> read_head(const StateReader& read, uint64_t size, std::string_view key) {
  Head head;
  INGLE_TRY(head.header, read_header(read, size));
  Header& header = head.header;
  // The numbers, before anything is allocated for them.
  const uint64_t entries_at = sizeof header + kStateKeyBytes;
  if (header.length > size / sizeof(int32_t) || size < entries_at ||
      header.groups > (size - entries_at) / sizeof(GroupEntry))
    return damaged("it ends too early");
  head.entries.resize(header.groups);
  INGLE_CHECK(read(entries_at, std::as_writable_bytes(std::span(head.entries))));
  uint64_t pages = 0, page_bytes = 0;
  for (const GroupEntry& entry : head.entries) {
    if (entry.pages > header.length / kPagePositions + 1 ||
        (entry.pages > 0 && entry.page_bytes > (size - page_bytes) / entry.pages))
      return damaged("it has too many pages");
    pages += entry.pages;
    page_bytes += entry.pages * entry.page_bytes;
  }
  Tables& tables = head.tables.emplace(header.groups, header.length, pages);
  if (size != tables.bytes().size() + page_bytes) return damaged("it has another size than it should");
  INGLE_CHECK(read(0, tables.bytes()));
  if (tables.hash(header) != header.hash) return damaged("its header");
  if (key != std::string_view(reinterpret_cast<const char*>(tables.key()), kStateKeyBytes))
    return Error{ErrorCode::invalid_argument, "the saved state belongs to another model or file of it"};
  return head;
}

std::vector<int32_t> tokens_of(Head& head) {
  std::vector<int32_t> tokens(head.header.length);
  std::copy_n(head.tables->tokens(), tokens.size() * sizeof(int32_t),
              std::as_writable_bytes(std::span(tokens)).begin());
  return tokens;
}

}  // namespace

base::Status write_state(const StateWriter& write, const SequenceState& state, std::string_view key,
                         std::string_view owner, std::span<const int32_t> tokens) {
  if (tokens.size() != state.length() || key.size() != kStateKeyBytes ||
      (!owner.empty() && owner.size() != kStateOwnerBytes))
    return Error{ErrorCode::invalid_argument, "a state of " + std::to_string(state.length()) + " positions and " +
                                                  std::to_string(tokens.size()) + " tokens"};
  const std::vector<GroupEntry> entries = entries_of(state);
  uint64_t pages = 0;
  for (const GroupEntry& entry : entries) pages += entry.pages;
  Header header;
  header.groups = static_cast<uint32_t>(entries.size());
  header.length = state.length();
  std::ranges::copy(owner, header.owner.begin());
  Tables tables(header.groups, header.length, pages);
  std::memcpy(tables.key(), key.data(), kStateKeyBytes);
  std::memcpy(tables.entries(), entries.data(), entries.size() * sizeof(GroupEntry));
  std::ranges::copy(std::as_bytes(tokens), tables.tokens());

  uint64_t offset = tables.bytes().size();
  std::byte* hash_at = tables.hashes();
  std::vector<std::byte> page;
  for (size_t g = 0; g < entries.size(); ++g)
    for (uint32_t i = 0; i < entries[g].pages; ++i) {
      page.resize(entries[g].page_bytes);
      state.pools().device().copy(page.data(), state.pages()[g][entries[g].first + i], page.size());
      const uint64_t hash = base::hash64(page);
      std::memcpy(hash_at, &hash, sizeof hash);
      hash_at += sizeof hash;
      INGLE_CHECK(write(offset, page));
      offset += page.size();
    }
  header.hash = tables.hash(header);
  std::memcpy(tables.bytes().data(), &header, sizeof header);
  return write(0, tables.bytes());
}

base::Status write_state_file(const std::filesystem::path& path, const SequenceState& state, std::string_view key,
                              std::span<const int32_t> tokens) {
  INGLE_TRY(base::NewFile file, base::NewFile::create(path));
  const auto write = [&](uint64_t offset, std::span<const std::byte> bytes) { return file.write_at(offset, bytes); };
  INGLE_CHECK(write_state(write, state, key, {}, tokens));
  return file.commit(false, base::Readers::owner);
}

base::Result<std::string> read_state_owner(const StateReader& read, uint64_t size) {
  INGLE_TRY(const Header header, read_header(read, size));
  return owner_of(header);
}

base::Result<StateHead> read_state_head(const StateReader& read, uint64_t size, std::string_view key) {
  INGLE_TRY(Head head, read_head(read, size, key));
  return StateHead{owner_of(head.header), tokens_of(head)};
}

base::Result<std::vector<int32_t>> read_state(const StateReader& read, uint64_t size, std::string_view key,
                                              std::string_view owner, SequenceState& state) {
  INGLE_TRY(Head head, read_head(read, size, key));
  const uint32_t length = head.header.length;
  if (length > state.capacity())
    return Error{ErrorCode::invalid_argument, "a saved state of " + std::to_string(length) +
                                                  " tokens does not fit into a context of " +
                                                  std::to_string(state.capacity())};
  if (owner != owner_of(head.header))
    return Error{ErrorCode::invalid_argument, "the saved state belongs to somebody else"};
  bool other = head.entries.size() != state.pools().groups();
  for (size_t g = 0; !other && g < head.entries.size(); ++g)
    other = head.entries[g].page_bytes != state.pools().pool(g).page_bytes();
  if (other) return Error{ErrorCode::invalid_argument, "the saved state belongs to another model"};

  std::vector<uint32_t> first;
  for (const GroupEntry& entry : head.entries) first.push_back(entry.first);
  if (!state.fill(length, first)) return damaged("its pages are not those of a state");
  if (entries_of(state) != head.entries) {
    state.truncate(0);
    return damaged("its pages are not as many as its positions take");
  }
  uint64_t offset = head.tables->bytes().size();
  const std::byte* hash_at = head.tables->hashes();
  std::vector<std::byte> page;
  for (size_t g = 0; g < head.entries.size(); ++g)
    for (uint32_t i = state.first_page(g); i < state.end_page(g); ++i, hash_at += sizeof(uint64_t)) {
      page.resize(head.entries[g].page_bytes);
      base::Status status = read(offset, page);
      uint64_t expected = 0;
      std::memcpy(&expected, hash_at, sizeof expected);
      if (status.ok() && base::hash64(page) != expected) status = damaged("a page");
      if (!status.ok()) {
        state.truncate(0);
        return std::move(status).error();
      }
      state.pools().device().copy(state.pages()[g][i], page.data(), page.size());
      offset += page.size();
    }
  return tokens_of(head);
}

base::Result<std::vector<int32_t>> read_state_file(const std::filesystem::path& path, std::string_view key,
                                                   SequenceState& state) {
  INGLE_TRY(const base::MappedFile file, base::MappedFile::open(path));
  const auto read = [&](uint64_t offset, std::span<std::byte> out) {
    return file.read(file.bytes().subspan(offset, out.size()), out.data());
  };
  return read_state(read, file.bytes().size(), key, {}, state);
}

}  // namespace ingle::core
