// GET /app/conversations
#include "server/app/routes.h"

namespace ingle::server {
namespace {

constexpr int64_t kLatest = int64_t{1} << 53;
constexpr Field kQuery[] = {
    {"limit", integer(1, 1000), "100 where it is not given"},
    {"before", described(R"({"type": "string", "pattern": "^[0-9]{1,16}$"})"), "only those `updated` earlier"},
    {"folder", integer(1), "only those in it"},
};

void handle(Call& call) {
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  Reader reader(*query);
  assistant::ConversationStore::ListQuery wanted;
  wanted.limit = static_cast<size_t>(reader.integer("limit").value_or(100)) + 1;
  wanted.folder = reader.integer("folder");
  if (const base::Json* before = reader.find("before")) {
    const std::string text = before->is_string() ? before->get<std::string>() : to_text(*before);
    if (text.empty() || text.size() > 16 || text.find_first_not_of("0123456789") != std::string::npos)
      return call.fail({400, "'before' is a time in milliseconds", "before", {}, {}});
    wanted.before = std::min<int64_t>(std::stoll(text), kLatest);
  }
  base::Json list = base::Json::array();
  // Temporary ones are few, and come first.
  if (!wanted.before && !wanted.folder) {
    const auto temporary = call.conversations->temporary().list({.limit = 1000, .before = {}, .folder = {}});
    if (!temporary) return call.fail(api_error(temporary.error()));
    for (const auto& each : *temporary) list.push_back(to_json(each));
  }
  const auto kept = call.conversations->kept().list(wanted);
  if (!kept) return call.fail(api_error(kept.error()));
  const bool more = kept->size() == wanted.limit;
  for (const auto& each : std::span(*kept).first(kept->size() - (more ? 1 : 0))) list.push_back(to_json(each));
  call.respond({{"conversations", std::move(list)}, {"more", more}});
}

}  // namespace

extern const Route conversations_record;
const Route conversations_record{.method = "GET",
                                 .path = "/app/conversations",
                                 .scope = Scope::person,
                                 .summary = "list conversations, the one that was updated last first",
                                 .handle = handle};

}  // namespace ingle::server
