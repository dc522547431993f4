#include "assistant/conversations/rows.h"

#include "base/utf8.h"

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

Error not_found(std::string_view what, int64_t id) {
  return {ErrorCode::not_found, "there is no " + std::string(what) + " " + std::to_string(id)};
}

Status check_text(std::string_view what, std::string_view text, size_t most_bytes) {
  if (text.size() > most_bytes)
    return Error{ErrorCode::limit_exceeded, std::string(what) + " has " + std::to_string(text.size()) +
                                                " bytes; the most is " + std::to_string(most_bytes)};
  if (!base::is_valid_utf8(text)) return Error{ErrorCode::invalid_argument, std::string(what) + " is not UTF-8"};
  return {};
}

Result<Json> json_of(const Row& row, int column) {
  if (row.is_null(column)) return Json();
  INGLE_TRY(Json json, base::parse_json(row.view(column), {.max_bytes = size_t{4} << 20, .max_depth = 32}));
  return json;
}

std::string column_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Conversation> conversation_of(const Row& row) {
  Conversation out;
  out.id = row.integer(0);
  out.title = row.text(1);
  out.folder = row.maybe_integer(2);
  out.pinned = row.integer(3) != 0;
  out.model = row.text(4);
  out.system = row.text(5);
  INGLE_TRY(out.parameters, json_of(row, 6));
  out.leaf = row.maybe_integer(7);
  out.created = row.integer(8);
  out.updated = row.integer(9);
  out.changed = row.integer(10);
  out.size = row.integer(11);
  out.writing = row.integer(12) != 0;
  return out;
}

Result<Conversation> read_conversation(Database& database, int64_t id) {
  std::optional<Conversation> found;
  INGLE_CHECK(database.each(std::string(kSelectConversation) + " WHERE c.id = ?1", {id}, [&](const Row& row) -> Status {
    INGLE_TRY(found, conversation_of(row));
    return {};
  }));
  if (!found) return not_found("conversation", id);
  return *std::move(found);
}

Result<Message> message_of(const Row& row) {
  Message out;
  out.id = row.integer(0);
  out.conversation = row.integer(1);
  out.parent = row.maybe_integer(2);
  const auto role = find_role(row.view(3));
  const auto state = find_state(row.view(6));
  if (!role || !state) return Error{ErrorCode::corrupt, "message " + std::to_string(out.id) + " is damaged"};
  out.role = *role;
  out.content = row.text(4);
  out.reasoning = row.text(5);
  out.state = *state;
  out.error = row.text(7);
  out.model = row.text(8);
  INGLE_TRY(out.report, json_of(row, 9));
  out.created = row.integer(10);
  out.updated = row.integer(11);
  return out;
}

}  // namespace ingle::assistant
