#include "core/tokenizer/merge_tokenizer.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/unicode.h"

namespace ingle::core {
namespace {

base::Error corrupt(std::string message) {
  return {base::ErrorCode::corrupt, std::move(message)};
}

/// A better score has a lower rank; equal scores have equal ranks.
uint32_t rank_of_score(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);
  const uint32_t ascending = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

/// "<0x0A>"
std::string byte_token_name(unsigned byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  if (text.find(what) == std::string::npos) return;
  std::string out;
  out.reserve(text.size() * 2);
  size_t done = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, done)) {
    out.append(text, done, at - done).append(with);
    done = at + what.size();
  }
  text = out.append(text, done);
}

void collapse_spaces(std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  text = std::move(out);
}

}  // namespace

base::Status MergeTokenizer::set_up_merging(const TokenizerDefinition& definition) {
  model_ = definition.model;
  splits_ = definition.splits;
  nfc_ = definition.nfc;
  ignore_merges_ = definition.ignore_merges;
  fuse_unknown_ = definition.fuse_unknown;
  escape_spaces_ = definition.escape_spaces;
  split_at_spaces_ = definition.split_at_spaces;
  strip_space_ = definition.strip_space;
  collapse_spaces_ = definition.collapse_spaces;
  space_prefix_ = definition.space_prefix;
  find_bytes();
  if (model_ == TokenizerModel::scores) {
    INGLE_CHECK(read_scores(definition));
    if (escape_spaces_) find_space_runs();
  } else {
    INGLE_CHECK(read_merges(definition));
  }
  if (model_ != TokenizerModel::byte_merges) find_space_crossings();
  return {};
}

void MergeTokenizer::find_bytes() {
  all_bytes_ = true;
  for (unsigned byte = 0; byte < 256; byte++) {
    std::string name;
    if (model_ == TokenizerModel::byte_merges) {
      append_byte_char(name, static_cast<unsigned char>(byte));
    } else {
      name = byte_token_name(byte);
    }
    byte_ids_[byte] = vocabulary().find(name);
    all_bytes_ = all_bytes_ && byte_ids_[byte] != kNoToken;
  }
}

base::Result<MergeTokenizer::NamedMerge> MergeTokenizer::find_merge(size_t rank, MergeParts parts) {
  std::string joined;
  joined.reserve(parts.left.size() + parts.right.size());
  joined.append(parts.left).append(parts.right);
  NamedMerge merge{vocabulary().find(parts.left), vocabulary().find(parts.right), {static_cast<uint32_t>(rank), {}}};
  // Most vocabularies list what the merges make in order, which saves a look-up.
  const TokenId next = last_merged_ + 1;
  const bool in_order = vocabulary().contains(next) && vocabulary().text(next) == joined;
  merge.merge.id = last_merged_ = in_order ? next : vocabulary().find(joined);
  if (merge.left != kNoToken && merge.right != kNoToken && merge.merge.id != kNoToken) return merge;
  const std::string_view missing = merge.left == kNoToken    ? parts.left
                                   : merge.right == kNoToken ? parts.right
                                                             : std::string_view(joined);
  return corrupt("merge " + std::to_string(rank) + " of the tokenizer names \"" + std::string(missing.substr(0, 60)) +
                 "\", which is not in its vocabulary");
}

