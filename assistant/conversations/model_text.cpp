#include "assistant/conversations/model_text.h"

namespace ingle::assistant {

base::Result<std::string> model_text(ConversationStore& store, const Message& message) {
  std::string text;
  for (const Attachment& attachment : message.attachments) {
    INGLE_TRY(const auto file, store.attachment(attachment.id));
    text += "File " + file.name + ":\n" + file.text + "\n\n";
  }
  return text + message.content;
}

}  // namespace ingle::assistant
