// Generation as a person sees it: a prompt in, streamed text out, a reason for the end.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/reply.h"
#include "core/engine/speculation.h"

namespace ingle::core {

struct GenerateOptions : ReplyOptions {
  SamplingParams sampling;
  SpeculationOptions speculation;
};

struct GenerateResult {
  std::vector<TokenId> tokens;  ///< generated, without the stop token
  std::string text;
  StopReason reason = StopReason::length;
  uint32_t prompt_tokens = 0;                      ///< of the prompt, without what the sequence held
  uint32_t proposed_tokens = 0, taken_tokens = 0;  ///< computed by speculation, and of these became part of the text
  double prefill_ms = 0, first_token_ms = 0, decode_ms = 0;
};

/// Continues `prompt`, the whole text so far: the sequence holds its first length() tokens (of a new chat none, later
/// the turns before) and computes the others. Penalties look back over all of it. `on_text` gets whole code points
/// only, and nothing that could still become part of a stop string; it returns false to stop. Errors: as
/// Engine::forward for the prompt; invalid_argument where the prompt has no token that the sequence lacks.
base::Result<GenerateResult> generate(Engine& engine, Sequence& sequence, std::span<const TokenId> prompt,
                                      const GenerateOptions& options,
                                      const std::function<bool(std::string_view)>& on_text,
                                      const std::function<bool()>& cancelled = {});

}  // namespace ingle::core
