#include "assistant/conversations/interchange.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

const Json* member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

int64_t time_of(const Json& object, std::string_view name, double scale) {
  const Json* value = member(object, name);
  if (value == nullptr || !value->is_number()) return 0;
  const double time = value->get<double>() * scale;
  constexpr double kLatest = 1e14;  // the year 5138
  return std::isfinite(time) && time > 0 && time < kLatest ? static_cast<int64_t>(time) : 0;
}

Status read_conversations(std::string_view text, const TakeConversation& take, const TellWarning& warn) {
  INGLE_TRY(const Json file,
            base::parse_json(text, {.max_bytes = kLargestImport, .max_depth = 64, .max_members = 200'000}));
  if (is_own_export(file)) return read_own_export(file, take, warn);
  if (is_chatgpt_export(file)) return read_chatgpt_export(file, take, warn);
  if (is_open_webui_export(file)) return read_open_webui_export(file, take, warn);
  return Error{ErrorCode::unsupported,
               "this is no export that can be read; there are Ingle's own JSON, ChatGPT's conversations.json, and Open "
               "WebUI's chat export"};
}

Result<ImportCount> import_conversations(ConversationStore& store, std::string_view text) {
  ImportCount count;
  std::set<std::string> warned;
  const Status read = read_conversations(
      text,
      [&](const ImportedConversation& conversation) -> Status {
        INGLE_TRY(const bool is_new, store.import(conversation));
        ++(is_new ? count.imported : count.skipped);
        return {};
      },
      [&](const std::string& warning) {
        if (warned.insert(warning).second) count.warnings.push_back(warning);
      });
  if (!read) return read.error();
  return count;
}

}  // namespace ingle::assistant
