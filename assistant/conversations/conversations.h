// A person's conversations: those that are kept, and temporary ones, which live in memory until the program ends.
#pragma once

#include <filesystem>
#include <memory>

#include "assistant/conversations/conversation_store.h"

namespace ingle::assistant {

class Conversations {
 public:
  /// No `file`: nothing is kept. Errors: as ConversationStore::open.
  static base::Result<std::unique_ptr<Conversations>> open(const std::filesystem::path& file);

  ConversationStore& kept() { return *kept_; }
  ConversationStore& temporary() { return *temporary_; }
  /// Where a conversation, message or attachment of that number is.
  ConversationStore& of(int64_t id) { return is_temporary(id) ? *temporary_ : *kept_; }
  static bool is_temporary(int64_t id) { return id >= kFirstTemporary; }

 private:
  /// JavaScript's numbers are exact up to 2^53.
  static constexpr int64_t kFirstTemporary = int64_t{1} << 52;
  std::unique_ptr<ConversationStore> kept_, temporary_;
};

}  // namespace ingle::assistant
