#include "server/api/openai.h"

#include <random>

#include "core/engine/text_stream.h"

namespace ingle::server {
namespace {

base::Json token_json(const core::TokenLogprob& token) {
  base::Json list = base::Json::array();
  for (const char byte : token.bytes) list.push_back(static_cast<unsigned char>(byte));
  return {{"token", core::replace_invalid_utf8(token.bytes)}, {"logprob", token.logprob}, {"bytes", std::move(list)}};
}

}  // namespace

std::string new_id(std::string_view prefix) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device device;
  std::string id(prefix);
  for (int i = 0; i < 24; ++i) id += kLetters[device() % kLetters.size()];
  return id;
}

std::string_view finish_reason(core::StopReason reason) {
  switch (reason) {
    case core::StopReason::stop_token:
    case core::StopReason::stop_string:
      return "stop";
    default:
      return "length";
  }
}

base::Json OpenAiHead::json(std::string_view object) const {
  return {{"id", id}, {"object", object}, {"created", created}, {"model", model}};
}

StreamOptions read_stream(Reader& reader) {
  StreamOptions options;
  options.stream = reader.boolean("stream").value_or(false);
  if (const base::Json* object = reader.object("stream_options")) {
    Reader inner(*object, "stream_options");
    options.include_usage = inner.boolean("include_usage").value_or(false);
    reader.adopt(inner.error());
    if (!options.stream) reader.fail("stream_options", "'stream_options' is only for \"stream\": true");
  }
  return options;
}

base::Json chat_logprobs(std::span<const core::GeneratedToken> tokens) {
  base::Json content = base::Json::array();
  for (const core::GeneratedToken& token : tokens) {
    base::Json entry = token_json(token);
    entry["top_logprobs"] = base::Json::array();
    for (const core::TokenLogprob& other : token.likeliest) entry["top_logprobs"].push_back(token_json(other));
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

std::vector<assistant::GenerationRequest> copies(const assistant::GenerationRequest& request, int64_t count) {
  std::vector<assistant::GenerationRequest> requests(static_cast<size_t>(count), request);
  for (size_t i = 0; i < requests.size(); ++i) requests[i].sampling.seed += i;
  return requests;
}

}  // namespace ingle::server
