// What Ollama's routes share: options, durations in nanoseconds, lines of JSON.
#pragma once

#include <chrono>
#include <string>

#include "server/api/chat_answer.h"

namespace ingle::server {

/// "2026-11-26T09:00:00.123456Z"
std::string iso_time();

/// The members of `options` over what the body of a request has in common with others; `options` is checked, too.
core::GenerationRequest read_ollama_options(Reader& reader, const assistant::ModelService& model, Call& call);

/// `think`: true, false or "low" to "high".
void read_think(Reader& reader, core::ChatRequest& chat);

/// `format`: "json" or a schema.
AnswerForm read_format(Reader& reader);

/// The last line of an answer: why it ended, counts, durations.
base::Json ollama_end(const assistant::ModelService& model, const Choice& choice,
                      std::chrono::steady_clock::time_point began);

/// Fields of /api/chat and /api/generate alike, for tables.
#define INGLE_OLLAMA_FIELDS                                                                        \
  {"model", "a name of GET /api/tags"}, {"stream", "lines of JSON (the default) or one answer"},   \
      {"options", "sampling, by Ollama's names"},                                                  \
      {"think", "whether the model thinks first, where its template knows how"}, {"logprobs", ""}, \
      {"top_logprobs", ""}, {"keep_alive", "models stay until the server ends", Use::hint},        \
      {"truncate", "too long a prompt is an error"}, {"shift", "a full context ends an answer"},   \
      {"format", "\"json\", or a JSON schema: the answer then has that form"}

}  // namespace ingle::server
