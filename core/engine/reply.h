// An answer as its tokens arrive: what of its text is certain, and whether it ends here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/text_stream.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

enum class StopReason { stop_token, stop_string, length, context_full, cancelled };

struct ReplyOptions {
  uint32_t max_tokens = 0;  ///< 0: no limit
  std::vector<std::string> stop_strings;
  bool ignore_stop_tokens = false;
  bool show_special = false;
  std::vector<TokenId> shown;  ///< special tokens that are shown in any case, sorted
};

class Reply {
 public:
  /// Both outlive it.
  Reply(const Tokenizer& tokenizer, const ReplyOptions& options)
      : tokenizer_(tokenizer), options_(options), stream_(options.stop_strings) {}

  /// Whether the model ends its answer with this token, which then is no part of it.
  bool ends_with(TokenId token) const;
  /// Takes a token of the answer and appends the text that is certain now: whole code points only, and nothing that
  /// could still become part of a stop string. Returns why the answer ends with it, or nothing.
  std::optional<StopReason> take(TokenId token, std::string& text);
  /// No more tokens come, because of `reason`: appends what was held back. Returns why the answer ended in the end, for
  /// that may complete a stop string, with the replacement of an unfinished code point.
  StopReason finish(StopReason reason, std::string& text);

  uint32_t tokens() const { return tokens_; }
  /// The stop string that ended it; empty: none did.
  std::string stopped_by() const { return stream_.stopped_by(); }

 private:
  const Tokenizer& tokenizer_;
  const ReplyOptions& options_;
  TextStream stream_;
  uint32_t tokens_ = 0;
};

}  // namespace ingle::core
