// What went wrong with a request, and the shape in which each API says so.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "server/http/exchange.h"

namespace ingle::server {

/// Whose shapes a route speaks.
enum class Family { openai, ollama, anthropic };

struct ApiError {
  int status = 400;
  std::string message;
  std::string param{};  ///< the field that is wrong: "messages[2].content"
  std::string code{};   ///< for programs: "context_length_exceeded"
  std::optional<double> retry_after_s{};
};

/// With the status that suits the kind of error.
ApiError api_error(const base::Error& error, std::string param = {});

/// What the server's errors are: no other status is answered.
struct ErrorStatus {
  int status;
  std::string_view meaning;
};
inline constexpr ErrorStatus kErrorStatuses[] = {
    {400, "the request is wrong; the message names the field, and says what it must be"},
    {401, "a key is needed, or is not valid any more"},
    {403, "the sender may not ask: its origin, or the name by which it calls the server"},
    {404, "there is nothing at this path, or no model of this name"},
    {405, "the path takes other methods"},
    {408, "the request did not come to its end in time"},
    {409, "it can't be done as things are now: a model is in use, or nothing may be fetched"},
    {413, "the body is too long"},
    {415, "from a page, the body's type has to be application/json"},
    {429, "too many requests wait; ask again after Retry-After"},
    {431, "the head is too long"},
    {500, "a mistake of the server's"},
    {503, "there is no memory for it now, or the model is not there yet; ask again after Retry-After"},
};

/// The type of an answer that is streamed.
std::string_view stream_type(Family family);

/// As the family's clients read it.
base::Json error_json(Family family, const ApiError& error);
HttpResponse error_response(Family family, const ApiError& error);
/// The JSON Schema of error_json().
base::Json error_schema(Family family);

/// Text for a response; what is not UTF-8 in it becomes U+FFFD.
std::string to_text(const base::Json& json);

}  // namespace ingle::server
