#include "cli/kept_conversation.h"

#include <utility>

#include "assistant/conversations/model_text.h"

namespace ingle::cli {

using assistant::Delta;
using assistant::LiveReply;
using assistant::MessageState;
using assistant::Role;
using base::ErrorCode;
using base::Result;
using base::Status;

Result<std::vector<ChatMessage>> KeptConversation::resume(const assistant::Conversation& conversation) {
  std::vector<ChatMessage> messages;
  if (conversation.leaf) {
    INGLE_TRY(auto branch, store_->branch(*conversation.leaf));
    // What another process writes at this moment is no part yet of what was said; nor is what it answers.
    if (branch.back().state == MessageState::writing) {
      branch.pop_back();
      if (!branch.empty() && branch.back().role == Role::user) branch.pop_back();
    }
    for (const assistant::Message& message : branch) {
      if (message.role == Role::assistant && message.content.empty()) continue;
      INGLE_TRY(std::string text, model_text(*store_, message));
      messages.push_back({std::string(role_name(message.role)), std::move(text), message.id});
    }
  }
  begin_new();
  conversation_ = conversation.id;
  system_ = conversation.system;
  return messages;
}

void KeptConversation::begin_new() {
  conversation_ = {};
  was_deleted_ = has_told_ = false;
}

void KeptConversation::set_system(const std::string& text) {
  if (text == system_) return;
  system_ = text;
  if (!conversation_ || was_deleted_) return;
  const auto changed = store_->update(*conversation_, [&](assistant::Conversation& now) {
    now.system = text;
    return Status();
  });
  if (!changed) failed(changed.error());
}

void KeptConversation::failed(const base::Error& error) {
  was_deleted_ = error.code == ErrorCode::not_found;
  if (std::exchange(has_told_, true) && !was_deleted_) return;
  options_.tell(was_deleted_ ? "What was said before was deleted elsewhere, so what is said from here on is not kept; "
                               "/clear begins a new conversation."
                             : "What is said can't be kept for now: " + error.message);
}

Result<int64_t> KeptConversation::add(const ChatMessage& message, const std::optional<int64_t>& parent) {
  const Role role = assistant::find_role(message.role).value_or(Role::user);
  assistant::ConversationStore::NewMessage kept{.conversation = *conversation_, .parent = parent, .role = role};
  kept.content = message.content;
  if (role == Role::assistant) {
    kept.model = options_.writer;
    if (options_.dialect != nullptr) {
      assistant::Reply parts = assistant::parse_reply(*options_.dialect, {}, message.content);
      kept.content = std::move(parts.content);
      kept.reasoning = std::move(parts.reasoning);
    }
  }
  const auto added = store_->add(kept);
  if (added) return added->id;
  // What it would follow may have been deleted meanwhile.
  if (parent) INGLE_CHECK(store_->message(*parent));
  return added.error();
}

Status KeptConversation::try_keep(std::vector<ChatMessage>& messages) {
  if (!conversation_) {
    assistant::ConversationSettings settings;
    settings.model = options_.model;
    settings.system = system_;
    INGLE_TRY(const assistant::Conversation made, store_->create(settings));
    conversation_ = made.id;
    for (ChatMessage& message : messages) message.id = {};
  }
  std::optional<int64_t> parent;
  for (ChatMessage& message : messages) {
    if (!message.id) {
      INGLE_TRY(message.id, add(message, parent));
    }
    parent = message.id;
  }
  has_told_ = false;
  return {};
}

void KeptConversation::keep(std::vector<ChatMessage>& messages) {
  if (was_deleted_) return;
  if (const Status kept = try_keep(messages); !kept) failed(kept.error());
}

void KeptConversation::show(const std::optional<int64_t>& leaf) {
  if (!conversation_ || was_deleted_) return;
  const auto changed = store_->update(*conversation_, [&](assistant::Conversation& now) {
    now.leaf = leaf;
    return Status();
  });
  if (!changed) failed(changed.error());
}

void KeptConversation::begin_reply(std::vector<ChatMessage>& messages, std::string_view prompt_end) {
  reply_ = nullptr;
  keep(messages);
  if (was_deleted_ || !conversation_ || messages.empty() || !messages.back().id) return;
  auto begun = store_->begin_reply(*conversation_, messages.back().id, options_.writer);
  if (!begun) return failed(begun.error());
  reply_ = *std::move(begun);
  parser_.reset();
  if (options_.dialect == nullptr) return;
  const bool reasons = assistant::ends_in_reasoning(*options_.dialect, prompt_end);
  const assistant::ReplyOptions how{.starts_in_reasoning = reasons, .stream_arguments = false};
  parser_.emplace(*options_.dialect, assistant::Tools{}, how);
}

void KeptConversation::push(std::string_view text) {
  if (reply_ == nullptr) return;
  if (parser_) return write(parser_->push(text));
  (void)reply_->push(LiveReply::Part::content, text);
}

void KeptConversation::write(const std::vector<Delta>& deltas) {
  for (const Delta& delta : deltas) {
    if (delta.kind == Delta::Kind::reasoning) (void)reply_->push(LiveReply::Part::reasoning, delta.text);
    if (delta.kind == Delta::Kind::content) (void)reply_->push(LiveReply::Part::content, delta.text);
  }
}

std::optional<int64_t> KeptConversation::end_reply(MessageState state, base::Json report, std::string error) {
  if (reply_ == nullptr) return {};
  if (parser_) write(parser_->finish());
  const int64_t id = reply_->message();
  reply_->finish(state, std::move(report), std::move(error));
  reply_ = nullptr;
  return id;
}

}  // namespace ingle::cli
