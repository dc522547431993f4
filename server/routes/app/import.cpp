// POST /app/import
#include "assistant/conversations/interchange.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  const std::string text = reader.text("data").value_or("");
  if (reader.error()) return call.fail(*reader.error());
  const auto count = import_conversations(call.conversations->kept(), text);
  if (!count) return call.fail(api_error(count.error(), "data"));
  call.respond({{"imported", count->imported}, {"skipped", count->skipped}, {"warnings", count->warnings}});
}

constexpr Field kFields[] = {
    {"name", kText, "the file's name"},
    {"data", kText, "its text: Ingle's own JSON, ChatGPT's conversations.json, or Open WebUI's chat export",
     Use::required},
};

}  // namespace

extern const Route import_record;
const Route import_record{.method = "POST",
                          .path = "/app/import",
                          .scope = Scope::person,
                          .summary = "conversations from a file; what was read before is skipped",
                          .fields = kFields,
                          .asks_model = false,
                          .handle = handle};

}  // namespace ingle::server
