#include "core/tokenizer/text_tokenizer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "core/tokenizer/special_names.h"

namespace ingle::core {
namespace {

// A cache costs 200 KB to set up, which a short text does not earn back.
constexpr size_t kCacheFrom = 2048;

}  // namespace

void PieceCache::store(Entry& entry, std::string_view piece, const TokenId* ids, size_t count) {
  if (piece.size() > kLongestPiece || count > kMostIds) return;
  std::memcpy(entry.piece, piece.data(), piece.size());
  std::copy_n(ids, count, entry.ids);
  entry.length = static_cast<uint8_t>(piece.size());
  entry.count = static_cast<uint8_t>(count);
}

base::Status TextTokenizer::check_ids(const TokenizerDefinition& definition) const {
  const auto error = [&](std::string_view what, TokenId id) {
    return base::Error{base::ErrorCode::corrupt, "the tokenizer's " + std::string(what) + " is token " +
                                                     std::to_string(id) + ", but the vocabulary has " +
                                                     std::to_string(vocabulary_.size())};
  };
  const SpecialIds& s = definition.special;
  const std::pair<std::string_view, std::optional<TokenId>> ids[] = {{"beginning of sequence", s.bos},
                                                                     {"end of sequence", s.eos},
                                                                     {"end of turn", s.eot},
                                                                     {"end of message", s.eom},
                                                                     {"unknown token", s.unknown},
                                                                     {"separator", s.separator},
                                                                     {"padding", s.padding},
                                                                     {"mask", s.mask},
                                                                     {"classifier", s.cls},
                                                                     {"token for unknown text", definition.unknown},
                                                                     {"FIM prefix", s.fim_prefix},
                                                                     {"FIM suffix", s.fim_suffix},
                                                                     {"FIM middle", s.fim_middle}};
  for (const auto& [what, id] : ids) {
    if (id && !vocabulary_.contains(*id)) return error(what, *id);
  }
  for (const AddedToken& token : definition.added) {
    if (!vocabulary_.contains(token.id)) return error("added token", token.id);
  }
  for (const auto* list : {&definition.prefix, &definition.suffix, &definition.extra_stop}) {
    for (const TokenId id : *list) {
      if (!vocabulary_.contains(id)) return error("special token", id);
    }
  }
  return {};
}

base::Status TextTokenizer::set_up(TokenizerDefinition& definition) {
  if (definition.kinds.size() != definition.tokens.size()) {
    return base::Error{base::ErrorCode::corrupt, "the tokenizer has " + std::to_string(definition.tokens.size()) +
                                                     " tokens but " + std::to_string(definition.kinds.size()) +
                                                     " token types"};
  }
  INGLE_TRY(vocabulary_, Vocabulary::build(definition.tokens, std::move(definition.kinds)));
  INGLE_CHECK(check_ids(definition));
  special_ = definition.special;
  unknown_ = definition.unknown.value_or(kNoToken);
  prefix_ = std::move(definition.prefix);
  suffix_ = std::move(definition.suffix);
  find_fim_ids(vocabulary_, special_);
  hide_markers(vocabulary_, special_, definition.added);
  stop_ids_ = find_stop_ids(vocabulary_, special_, definition.extra_stop);
  const auto middle = std::partition(definition.added.begin(), definition.added.end(),
                                     [](const AddedToken& t) { return !t.normalized; });
  normalized_ = std::vector<AddedToken>(middle, definition.added.end());
  definition.added.erase(middle, definition.added.end());
  added_ = AddedTokens(std::move(definition.added));
  return {};
}

void TextTokenizer::set_up_normalized_tokens() {
  for (AddedToken& token : normalized_) {
    if (needs_normalizing(token.content, {true, true})) token.content = normalize(token.content, {true, true});
  }
  added_normalized_ = AddedTokens(std::exchange(normalized_, {}));
}

std::vector<TokenId> TextTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<TokenId> out;
  out.reserve(text.size() / 4 + 8);
  EncodeScratch scratch;
  scratch.use_cache = text.size() >= kCacheFrom;
  if (options.add_special) out.insert(out.end(), prefix_.begin(), prefix_.end());
  for (size_t pos = 0; pos < text.size();) {
    const size_t valid = base::find_invalid_utf8(text.substr(pos));
    if (valid > 0) encode_valid(text.substr(pos, valid), pos == 0, options.parse_special, scratch, out);
    pos += valid;
    if (pos < text.size()) encode_byte(static_cast<unsigned char>(text[pos++]), out);
  }
  if (options.add_special) out.insert(out.end(), suffix_.begin(), suffix_.end());
  return out;
}

void TextTokenizer::encode_valid(std::string_view text, bool starts_text, bool parse_special, EncodeScratch& scratch,
                                 std::vector<TokenId>& out) const {
  Place place{starts_text, starts_text};
  size_t done = 0;
  while (const auto found = added_.find(text, done, parse_special)) {
    if (found->begin > done) encode_part(text.substr(done, found->begin - done), place, parse_special, scratch, out);
    out.push_back(found->id);
    done = found->end;
    place = {false, true};
  }
  if (done < text.size()) encode_part(text.substr(done), place, parse_special, scratch, out);
}

void TextTokenizer::encode_part(std::string_view text, Place place, bool parse_special, EncodeScratch& scratch,
                                std::vector<TokenId>& out) const {
  std::string normal;
  if (needs_normalizing(text, place)) text = normal = normalize(text, place);
  size_t done = 0;
  while (const auto found = added_normalized_.find(text, done, parse_special)) {
    if (found->begin > done) encode_normal(text.substr(done, found->begin - done), place, scratch, out);
    out.push_back(found->id);
    done = found->end;
    place = {false, true};
  }
  if (done < text.size()) encode_normal(text.substr(done), place, scratch, out);
}

void TextTokenizer::append_token(TokenId id, bool show_special, std::string& out) const {
  if (!vocabulary_.contains(id)) return;
  switch (vocabulary_.kind(id)) {
    case TokenKind::control:
    case TokenKind::unknown:
      if (show_special) out += vocabulary_.text(id);
      return;
    case TokenKind::normal:
    case TokenKind::user_defined:
    case TokenKind::unused:
    case TokenKind::byte:
      append_bytes(id, out);
      return;
  }
}

std::string TextTokenizer::decode(std::span<const TokenId> ids, bool show_special) const {
  std::string out;
  for (const TokenId id : ids) append_token(id, show_special, out);
  return out;
}

std::string TextTokenizer::token_bytes(TokenId id, bool show_special) const {
  std::string out;
  append_token(id, show_special, out);
  return out;
}

std::string_view TextTokenizer::token_text(TokenId id) const {
  return vocabulary_.contains(id) ? vocabulary_.text(id) : std::string_view{};
}

TokenKind TextTokenizer::token_kind(TokenId id) const {
  return vocabulary_.contains(id) ? vocabulary_.kind(id) : TokenKind::unknown;
}

std::optional<TokenId> TextTokenizer::find_token(std::string_view text) const {
  if (text.empty()) return std::nullopt;
  const TokenId id = vocabulary_.find(text);
  return id == kNoToken ? std::nullopt : std::optional(id);
}

}  // namespace ingle::core
