#include "assistant/conversations/conversations.h"

namespace ingle::assistant {

base::Result<std::unique_ptr<Conversations>> Conversations::open(const std::filesystem::path& file) {
  auto out = std::make_unique<Conversations>();
  INGLE_TRY(out->kept_, ConversationStore::open({.file = file, .first_id = 1, .now_ms = {}}));
  INGLE_TRY(out->temporary_, ConversationStore::open({.file = {}, .first_id = kFirstTemporary, .now_ms = {}}));
  return out;
}

}  // namespace ingle::assistant
