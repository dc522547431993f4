// Special tokens by the names that published vocabularies give them, where the metadata does not name their ids.
#pragma once

#include <vector>

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/vocabulary.h"

namespace ingle::core {

/// Ends of a sequence, turn or message: the given ids, and tokens with a well-known name that are control or
/// user-defined tokens. Sorted.
std::vector<TokenId> find_stop_ids(const Vocabulary& vocabulary, const Tokenizer::SpecialIds& special,
                                   const std::vector<TokenId>& extra);

/// Fills in the fill-in-the-middle ids that are not set, from well-known names.
void find_fim_ids(const Vocabulary& vocabulary, Tokenizer::SpecialIds& special);

/// Some files call turn markers and fill-in-the-middle tokens (those of `special`) user-defined, so that any text would
/// be searched for them. They become control tokens, found only where special tokens are parsed.
void hide_markers(Vocabulary& vocabulary, const Tokenizer::SpecialIds& special, std::vector<AddedToken>& added);

}  // namespace ingle::core
