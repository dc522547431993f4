// Files of conversations, as anybody may have written them: whatever they hold, reading ends, and what was taken can be
// written and is then taken again as it is.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "assistant/conversations/interchange.h"

namespace {

using ingle::assistant::ConversationStore;

std::unique_ptr<ConversationStore> new_store() {
  auto store = ConversationStore::open({.file = {}, .first_id = 1, .now_ms = {}});
  if (!store) std::abort();
  return std::move(*store);
}

std::string exported(ConversationStore& store) {
  std::string text;
  const auto done = export_conversations(store, ingle::assistant::ExportFormat::json, {}, [&](std::string_view piece) {
    text += piece;
    return ingle::base::Status();
  });
  if (!done) std::abort();
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = new_store();
  (void)import_conversations(*first, text);
  const auto list = first->list({});
  if (!list) std::abort();
  const auto second = new_store();
  const auto again = import_conversations(*second, exported(*first));
  if (!again || again->imported + again->skipped != static_cast<int64_t>(list->size())) std::abort();
  return 0;
}
