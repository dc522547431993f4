#include "server/app/routes.h"

#include <cctype>
#include <charconv>

#include "server/api/response_routes.h"

namespace ingle::server {

std::optional<int64_t> path_id(Call& call) {
  const std::string& text = call.parameter;
  int64_t id = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size() && id > 0) return id;
  call.fail({404, "there is nothing of number '" + text.substr(0, 32) + "'", "id", "not_found", {}});
  return std::nullopt;
}

void respond_with(Call& call, const base::Status& status) {
  if (!status) return call.fail(api_error(status.error()));
  call.respond(base::Json::object());
}

std::optional<base::Json> checked_query(Call& call, std::span<const Field> fields) {
  base::Json query = query_json(call.exchange->request().query);
  Reader reader(query, {}, &call.unused);
  reader.check(fields);
  if (!reader.error()) return query;
  call.fail(*reader.error());
  return std::nullopt;
}

HttpResponse download(const Call& call, std::string_view name, std::string type, std::string bytes) {
  // RFC 6266 and 8187: the name in UTF-8, percent-encoded but for what needs no care.
  std::string encoded;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '.' || c == '-' || c == '_')) {
      encoded += c;
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  HttpResponse response = call.response(std::move(type));
  response.headers.emplace_back("Content-Disposition", "attachment; filename*=UTF-8''" + encoded);
  response.headers.emplace_back("Content-Security-Policy", "sandbox");
  response.body = std::move(bytes);
  return response;
}

bool is_null(const base::Json& body, std::string_view name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_null();
}

}  // namespace ingle::server