base::Status MergeTokenizer::read_merges(const TokenizerDefinition& definition) {
  const size_t count = definition.merges.empty() ? definition.merge_pairs.size() : definition.merges.size();
  if (count > MergeTable::kMost) return corrupt("the tokenizer has " + std::to_string(count) + " merges");
  merges_.reserve(count);
  const auto parts_of = [&](size_t i) -> MergeParts {
    if (definition.merges.empty()) return {definition.merge_pairs[i][0], definition.merge_pairs[i][1]};
    const std::string_view merge = definition.merges[i];
    // A part may itself start with a space where the alphabet is not GPT-2's.
    const size_t space = merge.find(' ', 1);
    return space == std::string_view::npos ? MergeParts{} : MergeParts{merge.substr(0, space), merge.substr(space + 1)};
  };
  // The tables are larger than the caches: what a block of merges will touch is asked for ahead.
  constexpr size_t kBlock = 32;
  NamedMerge block[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t size = std::min(kBlock, count - begin);
    for (size_t i = 0; i < size; i++) {
      const MergeParts parts = parts_of(begin + i);
      if (parts.left.empty() || parts.right.empty()) {
        return corrupt("merge " + std::to_string(begin + i) +
                       " of the tokenizer is not two tokens with a space between");
      }
      vocabulary().prefetch(parts.left);
      vocabulary().prefetch(parts.right);
    }
    for (size_t i = 0; i < size; i++) {
      INGLE_TRY(block[i], find_merge(begin + i, parts_of(begin + i)));
      merges_.prefetch(block[i].left, block[i].right);
    }
    for (size_t i = 0; i < size; i++) {
      if (!merges_.add(block[i].left, block[i].right, block[i].merge)) {
        return corrupt("the tokenizer's merges cannot be indexed: they were made to collide");
      }
    }
  }
  return {};
}

base::Status MergeTokenizer::read_scores(const TokenizerDefinition& definition) {
  if (definition.scores.size() != vocabulary().size()) {
    return corrupt("the tokenizer has " + std::to_string(vocabulary().size()) + " tokens but " +
                   std::to_string(definition.scores.size()) + " scores");
  }
  score_ranks_.reserve(definition.scores.size());
  for (size_t i = 0; i < definition.scores.size(); i++) {
    if (std::isnan(definition.scores[i])) {
      return corrupt("the score of token " + std::to_string(i) + " of the tokenizer is not a number");
    }
    score_ranks_.push_back(is_mergeable(static_cast<TokenId>(i)) ? rank_of_score(definition.scores[i]) : kNoRank);
  }
  return {};
}

void MergeTokenizer::find_space_crossings() {
  for (TokenId id = 0; id < static_cast<TokenId>(vocabulary().size()); id++) {
    if (!is_mergeable(id)) continue;
    const std::string_view text = vocabulary().text(id);
    for (size_t at = text.find(kSpaceMark, 1); at != std::string_view::npos; at = text.find(kSpaceMark, at + 1)) {
      if (at < kSpaceMark.size() || text.substr(at - kSpaceMark.size(), kSpaceMark.size()) != kSpaceMark) {
        crosses_space_[static_cast<unsigned char>(text[at - 1])] = true;
      }
    }
  }
}

void MergeTokenizer::find_space_runs() {
  for (TokenId id = 0; id < static_cast<TokenId>(vocabulary().size()); id++) {
    const std::string_view text = vocabulary().text(id);
    if (vocabulary().kind(id) != TokenKind::user_defined || text.size() < 2) continue;
    if (text.find_first_not_of(' ') != std::string_view::npos) continue;
    space_runs_.resize(std::max(space_runs_.size(), text.size() + 1), kNoToken);
    space_runs_[text.size()] = id;
  }
}

/// How well two neighbours that together spell `text` merge.
Merge MergeTokenizer::find_scored(std::string_view text) const {
  const TokenId id = vocabulary().find(text);
  if (id != kNoToken) return {score_ranks_[static_cast<size_t>(id)], id};
  const size_t marks = text.size() / kSpaceMark.size();
  if (marks >= space_runs_.size() || space_runs_[marks] == kNoToken || !text.starts_with(kSpaceMark)) return {};
  if (marks * kSpaceMark.size() != text.size() ||
      text.substr(kSpaceMark.size()) != text.substr(0, text.size() - kSpaceMark.size()))
    return {};
  // Before all else, the longest first: as if the token were searched for in the text.
  return {static_cast<uint32_t>(space_runs_.size() - marks), space_runs_[marks]};
}

bool MergeTokenizer::wants_space_prefix(std::string_view text, Place place) const {
  switch (space_prefix_) {
    case SpacePrefix::never:
      return false;
    case SpacePrefix::each_part_always:
      return place.starts_part;
    case SpacePrefix::first:
      if (!place.starts_text) return false;
      break;
    case SpacePrefix::each_part:
      if (!place.starts_part) return false;
      break;
  }
  return !text.starts_with(escape_spaces_ ? kSpaceMark : std::string_view(" "));
}

