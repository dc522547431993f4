// POST /app/attachments: texts as they are; of a PDF, the file for the person and its text for the model.
#include "base/base64.h"
#include "base/utf8.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

/// Whether bytes are a text that a person could have written: UTF-8, and no control characters but for spaces.
bool is_text(std::string_view bytes) {
  if (!base::is_valid_utf8(bytes)) return false;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && byte != 0x1b) return false;
  }
  return true;
}

void keep(Call& call, const std::string& name, const std::string& content, std::string_view text, bool temporary) {
  auto& store = temporary ? call.conversations->temporary() : call.conversations->kept();
  respond_with(call, store.add_attachment(name, content, text));
}

void keep_pdf(Call& call, const std::string& name, const std::string& content, bool temporary) {
  const auto text = call.pdf->text_of(content);
  if (text) return keep(call, name, content, *text, temporary);
  ApiError error = api_error(text.error(), "data");
  error.message = "'" + name.substr(0, 100) + "' can't be attached: " + error.message;
  call.fail(error);
}

void handle(Call& call) {
  Reader reader(call.body);
  std::string name = reader.text("name").value_or("");
  if (name.empty()) reader.fail("name", "a file has a name");
  auto content = base::from_base64(reader.text("data").value_or(""));
  if (!content) reader.fail("data", "'data' is not base64");
  const bool temporary = reader.boolean("temporary").value_or(false);
  if (reader.error()) return call.fail(*reader.error());
  if (assistant::is_pdf(*content)) {
    // That may take seconds, which others should not wait for.
    call.body = nullptr;
    return call.in_background([=, name = std::move(name), content = *std::move(content)]() mutable {
      keep_pdf(call, name, content, temporary);
    });
  }
  std::string_view text = *content;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (!is_text(text))
    return call.fail({400,
                      "'" + name.substr(0, 100) + "' is no text in UTF-8; texts, sources and PDFs can be attached",
                      "data",
                      "unsupported_file",
                      {}});
  keep(call, name, *content, text, temporary);
}

constexpr Field kFields[] = {
    {"name", kText, "the file's name", Use::required},
    {"data", kText, "its bytes, in base64", Use::required},
    {"temporary", kBoolean, "for a temporary conversation"},
};

}  // namespace

extern const Route attachment_new_record;
const Route attachment_new_record{.method = "POST",
                                  .path = "/app/attachments",
                                  .scope = Scope::person,
                                  .summary = "a file that a message will bring along",
                                  .fields = kFields,
                                  .asks_model = false,
                                  .handle = handle};

}  // namespace ingle::server
