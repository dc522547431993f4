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

/// As the family's clients read it.
base::Json error_json(Family family, const ApiError& error);
HttpResponse error_response(Family family, const ApiError& error);

/// Text for a response; what is not UTF-8 in it becomes U+FFFD.
std::string to_text(const base::Json& json);

}  // namespace ingle::server
