// The body of /v1/responses: a chat to answer, what the response repeats of its request, and where it is to be kept.
#pragma once

#include <string>
#include <vector>

#include "server/api/chat_answer.h"
#include "server/api/response_input.h"
#include "server/api/route.h"

namespace ingle::server {

struct ResponseRequest {
  ChatJob job;
  base::Json repeated;         ///< members of the response that say what was asked
  Items input;                 ///< what came with this request
  std::vector<Items> history;  ///< the conversation so far, with that
  bool store = true;
};

/// `reader.error()` tells what is wrong.
ResponseRequest read_response_request(Reader& reader, const assistant::ModelService& model, Call& call);

/// Fields of /v1/responses and /v1/responses/input_tokens alike, for tables.
#define INGLE_RESPONSE_INPUT_FIELDS                                                                                \
  {"model", "a name of GET /v1/models"}, {"input", "a text, or items: messages, calls, their results, reasoning"}, \
      {"instructions", "what the model is told first; not kept for later responses"},                              \
      {"previous_response_id", "the response that this conversation goes on from"},                                \
      {"conversation", "use previous_response_id", Use::refused}, {"tools", "functions that the model may call"},  \
      {"tool_choice", "none, auto, required, or a named function"},                                                \
      {"parallel_tool_calls", "whether it may call several at once"},                                              \
      {"text", "{format}: text, json_object, or json_schema: the answer then has that form"},                      \
      {"reasoning", "{effort}: none and minimal: the model does not think first, where its template knows how"},   \
      {"truncation", "auto: the oldest turns go where the conversation is too long; disabled: that is an error"}

}  // namespace ingle::server
