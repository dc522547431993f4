// A conversation with a model: messages, and the sequence that holds as much of them as is still valid. Each turn
// computes only the tokens that the last ones did not have (the KV cache stays). What is said may be kept, message by
// message and replies as they grow (kept_conversation.h).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/kept_conversation.h"
#include "core/engine/engine.h"
#include "core/engine/generate.h"

namespace ingle::cli {

class Conversation {
 public:
  /// Errors: as Engine::new_sequence.
  static base::Result<Conversation> start(core::Engine& engine);

  /// Appends the person's message and the answer, which is streamed to `on_text`. On an error the message is taken
  /// back, so that the person can change it; a cancelled answer stays as far as it came (before its first token it is
  /// the error `cancelled`).
  base::Result<core::GenerateResult> ask(std::string_view text, const core::GenerateOptions& options,
                                         const std::function<bool(std::string_view)>& on_text,
                                         const std::function<bool()>& cancelled);
  /// Another answer to the last message, or one where it has none yet. Errors: invalid_argument where there is no
  /// message.
  base::Result<core::GenerateResult> regenerate(const core::GenerateOptions& options,
                                                const std::function<bool(std::string_view)>& on_text,
                                                const std::function<bool()>& cancelled);
  /// Takes back the last message and its answer; false where there is none.
  bool undo();
  void clear();  ///< the system prompt stays

  /// From now on what is said is kept there.
  void keep_in(std::unique_ptr<KeptConversation> kept);
  /// Goes on with one that was kept. Errors: as KeptConversation::resume.
  base::Status resume(const assistant::Conversation& conversation);
  const KeptConversation* kept() const { return kept_.get(); }

  void set_system(std::string text);
  const std::string& system() const { return system_; }
  void set_thinking(std::optional<bool> thinking) { thinking_ = thinking; }

  /// The system prompt and all messages, as chat templates and APIs know them.
  base::Json messages() const;
  /// Errors: invalid_argument where it is not a list of {role, content}.
  base::Status set_messages(const base::Json& messages);

  /// Keeps what is computed of the conversation in a file, for load_state() in a later process. Errors: as
  /// Engine::save_sequence.
  base::Status save_state(const std::filesystem::path& path) const;
  /// What is computed of these messages need not be again. Errors: as Engine::restore_sequence; then all of it will be.
  base::Status load_state(const std::filesystem::path& path);

  uint32_t tokens_held() const { return sequence_->length(); }
  uint32_t capacity() const { return sequence_->capacity(); }
  /// Of the last turn: tokens that did not have to be computed again.
  uint32_t reused_tokens() const { return reused_; }

 private:
  Conversation(core::Engine& engine, std::unique_ptr<core::Sequence> sequence)
      : engine_(&engine), sequence_(std::move(sequence)) {}

  std::optional<int64_t> last_kept() const;
  /// What is kept of the last answer ends as it did.
  std::optional<int64_t> end_kept_reply(const base::Result<core::GenerateResult>& result);
  /// The whole conversation as tokens, ready for the answer.
  base::Result<std::vector<core::TokenId>> prompt() const;
  base::Result<core::GenerateResult> answer(const core::GenerateOptions& options,
                                            const std::function<bool(std::string_view)>& on_text,
                                            const std::function<bool()>& cancelled);

  core::Engine* engine_;
  std::unique_ptr<core::Sequence> sequence_;
  std::vector<core::TokenId> held_;  ///< what the sequence has computed
  std::string system_;
  std::optional<bool> thinking_;
  std::vector<ChatMessage> messages_;
  std::unique_ptr<KeptConversation> kept_;  ///< null: nothing is kept
  uint32_t reused_ = 0;
};

}  // namespace ingle::cli