bool MergeTokenizer::needs_normalizing(std::string_view text, Place place) const {
  return (nfc_ && may_need_nfc(text)) || escape_spaces_ || collapse_spaces_ ||
         (space_prefix_ == SpacePrefix::each_part_always && wants_space_prefix(text, place));
}

std::string MergeTokenizer::normalize(std::string_view text, Place place) const {
  std::string out = nfc_ && may_need_nfc(text) ? to_nfc(text) : std::string(text);
  if (collapse_spaces_) collapse_spaces(out);
  if (space_prefix_ == SpacePrefix::each_part_always && !out.empty() && wants_space_prefix(out, place)) {
    out.insert(0, " ");
  }
  if (escape_spaces_) replace_all(out, " ", kSpaceMark);
  return out;
}

void MergeTokenizer::encode_normal(std::string_view text, Place place, EncodeScratch& scratch,
                                   std::vector<TokenId>& out) const {
  if (space_prefix_ == SpacePrefix::each_part_always || !wants_space_prefix(text, place)) {
    return encode_prefixed(text, scratch, out);
  }
  std::string prefixed(escape_spaces_ ? kSpaceMark : std::string_view(" "));
  prefixed += text;
  encode_prefixed(prefixed, scratch, out);
}

size_t MergeTokenizer::next_cut(std::string_view text, size_t from) const {
  for (size_t at = text.find(kSpaceMark, from + 1); at != std::string_view::npos; at = text.find(kSpaceMark, at + 1)) {
    if (split_at_spaces_) return at;
    const bool after_mark =
        at >= from + kSpaceMark.size() && text.substr(at - kSpaceMark.size(), kSpaceMark.size()) == kSpaceMark;
    if (!after_mark && !crosses_space_[static_cast<unsigned char>(text[at - 1])]) return at;
  }
  return text.size();
}

void MergeTokenizer::encode_prefixed(std::string_view text, EncodeScratch& scratch, std::vector<TokenId>& out) const {
  if (model_ == TokenizerModel::byte_merges) {
    split_text(text, splits_, scratch.ends, scratch.ends2);
    size_t begin = 0;
    for (const size_t end : scratch.ends) {
      encode_piece(text.substr(begin, end - begin), scratch, out);
      begin = end;
    }
    return;
  }
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = next_cut(text, begin);
    encode_piece(text.substr(begin, end - begin), scratch, out);
    begin = end;
  }
}

void MergeTokenizer::encode_piece(std::string_view piece, EncodeScratch& scratch, std::vector<TokenId>& out) const {
  if (!scratch.use_cache || piece.size() > PieceCache::kLongestPiece) return merge_piece(piece, scratch, out);
  PieceCache::Entry& entry = scratch.cache.entry(piece);
  if (PieceCache::matches(entry, piece)) {
    out.insert(out.end(), entry.ids, entry.ids + entry.count);
    return;
  }
  const size_t before = out.size();
  merge_piece(piece, scratch, out);
  PieceCache::store(entry, piece, out.data() + before, out.size() - before);
}

void MergeTokenizer::start_with_bytes(std::string_view piece, std::vector<Symbol>& symbols) const {
  for (size_t i = 0; i < piece.size(); i++) {
    TokenId id = byte_ids_[static_cast<unsigned char>(piece[i])];
    if (id == kNoToken) id = unknown();
    if (id != kNoToken) symbols.push_back({id, static_cast<uint32_t>(i)});
  }
}

void MergeTokenizer::start_with_chars(std::string_view piece, std::vector<Symbol>& symbols) const {
  for (size_t pos = 0; pos < piece.size();) {
    const auto begin = static_cast<uint32_t>(pos);
    const std::string_view character = piece.substr(pos, char_at(piece, pos).length);
    pos += character.size();
    TokenId id = vocabulary().find(character);
    if (id != kNoToken && !is_mergeable(id)) id = kNoToken;
    if (id != kNoToken || model_ == TokenizerModel::scores) {
      symbols.push_back({id, begin});  // by score, what no token spells may still become part of one
    } else if (all_bytes_) {
      for (const char byte : character) symbols.push_back({byte_ids_[static_cast<unsigned char>(byte)], begin});
    } else if (unknown() != kNoToken) {
      if (!fuse_unknown_ || symbols.empty() || symbols.back().id != unknown()) symbols.push_back({unknown(), begin});
    }
  }
}

