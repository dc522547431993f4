// A tokenizer from GGUF metadata: the keys tokenizer.ggml.*. Source: the GGUF specification (docs/gguf.md of ggml) and
// the `gguf` Python package's constants; where they leave a choice, README.md says what we do.
#include <cmath>

#include "core/files/model_file.h"
#include "core/tokenizer/definition.h"
#include "core/tokenizer/text_tokenizer.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;

std::string key(std::string_view name) {
  return "tokenizer.ggml." + std::string(name);
}

Error corrupt(std::string message) {
  return {ErrorCode::corrupt, std::move(message)};
}

/// The id that a key names. One that the vocabulary lacks is left to build_tokenizer() to refuse.
base::Result<std::optional<TokenId>> read_id(const Metadata& metadata, std::string_view name) {
  const std::string full = key(name);
  if (!metadata.has(full)) return std::optional<TokenId>{};
  const auto value = metadata.find_uint(full);
  // Some converters write -1 or 2^32-1 for "none".
  if (!value || *value == UINT32_MAX) {
    const auto number = metadata.find_double(full);
    if (value || (number && *number == -1)) return std::optional<TokenId>{};
    return corrupt(full + " is not a token id");
  }
  if (*value > INT32_MAX) return corrupt(full + " is " + std::to_string(*value) + ", which is not a token id");
  return std::optional<TokenId>(static_cast<TokenId>(*value));
}

base::Status read_special(const Metadata& metadata, Tokenizer::SpecialIds& special) {
  const std::pair<std::string_view, std::optional<TokenId>*> keys[] = {
      {"bos_token_id", &special.bos},
      {"eos_token_id", &special.eos},
      {"eot_token_id", &special.eot},
      {"eom_token_id", &special.eom},
      {"unknown_token_id", &special.unknown},
      {"seperator_token_id", &special.separator},  // spelt so by the format
      {"separator_token_id", &special.separator},
      {"padding_token_id", &special.padding},
      {"mask_token_id", &special.mask},
      {"cls_token_id", &special.cls},
      {"prefix_token_id", &special.fim_prefix},
      {"suffix_token_id", &special.fim_suffix},
      {"middle_token_id", &special.fim_middle},
      {"fim_pre_token_id", &special.fim_prefix},
      {"fim_suf_token_id", &special.fim_suffix},
      {"fim_mid_token_id", &special.fim_middle},
  };
  for (const auto& [name, id] : keys) {
    INGLE_TRY(const std::optional<TokenId> value, read_id(metadata, name));
    if (value) *id = value;
  }
  return {};
}

base::Result<std::vector<TokenKind>> read_kinds(const Metadata& metadata, size_t count,
                                                const Tokenizer::SpecialIds& special) {
  std::vector<TokenKind> kinds(count, TokenKind::normal);
  const auto types = metadata.find_ints(key("token_type"));
  if (!types) {
    if (metadata.has(key("token_type"))) return corrupt("tokenizer.ggml.token_type is not an array of integers");
    // Without types, at least what the metadata names as special is.
    for (const auto& id : {special.bos, special.eos, special.eot, special.eom, special.separator, special.padding,
                           special.mask, special.cls, special.fim_prefix, special.fim_suffix, special.fim_middle}) {
      if (id && static_cast<size_t>(*id) < count) kinds[static_cast<size_t>(*id)] = TokenKind::control;
    }
    if (special.unknown && static_cast<size_t>(*special.unknown) < count) {
      kinds[static_cast<size_t>(*special.unknown)] = TokenKind::unknown;
    }
    return kinds;
  }
  if (types->size() != count) {
    return corrupt("the tokenizer has " + std::to_string(count) + " tokens but " + std::to_string(types->size()) +
                   " token types");
  }
  for (size_t i = 0; i < count; i++) {
    switch ((*types)[i]) {
      case 0:
      case 1:
        kinds[i] = TokenKind::normal;
        break;
      case 2:
        kinds[i] = TokenKind::unknown;
        break;
      case 3:
        kinds[i] = TokenKind::control;
        break;
      case 4:
        kinds[i] = TokenKind::user_defined;
        break;
      case 5:
        kinds[i] = TokenKind::unused;
        break;
      case 6:
        kinds[i] = TokenKind::byte;
        break;
      default:
        return corrupt("token " + std::to_string(i) + " of the tokenizer has the unknown type " +
                       std::to_string((*types)[i]));
    }
  }
  return kinds;
}

/// GGUF does not carry the strip, word and normalisation flags of added tokens: they are as if all false.
/// Converters write Gemma's runs of U+2581 as runs of spaces; the original looks for the former, and merges spaces.
std::vector<AddedToken> added_tokens(std::span<const std::string> tokens, const std::vector<TokenKind>& kinds,
                                     bool escape_spaces) {
  std::vector<AddedToken> out;
  for (size_t i = 0; i < tokens.size(); i++) {
    const bool special = kinds[i] == TokenKind::control || kinds[i] == TokenKind::unknown;
    if (!special && kinds[i] != TokenKind::user_defined) continue;
    AddedToken token{.id = static_cast<TokenId>(i), .content = tokens[i], .special = special};
    if (escape_spaces && tokens[i].find_first_not_of(' ') == std::string::npos) {
      token.content.clear();
      for (size_t n = 0; n < tokens[i].size(); n++) token.content += kSpaceMark;
    }
    out.push_back(std::move(token));
  }
  return out;
}

