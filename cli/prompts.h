// Prompts as tokens: raw text, a chat, or a gap to fill.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "core/engine/engine.h"

namespace ingle::cli {

/// The text with BOS where the model's metadata says so, and nothing else. Special tokens in the text are plain text
/// unless `parse_special`. Errors: invalid_argument where no token comes out.
base::Result<std::vector<core::TokenId>> raw_prompt(const core::Engine& engine, std::string_view text,
                                                    bool parse_special);

/// `messages` ([{role, content}]) through the model's chat template, up to where the answer starts. What stands in a
/// message can't become a special token. Errors: invalid_argument (the template refuses), limit_exceeded.
base::Result<std::vector<core::TokenId>> chat_prompt(const core::Engine& engine, const base::Json& messages,
                                                     std::optional<bool> thinking);

/// The text before and after a gap. Errors: unsupported where the model has no tokens for it.
base::Result<std::vector<core::TokenId>> gap_prompt(const core::Engine& engine, std::string_view before,
                                                    std::string_view after);

}  // namespace ingle::cli
