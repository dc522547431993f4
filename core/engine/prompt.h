// Prompts as tokens: a chat through its template, or a gap to fill. What a person, a document or a tool wrote can't
// become a special token; only the template's own text can.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "core/template/template.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

struct ChatRequest {
  base::Json messages = base::Json::array();  ///< [{"role": …, "content": …}, …]
  base::Json tools;                           ///< an array, or null
  bool add_generation_prompt = true;          ///< end where the answer starts
  std::optional<bool> enable_thinking;        ///< left out of the context: the template's own default
  base::Json variables;                       ///< more of the template's variables: an object, or null
  int64_t now = 0;                            ///< for strftime_now: seconds since the epoch
};

/// The whole prompt. Tokens are those of transformers' apply_chat_template: the template writes its own BOS, none is
/// added. Where a string of the request spells a special token, that stretch becomes plain text.
/// Errors: invalid_argument (the template refuses, not valid UTF-8, a role of other characters than letters, digits,
/// '_', '-', '.', or no token comes out), limit_exceeded.
base::Result<std::vector<TokenId>> build_chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                                     const ChatRequest& request);

/// Prefix, suffix, and a place for the middle, in this order; special tokens are not parsed in either.
/// Errors: unsupported where the model has no tokens for it.
base::Result<std::vector<TokenId>> build_fim_prompt(const Tokenizer& tokenizer, std::string_view prefix,
                                                    std::string_view suffix);

}  // namespace ingle::core
