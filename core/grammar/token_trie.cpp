// Building the tree: tokens sorted by their bytes give its nodes in preorder.
#include "core/grammar/token_trie.h"

#include <algorithm>

#include "base/utf8.h"
#include "core/grammar/automaton.h"

namespace ingle::core {

namespace {

/// Masks for up to this many code points; plain tokens of more are taken as not plain.
constexpr uint32_t kMaxPlain = 24;

/// The code points of a plain token, or 0.
uint32_t plain_length(std::string_view bytes) {
  uint32_t count = 0;
  while (!bytes.empty()) {
    const base::CodePoint c = base::decode_utf8(bytes);
    if (c.length == 0 || c.value < 0x20 || c.value == '"' || c.value == '\\') return 0;
    bytes.remove_prefix(c.length);
    count++;
  }
  return count <= kMaxPlain ? count : 0;
}

/// Bytes that UTF-8 never has; those of the marks above all, lest byte tokens imitate a control token.
bool has_mark(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<uint8_t>(c) >= grammar::kMarkEnd; });
}

std::string marked(std::string_view spelling) {
  std::string out(1, static_cast<char>(grammar::kMarkBegin));
  out += spelling;
  out += static_cast<char>(grammar::kMarkEnd);
  return out;
}

}  // namespace

TokenTrie::TokenTrie(const Tokenizer& tokenizer) : stop_ids_(tokenizer.stop_ids()) {
  const uint32_t count = tokenizer.vocabulary_size();
  std::vector<bool> plain(count, false);
  begin_.reserve(count + 1);
  for (uint32_t i = 0; i < count; i++) {
    begin_.push_back(static_cast<uint32_t>(text_.size()));
    const auto id = static_cast<TokenId>(i);
    const TokenKind kind = tokenizer.token_kind(id);
    if (kind == TokenKind::unknown || kind == TokenKind::unused) continue;
    std::string bytes = tokenizer.token_bytes(id, true);
    if (bytes.size() > kMaxTokenBytes || has_mark(bytes)) continue;
    if (kind == TokenKind::control) {
      if (!bytes.empty() && base::is_valid_utf8(bytes)) text_ += marked(bytes);
    } else {
      plain[i] = plain_length(bytes) != 0;
      text_ += bytes;
    }
  }
  begin_.push_back(static_cast<uint32_t>(text_.size()));
  build(plain);
}

TokenTrie::TokenTrie(const std::vector<std::string>& tokens, const std::vector<bool>& control,
                     std::vector<TokenId> stop_ids)
    : stop_ids_(std::move(stop_ids)) {
  std::vector<bool> plain(tokens.size(), false);
  for (size_t i = 0; i < tokens.size(); i++) {
    begin_.push_back(static_cast<uint32_t>(text_.size()));
    if (tokens[i].size() > kMaxTokenBytes || has_mark(tokens[i])) continue;
    const bool is_control = i < control.size() && control[i] && !tokens[i].empty();
    plain[i] = !is_control && plain_length(tokens[i]) != 0;
    text_ += is_control ? marked(tokens[i]) : tokens[i];
  }
  begin_.push_back(static_cast<uint32_t>(text_.size()));
  build(plain);
}

void TokenTrie::build(const std::vector<bool>& plain) {
  std::vector<TokenId> order;
  for (uint32_t i = 0; i < vocabulary_size(); i++) {
    if (begin_[i] != begin_[i + 1]) order.push_back(static_cast<TokenId>(i));
  }
  std::sort(order.begin(), order.end(), [&](TokenId a, TokenId b) {
    if (plain[a] != plain[b]) return static_cast<bool>(plain[a]);
    const int compared = bytes(a).compare(bytes(b));
    return compared != 0 ? compared < 0 : a < b;
  });
  const auto split = std::partition_point(order.begin(), order.end(), [&](TokenId id) { return plain[id]; });
  ordered_.reserve(order.size());
  add_subtree({order.begin(), split});
  plain_end_ = static_cast<uint32_t>(nodes_.size());
  add_subtree({split, order.end()});
  nodes_.push_back({0, static_cast<uint32_t>(ordered_.size()), 0, 0});
  plain_masks_.assign(1, std::vector<uint32_t>(mask_words(), 0));
  for (auto it = order.begin(); it != split; ++it) {
    const uint32_t length = plain_length(bytes(*it));
    while (plain_masks_.size() <= length) plain_masks_.emplace_back(mask_words(), 0);
    plain_masks_[length][*it / 32] |= 1u << (*it % 32);
  }
  for (size_t i = 1; i < plain_masks_.size(); i++) {
    for (size_t w = 0; w < mask_words(); w++) plain_masks_[i][w] |= plain_masks_[i - 1][w];
  }
}

void TokenTrie::add_subtree(std::span<const TokenId> sorted) {
  std::vector<uint32_t> path;  // the nodes above the next one
  std::string_view before;
  const auto close = [&](size_t depth) {
    while (path.size() > depth) {
      nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
      path.pop_back();
    }
  };
  for (const TokenId id : sorted) {
    const std::string_view text = bytes(id);
    const auto differs = std::mismatch(before.begin(), before.end(), text.begin(), text.end());
    const auto shared = static_cast<size_t>(differs.first - before.begin());
    close(shared);
    for (size_t i = shared; i < text.size(); i++) {
      path.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back(
          {0, static_cast<uint32_t>(ordered_.size()), static_cast<uint16_t>(i + 1), static_cast<uint8_t>(text[i])});
    }
    ordered_.push_back(id);
    longest_token_ = std::max(longest_token_, static_cast<uint32_t>(text.size()));
    before = text;
  }
  close(0);
}

std::string_view TokenTrie::bytes(TokenId id) const {
  if (id < 0 || static_cast<uint32_t>(id) >= vocabulary_size()) return {};
  return std::string_view(text_).substr(begin_[id], begin_[id + 1] - begin_[id]);
}

void TokenTrie::add_plain(uint32_t code_points, std::span<uint32_t> bits) const {
  const std::vector<uint32_t>& mask = plain_masks_[std::min(code_points, longest_plain())];
  for (size_t w = 0; w < mask.size(); w++) bits[w] |= mask[w];
}

uint64_t TokenTrie::memory_bytes() const {
  return text_.capacity() + begin_.capacity() * sizeof(uint32_t) + nodes_.capacity() * sizeof(Node) +
         ordered_.capacity() * sizeof(TokenId) + plain_masks_.size() * mask_words() * sizeof(uint32_t);
}

}  // namespace ingle::core
