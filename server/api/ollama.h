// What Ollama's routes share: options, durations in nanoseconds, lines of JSON.
#pragma once

#include <chrono>
#include <string>

#include "server/api/chat_answer.h"
#include "server/api/generation.h"

namespace ingle::server {

/// What answers to chats and prompts have alike: lines of JSON, the last with counts and durations.
class OllamaAnswer : public ChatAnswer {
 public:
  OllamaAnswer(const assistant::ModelService& model, ChatSetup setup, bool logprobs)
      : ChatAnswer(model, std::move(setup)), logprobs_(logprobs) {}

  std::string ping() const override { return {}; }
  std::string end(const std::vector<Choice>&) override { return {}; }
  std::string failed(const ApiError& error) override { return to_text(error_json(Family::ollama, error)) + "\n"; }

 protected:
  /// {model, created_at}
  base::Json head() const;
  /// A line of a stream that goes on.
  static std::string line(base::Json json);
  /// Adds what the last line of a stream has, and a whole answer: why it ended, counts, durations.
  void add_end(base::Json& json, const Choice& choice) const;
  /// The tokens' log-probabilities, where they are wanted.
  void add_logprobs(base::Json& json, std::span<const core::GeneratedToken> tokens) const;
  /// What follows an event's texts: a line of log-probabilities, where they are wanted, and the stream's last line,
  /// where it ends. `empty` is a line without text.
  std::string last_lines(base::Json empty, const Choice& choice, const core::GenerationEvent& event) const;

 private:
  const bool logprobs_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// "2026-11-26T09:00:00.123456Z"
std::string iso_time(std::chrono::seconds from_now = {});

/// The members of `options` over what the body of a request has in common with others.
assistant::GenerationRequest read_ollama_options(Reader& reader, const assistant::ModelService& model,
                                                 const Call& call);

/// `keep_alive`, which takes effect: a number of seconds, "5m", "1h30m"; below 0: for ever.
void read_keep_alive(Reader& reader, const Call& call);

/// `model`, or `name` as older clients say it.
std::string read_model_name(Reader& reader);

/// `think`: true, false or "low" to "high".
void read_think(Reader& reader, core::ChatRequest& chat);

/// `format`: "json" or a schema.
AnswerForm read_format(Reader& reader);

inline constexpr Field kOllamaOptions[] = {
    INGLE_SAMPLING_FIELDS,
    INGLE_PENALTY_FIELDS,
    {"num_predict", integer(-2), "the longest answer; below 1: no limit"},
    {"num_ctx", "the context is chosen when the model is loaded", Use::hint},
    {"num_batch", "", Use::hint},
    {"num_gpu", "", Use::hint},
    {"main_gpu", "", Use::hint},
    {"num_thread", "", Use::hint},
    {"num_keep", "", Use::hint},
    {"use_mmap", "", Use::hint},
    {"use_mlock", "", Use::hint},
    {"low_vram", "", Use::hint},
    {"numa", "", Use::hint},
    {"vocab_only", "", Use::hint},
    {"f16_kv", "", Use::hint},
    {"penalize_newline", "", Use::hint},
    {"tfs_z", "tail-free sampling is not here", Use::refused},
};
inline constexpr Type kThink = described(R"({"enum": [true, false, "low", "medium", "high"]})");
inline constexpr Type kKeepAlive = described(R"({"type": ["number", "string"]})");
inline constexpr Type kOllamaFormat = described(R"({"anyOf": [{"enum": ["", "json"]}, {"type": "object"}]})");

/// Fields of /api/chat and /api/generate alike, for tables.
#define INGLE_OLLAMA_FIELDS                                                                                       \
  {"model", kText, "a name of GET /api/tags"}, {"stream", kBoolean, "lines of JSON (the default) or one answer"}, \
      {"options", object_of(kOllamaOptions), "sampling, by Ollama's names"},                                      \
      {"think", kThink, "whether the model thinks first, where its template knows how"},                          \
      {"logprobs", kBoolean, "log-probabilities of the answer's tokens"},                                         \
      {"top_logprobs", integer(0, kMostLikeliest), "… and of so many of the likeliest"},                          \
      {"keep_alive", kKeepAlive, "how long the model stays in memory: seconds, or \"5m\"; below 0: for ever"},    \
      {"truncate", kBoolean, "true: the oldest turns of a chat go where it is too long"},                         \
      {"shift", kBoolean, "only false: a full context ends an answer"},                                           \
      {"ingle", object_of(kOwnFields), "Ingle's own"},                                                            \
      {"format", kOllamaFormat, "\"json\", or a JSON schema: the answer then has that form"}

}  // namespace ingle::server
