#include "core/engine/reply.h"

#include <algorithm>

namespace ingle::core {

bool Reply::ends_with(TokenId token) const {
  const std::vector<TokenId>& stops = tokenizer_.stop_ids();
  return !options_.ignore_stop_tokens && std::binary_search(stops.begin(), stops.end(), token);
}

std::optional<StopReason> Reply::take(TokenId token, std::string& text) {
  ++tokens_;
  const bool show = options_.show_special || std::ranges::binary_search(options_.shown, token);
  text += stream_.push(tokenizer_.token_bytes(token, show));
  if (stream_.stopped()) return StopReason::stop_string;
  if (options_.max_tokens != 0 && tokens_ >= options_.max_tokens) return StopReason::length;
  return std::nullopt;
}

StopReason Reply::finish(StopReason reason, std::string& text) {
  text += stream_.finish();
  return stream_.stopped() ? StopReason::stop_string : reason;
}

}  // namespace ingle::core
