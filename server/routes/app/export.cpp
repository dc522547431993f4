// GET /app/export
#include "assistant/conversations/interchange.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

constexpr std::string_view kFormats[] = {"json", "markdown"};
constexpr Field kQuery[] = {
    {"format", one_of(kFormats), "json, which can be read back, where it is not given; or markdown, for people"},
    {"conversation", kAnything, "one of them; else all that are kept"},
};

void handle(Call& call) {
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  const bool markdown = Reader(*query).text("format") == "markdown";
  std::optional<int64_t> one;
  if (const base::Json* number = Reader(*query).find("conversation")) {
    call.parameter = number->is_string() ? number->get<std::string>() : to_text(*number);
    one = path_id(call);
    if (!one) return;
  }
  auto& store = one ? call.conversations->of(*one) : call.conversations->kept();
  std::string text;
  const base::Status written =
      export_conversations(store, markdown ? assistant::ExportFormat::markdown : assistant::ExportFormat::json, one,
                           [&](std::string_view piece) {
                             text += piece;
                             return base::Status();
                           });
  if (!written) return call.fail(api_error(written.error()));
  call.exchange->respond(markdown ? download(call, "conversations.md", "text/markdown; charset=utf-8", std::move(text))
                                  : download(call, "conversations.json", "application/json", std::move(text)));
}

}  // namespace

extern const Route export_record;
const Route export_record{.method = "GET",
                          .path = "/app/export",
                          .scope = Scope::person,
                          .summary = "conversations as a file",
                          .handle = handle};

}  // namespace ingle::server
