// Prompts as tokens, from what the engine offers.
#include "cli/prompts.h"

#include <ctime>

#include "core/engine/prompt.h"

namespace ingle::cli {

using base::Error;
using base::ErrorCode;
using base::Result;
using Tokens = std::vector<core::TokenId>;

Result<Tokens> raw_prompt(const core::Engine& engine, std::string_view text, bool parse_special) {
  Tokens tokens = engine.tokenizer().encode(text, {.add_special = true, .parse_special = parse_special});
  if (tokens.empty()) return Error{ErrorCode::invalid_argument, "the prompt is empty; give some text to continue"};
  return tokens;
}

Result<Tokens> chat_prompt(const core::Engine& engine, const base::Json& messages, std::optional<bool> thinking) {
  core::ChatRequest request;
  request.messages = messages;
  request.enable_thinking = thinking;
  request.now = static_cast<int64_t>(std::time(nullptr));
  return core::build_chat_prompt(engine.tokenizer(), *engine.chat_template(), request);
}

Result<Tokens> gap_prompt(const core::Engine& engine, std::string_view before, std::string_view after) {
  return core::build_fim_prompt(engine.tokenizer(), before, after);
}

}  // namespace ingle::cli
