#include "core/scheduler/prefix_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/handed_files.h"
#include "base/hash.h"
#include "core/scheduler/common_prefix.h"

namespace ingle::core {
namespace {

StateReader reader_of(int fd, const std::filesystem::path& path) {
  return [fd, &path](uint64_t offset, std::span<std::byte> out) { return base::read_at(fd, offset, out, path); };
}

struct Facts {
  uint64_t bytes = 0;
  int64_t written = 0;  ///< nanoseconds
};

Facts facts_of(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return {};
  return {static_cast<uint64_t>(info.st_size), info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
}

}  // namespace

std::string prefix_owner(std::string_view principal) {
  return base::hash128_hex(std::as_bytes(std::span(principal)));
}

void forget_prefixes(const std::filesystem::path& folder, std::string_view principal) {
  const std::string owner = prefix_owner(principal);
  for (const std::filesystem::path& path : base::list_folder(folder)) {
    if (path.extension() != PrefixFiles::kSuffix) continue;
    const auto fd = base::open_file(path, O_RDWR);
    if (!fd) continue;
    const auto found = read_state_owner(reader_of(fd->get(), path), facts_of(fd->get()).bytes);
    // What can't be read may be his as well.
    if (!found || *found == owner) (void)!::ftruncate(fd->get(), 0);
  }
}

PrefixFiles::PrefixFiles(Engine& engine, std::span<const std::filesystem::path> paths, uint64_t most_bytes)
    : engine_(engine), most_bytes_(most_bytes), windowed_(engine.info().windowed) {
  for (const std::filesystem::path& path : paths) {
    auto fd = base::open_file(path, O_RDWR);
    if (!fd) continue;
    File& file = files_.emplace_back();
    file.path = path;
    file.fd = std::move(fd).value();
    load_head(file);
  }
}

void PrefixFiles::refresh() {
  for (File& file : files_)
    if (facts_of(file.fd.get()).written != file.written) load_head(file);
}

void PrefixFiles::load_head(File& file) {
  const Facts facts = facts_of(file.fd.get());
  file.written = file.used = facts.written;
  file.bytes = facts.bytes;
  file.read = false;
  file.owner.clear();
  file.tokens.clear();
  now_ = std::max(now_, file.used);
  if (facts.bytes == 0 || facts.bytes > 2 * kMostBytes) return;
  auto head = engine_.read_sequence_head(reader_of(file.fd.get(), file.path), facts.bytes);
  if (!head) return;
  file.owner = std::move(head->owner);
  file.tokens = std::move(head->tokens);
}

std::optional<PrefixFiles::Match> PrefixFiles::find(std::string_view owner, std::span<const TokenId> tokens) const {
  std::optional<Match> best;
  for (size_t i = 0; i < files_.size(); ++i) {
    const File& file = files_[i];
    if (file.tokens.empty() || file.owner != owner) continue;
    const size_t common = common_prefix(file.tokens, tokens);
    if (windowed_ && common < file.tokens.size()) continue;  // it can't be cut there
    if (common > (best ? best->tokens : 0)) best = Match{i, common};
  }
  return best;
}

std::optional<size_t> PrefixFiles::next_unread() const {
  std::optional<size_t> latest;
  for (size_t i = 0; i < files_.size(); ++i)
    if (!files_[i].tokens.empty() && !files_[i].read && (!latest || files_[i].used > files_[*latest].used)) latest = i;
  return latest;
}

uint64_t PrefixFiles::sequence_bytes(size_t file) const {
  return engine_.sequence_bytes(static_cast<uint32_t>(files_.at(file).tokens.size()));
}

std::optional<PrefixFiles::Restored> PrefixFiles::read(size_t index) {
  File& file = files_.at(index);
  auto state = engine_.read_sequence(reader_of(file.fd.get(), file.path), facts_of(file.fd.get()).bytes, file.owner);
  file.read = true;
  if (!state || state->tokens != file.tokens) {
    // Another process has overwritten it, or it is damaged: it is not this one's any more until it is written again.
    file.tokens.clear();
    return std::nullopt;
  }
  file.used = ++now_;
  return Restored{file.owner, std::move(state).value()};
}

// Null: none may be overwritten for it.
PrefixFiles::File* PrefixFiles::choose(std::string_view owner, std::span<const TokenId> tokens) {
  for (File& file : files_)
    if (!file.tokens.empty() && file.owner == owner && common_prefix(file.tokens, tokens) == file.tokens.size() &&
        (!windowed_ || file.tokens.size() == tokens.size()))
      return &file;
  const auto rank = [](const File& file) { return file.tokens.empty() ? -1 : file.used; };
  const auto oldest = std::ranges::min_element(files_, {}, rank);
  return oldest == files_.end() ? nullptr : &*oldest;
}

void PrefixFiles::keep(std::string_view owner, std::span<const TokenId> tokens, const Sequence& sequence) {
  const uint64_t bytes = engine_.sequence_bytes(static_cast<uint32_t>(tokens.size()));
  if (tokens.size() < kFewestTokens || bytes > std::min(kMostBytes, most_bytes_)) return;
  // One that goes on further stands for it.
  if (const auto match = find(owner, tokens); match && match->tokens == tokens.size()) return;
  File* file = choose(owner, tokens);
  if (file == nullptr) return;
  empty(*file);
  uint64_t total = bytes;
  for (const File& other : files_) total += other.bytes;
  while (total > most_bytes_) {
    File* oldest = nullptr;
    for (File& other : files_)
      if (other.bytes > 0 && (oldest == nullptr || other.used < oldest->used)) oldest = &other;
    if (oldest == nullptr) return;
    total -= oldest->bytes;
    empty(*oldest);
  }
  const auto write = [&](uint64_t offset, std::span<const std::byte> part) {
    return base::write_at(file->fd.get(), offset, part, file->path);
  };
  if (!engine_.write_sequence(sequence, tokens, owner, write).ok()) return empty(*file);
  file->owner = owner;
  file->tokens.assign(tokens.begin(), tokens.end());
  const Facts facts = facts_of(file->fd.get());
  file->bytes = facts.bytes;
  file->written = facts.written;
  file->used = ++now_;
  file->read = true;
}

void PrefixFiles::empty(File& file) {
  (void)!::ftruncate(file.fd.get(), 0);
  file.written = facts_of(file.fd.get()).written;
  file.owner.clear();
  file.tokens.clear();
  file.bytes = 0;
}

void PrefixFiles::forget(std::string_view owner) {
  for (File& file : files_)
    if (file.owner == owner) empty(file);
}

}  // namespace ingle::core