void MergeTokenizer::merge_piece(std::string_view piece, EncodeScratch& scratch, std::vector<TokenId>& out) const {
  if (ignore_merges_) {
    scratch.piece.clear();
    if (model_ == TokenizerModel::byte_merges) {
      for (const char c : piece) append_byte_char(scratch.piece, static_cast<unsigned char>(c));
    } else {
      scratch.piece = piece;
    }
    const TokenId id = vocabulary().find(scratch.piece);
    if (id != kNoToken && vocabulary().kind(id) == TokenKind::normal) return out.push_back(id);
  }
  std::vector<Symbol>& symbols = scratch.merge.symbols;
  symbols.clear();
  if (model_ == TokenizerModel::byte_merges) {
    start_with_bytes(piece, symbols);
  } else {
    start_with_chars(piece, symbols);
  }
  const auto end = static_cast<uint32_t>(piece.size());
  if (model_ != TokenizerModel::scores) {
    merge_symbols(scratch.merge, end, [this](const Symbol& left, const Symbol& right, uint32_t) {
      return merges_.find(left.id, right.id);
    });
  } else {
    merge_symbols(scratch.merge, end, [&](const Symbol& left, const Symbol&, uint32_t pair_end) {
      return find_scored(piece.substr(left.begin, pair_end - left.begin));
    });
  }
  append_symbols(piece, symbols, out);
}

void MergeTokenizer::append_symbols(std::string_view piece, const std::vector<Symbol>& symbols,
                                    std::vector<TokenId>& out) const {
  for (size_t i = 0; i < symbols.size(); i++) {
    if (symbols[i].id != kNoToken) {
      out.push_back(symbols[i].id);
      continue;
    }
    const size_t end = i + 1 < symbols.size() ? symbols[i + 1].begin : piece.size();
    if (!all_bytes_) {
      append_unknown(out);
      continue;
    }
    for (const char byte : piece.substr(symbols[i].begin, end - symbols[i].begin)) {
      out.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
    }
  }
}

void MergeTokenizer::append_unknown(std::vector<TokenId>& out) const {
  if (unknown() == kNoToken) return;
  if (fuse_unknown_ && !out.empty() && out.back() == unknown()) return;
  out.push_back(unknown());
}

void MergeTokenizer::encode_byte(unsigned char byte, std::vector<TokenId>& out) const {
  if (byte_ids_[byte] != kNoToken) {
    out.push_back(byte_ids_[byte]);
  } else {
    append_unknown(out);
  }
}

void MergeTokenizer::append_bytes(TokenId id, std::string& out) const {
  const std::string_view text = vocabulary().text(id);
  if (model_ == TokenizerModel::byte_merges) {
    const bool spelt = vocabulary().kind(id) == TokenKind::normal && append_alphabet_bytes(out, text);
    if (!spelt) out += text;
    return;
  }
  if (vocabulary().kind(id) == TokenKind::byte) {
    const auto at = std::find(byte_ids_.begin(), byte_ids_.end(), id);
    if (at != byte_ids_.end()) out += static_cast<char>(at - byte_ids_.begin());
    return;
  }
  size_t done = 0;
  for (size_t at = text.find(kSpaceMark); at != std::string_view::npos; at = text.find(kSpaceMark, done)) {
    out.append(text.substr(done, at - done));
    out += ' ';
    done = at + kSpaceMark.size();
  }
  out.append(text.substr(done));
}

std::string MergeTokenizer::decode(std::span<const TokenId> ids, bool show_special) const {
  std::string out = TextTokenizer::decode(ids, show_special);
  if (strip_space_ && out.starts_with(' ')) out.erase(0, 1);
  return out;
}

}  // namespace ingle::core
