// A chat as the conversations database keeps it: one conversation, of which the chat follows one branch. Others may
// follow it at the same time; what they add becomes branches of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/conversations/conversation_store.h"
#include "assistant/dialects/reply.h"
#include "base/json.h"

namespace ingle::cli {

struct ChatMessage {
  std::string role, content;  ///< as the model read or wrote it, with its reasoning
  std::optional<int64_t> id;  ///< where it is kept
};

/// Keeping never stops a chat: what can't be kept is told once, and tried again with the next message, unless the
/// conversation was deleted meanwhile, which is then what the person wants.
class KeptConversation {
 public:
  struct Options {
    const assistant::Dialect* dialect = nullptr;  ///< tells reasoning from the answer; null: all is answer
    std::string writer;                           ///< the model's name, for its messages
    std::string model;                            ///< the conversation's, by which others may go on; may be empty
    std::function<void(const std::string& line)> tell;
  };
  /// The store outlives it. The first message begins a conversation.
  KeptConversation(assistant::ConversationStore& store, Options options)
      : store_(&store), options_(std::move(options)) {}

  /// From now on this conversation is what is kept. Returns its branch, as far as nobody writes it now: what comes next
  /// is a branch beside that. Errors: those of reading it.
  base::Result<std::vector<ChatMessage>> resume(const assistant::Conversation& conversation);
  /// The next message begins a new one.
  void begin_new();

  const std::optional<int64_t>& conversation() const { return conversation_; }
  void set_system(const std::string& text);

  /// Keeps those that are not, each after the one before it.
  void keep(std::vector<ChatMessage>& messages);
  /// Shows the branch that ends with this one.
  void show(const std::optional<int64_t>& leaf);

  /// A reply to the last of `messages` begins, after this end of the prompt. Then push() as it grows, and end_reply().
  void begin_reply(std::vector<ChatMessage>& messages, std::string_view prompt_end);
  void push(std::string_view text);
  /// Its number, where it is kept.
  std::optional<int64_t> end_reply(assistant::MessageState state, base::Json report, std::string error = {});

 private:
  base::Status try_keep(std::vector<ChatMessage>& messages);
  base::Result<int64_t> add(const ChatMessage& message, const std::optional<int64_t>& parent);
  void failed(const base::Error& error);
  void write(const std::vector<assistant::Delta>& deltas);

  assistant::ConversationStore* store_;
  Options options_;
  std::string system_;
  std::optional<int64_t> conversation_;
  std::shared_ptr<assistant::LiveReply> reply_;
  std::optional<assistant::ReplyParser> parser_;
  bool was_deleted_ = false, has_told_ = false;
};

}  // namespace ingle::cli
