// What OpenAI's routes share.
#pragma once

#include <string>
#include <string_view>

#include "server/api/answer.h"

namespace ingle::server {

/// "chatcmpl-" and random letters.
std::string new_id(std::string_view prefix);
/// "stop", "length"; a full context counts as the latter.
std::string_view finish_reason(core::StopReason reason);

/// {model, created, id, object} of every answer and piece of one.
struct OpenAiHead {
  std::string id, model;
  int64_t created = 0;
  base::Json json(std::string_view object) const;
};

inline constexpr Field kStreamFields[] = {
    {"include_usage", kBoolean, "a last piece has the usage"},
    {"include_obfuscation", "pieces are not padded here", Use::hint},
};
/// {token id: bias}
inline constexpr Type kLogitBias = described(R"({"type": "object", "propertyNames": {"pattern": "^[0-9]{1,9}$"},
  "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}})");

/// `stream` and `stream_options`.
struct StreamOptions {
  bool stream = false, include_usage = false;
};
StreamOptions read_stream(Reader& reader);

/// The log-probabilities of chat completions: [{token, logprob, bytes, top_logprobs}].
base::Json chat_logprobs(std::span<const core::GeneratedToken> tokens);

/// So many copies of a request, each with a seed of its own.
std::vector<assistant::GenerationRequest> copies(const assistant::GenerationRequest& request, int64_t count);

}  // namespace ingle::server
