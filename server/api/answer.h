// From events of generation to an answer, whole or streamed, in the shapes of an API (AnswerFormat).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "assistant/inference/model_service.h"
#include "server/api/route.h"

namespace ingle::server {

/// One of the answers to a request, as far as it is there.
struct Choice {
  size_t index = 0;
  std::string text;
  std::vector<core::GeneratedToken> tokens;
  std::optional<core::StopReason> finished;
  std::string stopped_by;  ///< the stop string, where one ended it
  core::GenerationStats stats;
  /// Of each event: how many bytes the text had after it, and how many tokens it brought.
  struct Step {
    size_t end = 0;
    uint32_t tokens = 0;
  };
  std::vector<Step> steps;
};

/// How an API writes answers. Of one request; called by one thread at a time.
class AnswerFormat {
 public:
  virtual ~AnswerFormat() = default;
  virtual std::string ping() const { return ": ping\n\n"; }
  /// Pieces of a stream: what comes first, when a choice has something new (its `finished` with the last), when all
  /// have ended, and when something failed.
  virtual std::string begin() { return {}; }
  virtual std::string piece(const Choice& choice, const core::GenerationEvent& event) = 0;
  virtual std::string end(const std::vector<Choice>& choices) = 0;
  virtual std::string failed(const ApiError& error) = 0;
  /// The answer in one.
  virtual base::Json whole(const std::vector<Choice>& choices) = 0;
};

/// Submits the requests, of which each becomes a choice, and answers the call. It lives until all have ended.
void answer(Call& call, assistant::ModelService& model, std::vector<assistant::GenerationRequest> requests,
            std::unique_ptr<AnswerFormat> format, bool stream);

/// "data: {…}\n\n"
std::string sse(const base::Json& json);
/// Where the time went and what was used: in every answer.
base::Json timings_json(const assistant::ModelService& model, const core::GenerationStats& stats);
/// OpenAI's usage, of all choices together.
base::Json usage_json(const std::vector<Choice>& choices);

}  // namespace ingle::server