base::Status read_byte_merges(const Metadata& metadata, TokenizerDefinition& definition) {
  const std::string* name = metadata.find_string(key("pre"));
  if (name == nullptr && metadata.has(key("pre"))) return corrupt("tokenizer.ggml.pre is not a string");
  const std::string_view wanted = name == nullptr ? std::string_view("default") : *name;
  const PreTokenizer* rules = find_pre_tokenizer(wanted);
  if (rules == nullptr) {
    return Error{ErrorCode::unsupported, "pre-tokenizer \"" + std::string(wanted) +
                                             "\" is not supported; supported are " + pre_tokenizer_names()};
  }
  const std::vector<std::string>* merges = metadata.find_strings(key("merges"));
  if (merges == nullptr) return corrupt("the tokenizer has no merges (tokenizer.ggml.merges)");
  definition.merges = *merges;
  definition.splits.assign(rules->splits.begin(), rules->splits.end());
  definition.nfc = rules->nfc;
  definition.ignore_merges = rules->ignore_merges;
  definition.special.add_bos = rules->add_bos;
  // The unknown token stays unused here: bytes are rarely unknown, and the key often names a control token.
  return {};
}

base::Status read_scores(const Metadata& metadata, TokenizerDefinition& definition) {
  const std::vector<double>* scores = metadata.find_doubles(key("scores"));
  if (scores == nullptr) return corrupt("the tokenizer has no scores (tokenizer.ggml.scores)");
  definition.scores.reserve(scores->size());
  for (const double score : *scores) definition.scores.push_back(static_cast<float>(score));
  if (metadata.has(key("precompiled_charsmap"))) {
    return Error{ErrorCode::unsupported,
                 "SentencePiece character maps (tokenizer.ggml.precompiled_charsmap) are not supported"};
  }
  const bool prefix = metadata.find_bool(key("add_space_prefix")).value_or(true);
  definition.escape_spaces = true;
  definition.space_prefix = prefix ? SpacePrefix::each_part_always : SpacePrefix::never;
  definition.strip_space = prefix;
  definition.collapse_spaces = metadata.find_bool(key("remove_extra_whitespaces")).value_or(false);
  definition.fuse_unknown = true;
  definition.unknown = definition.special.unknown;
  definition.special.add_bos = true;
  return {};
}

void read_word_pieces(const Metadata& metadata, TokenizerDefinition& definition) {
  definition.word_pieces.word_start = kSpaceMark;
  definition.word_pieces.continuing.clear();
  const bool lower = metadata.find_bool(key("normalizer.lowercase")).value_or(true);
  definition.word_pieces.lower = definition.word_pieces.strip_accents = lower;
  Tokenizer::SpecialIds& special = definition.special;
  definition.unknown = special.unknown;
  if (!special.cls) special.cls = special.bos;
  if (!special.bos) special.bos = special.cls;
  if (!special.separator) special.separator = special.eos;
  if (!special.eos) special.eos = special.separator;
  special.add_bos = special.add_eos = true;
}

base::Status read_model(const Metadata& metadata, std::string_view model, TokenizerDefinition& definition) {
  if (model == "gpt2") {
    definition.model = TokenizerModel::byte_merges;
    return read_byte_merges(metadata, definition);
  }
  if (model == "llama" || model == "gemma") {
    definition.model = TokenizerModel::scores;
    return read_scores(metadata, definition);
  }
  if (model == "bert") {
    definition.model = TokenizerModel::word_pieces;
    read_word_pieces(metadata, definition);
    return {};
  }
  return Error{ErrorCode::unsupported, "tokenizer model \"" + std::string(model) +
                                           "\" is not supported; supported are gpt2 (byte-level BPE), llama and gemma "
                                           "(SentencePiece), bert (WordPiece)"};
}

}  // namespace

base::Result<std::unique_ptr<Tokenizer>> load_gguf_tokenizer(const Metadata& metadata) {
  const std::string* model = metadata.find_string(key("model"));
  if (model == nullptr) return corrupt("the file has no tokenizer (tokenizer.ggml.model)");
  const std::vector<std::string>* tokens = metadata.find_strings(key("tokens"));
  if (tokens == nullptr) return corrupt("the tokenizer has no tokens (tokenizer.ggml.tokens)");
  TokenizerDefinition definition;
  definition.tokens = *tokens;
  INGLE_CHECK(read_special(metadata, definition.special));
  INGLE_CHECK(read_model(metadata, *model, definition));
  INGLE_TRY(definition.kinds, read_kinds(metadata, tokens->size(), definition.special));
  definition.added = added_tokens(*tokens, definition.kinds, definition.escape_spaces);
  Tokenizer::SpecialIds& special = definition.special;
  special.add_bos = metadata.find_bool(key("add_bos_token")).value_or(special.add_bos);
  const bool separator = metadata.find_bool(key("add_sep_token")).value_or(false);
  special.add_eos = metadata.find_bool(key("add_eos_token")).value_or(special.add_eos) || separator;
  if (special.add_bos && special.bos) definition.prefix.push_back(*special.bos);
  if (special.add_eos && special.eos) definition.suffix.push_back(*special.eos);
  return build_tokenizer(std::move(definition));
}

}  // namespace ingle::core
