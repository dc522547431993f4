// Saved states from arbitrary bytes. Hashes are hard to guess: what the fuzzer gives is also read with its hashes made
// right, so that it gets behind them.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/hash.h"
#include "core/memory/sequence_state.h"
#include "core/memory/state_file.h"
#include "core/memory/test_memory.h"

namespace {

using namespace ingle::core;

const std::string kKey(kStateKeyBytes, 'k');

void read(std::span<const std::byte> input) {
  TestMemory memory;
  StatePools pools(memory, {{0, 128}, 64, 1024});
  auto state = SequenceState::create(pools).value();
  const auto from_input = [&](uint64_t offset, std::span<std::byte> out) -> ingle::base::Status {
    if (offset > input.size() || out.size() > input.size() - offset) std::abort();
    std::copy_n(input.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  };
  const auto tokens = read_state(from_input, input.size(), kKey, {}, state);
  const auto head = read_state_head(from_input, input.size(), kKey);
  if (tokens.ok() && (!head.ok() || head->tokens != *tokens)) std::abort();
  if (!tokens.ok() && (tokens.error().message.empty() || state.length() != 0)) std::abort();
  if (tokens.ok() && tokens->size() != state.length()) std::abort();
  if (state.length() + 64 <= state.capacity()) state.extend(64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::byte> input(size);
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, input.begin());
  read(input);
  // The header's hash, of as many bytes as its numbers say come before the pages.
  constexpr size_t kHeader = 64, kHashAt = 56, kGroups = 2, kEntry = 16;
  const size_t tables = kHeader + kStateKeyBytes;
  if (size < tables + kGroups * kEntry) return 0;
  uint32_t length = 0, pages[kGroups] = {};
  std::memcpy(&length, input.data() + 16, sizeof length);
  for (size_t g = 0; g < kGroups; ++g) std::memcpy(&pages[g], input.data() + tables + g * kEntry + 12, sizeof pages[g]);
  const uint64_t end = tables + kGroups * kEntry + uint64_t{length} * 4 + (uint64_t{pages[0]} + pages[1]) * 8;
  if (end > size) return 0;
  uint64_t at = end, hash_at = end - (uint64_t{pages[0]} + pages[1]) * 8;
  for (; hash_at < end && at + TestMemory::kPageBytes <= size; hash_at += 8, at += TestMemory::kPageBytes) {
    const uint64_t hash = ingle::base::hash64(std::span(input).subspan(at, TestMemory::kPageBytes));
    std::memcpy(input.data() + hash_at, &hash, sizeof hash);
  }
  std::memset(input.data() + kHashAt, 0, 8);
  const uint64_t hash = ingle::base::hash64(std::span(input).first(end));
  std::memcpy(input.data() + kHashAt, &hash, sizeof hash);
  read(input);
  return 0;
}
