// What comes out of /v1/responses: items, and the events that tell of them while they are written.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "assistant/dialects/reply.h"
#include "base/json.h"

namespace ingle::server {

class ResponseOutput {
 public:
  /// `logprobs` gives the log-probabilities of a message's text once it is whole; an empty array where nobody wants
  /// them.
  explicit ResponseOutput(std::function<base::Json(const std::string& text)> logprobs)
      : logprobs_(std::move(logprobs)) {}

  /// The events of the next part of a reply.
  std::string push(const assistant::Delta& delta);
  /// The events of its end; `whole`: it was not cut. A reply of nothing is an empty message.
  std::string finish(bool whole);
  /// Those that are whole, or were cut.
  const base::Json& items() const { return items_; }
  /// All reasoning.
  const std::string& reasoning() const { return reasoning_; }

  /// An event of that type with the next sequence number.
  std::string event(std::string_view type, base::Json members);

 private:
  enum class Open { nothing, reasoning, message, call };

  std::string open(Open kind, base::Json item);
  std::string open_text(Open kind);
  std::string delta(std::string_view type, const std::string& text);
  std::string close(std::string_view status);
  /// Members that say where: item_id, output_index, and content_index where it has contents.
  base::Json place() const;
  base::Json part() const;

  const std::function<base::Json(const std::string& text)> logprobs_;
  base::Json items_ = base::Json::array(), item_;
  Open open_ = Open::nothing;
  std::string text_, reasoning_;  ///< text_: of the open item
  int sequence_ = 0;
};

}  // namespace ingle::server
