#include "server/api/errors.h"

#include <cmath>

namespace ingle::server {
namespace {

using base::ErrorCode;

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::corrupt:
    case ErrorCode::limit_exceeded:
    case ErrorCode::unsupported:
      return 400;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::permission_denied:
      return 403;
    case ErrorCode::busy:
      return 429;
    case ErrorCode::out_of_memory:
    case ErrorCode::cancelled:
    case ErrorCode::unavailable:
      return 503;
    default:
      return 500;
  }
}

/// OpenAI's "type".
std::string_view openai_type(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

std::string_view anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

}  // namespace

ApiError api_error(const base::Error& error, std::string param) {
  ApiError result{status_of(error.code), error.message, std::move(param), {}, {}};
  if (result.status == 429 || result.status == 503) result.retry_after_s = 1;
  return result;
}

std::string_view stream_type(Family family) {
  return family == Family::ollama ? "application/x-ndjson" : "text/event-stream";
}

base::Json error_json(Family family, const ApiError& error) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? base::Json() : base::Json(text); };
  switch (family) {
    case Family::ollama:
      return {{"error", error.message}};
    case Family::anthropic:
      return {{"type", "error"}, {"error", {{"type", anthropic_type(error.status)}, {"message", error.message}}}};
    case Family::openai:
      break;
  }
  return {{"error",
           {{"message", error.message},
            {"type", openai_type(error.status)},
            {"param", text_or_null(error.param)},
            {"code", text_or_null(error.code)}}}};
}

base::Json error_schema(Family family) {
  const base::Json text = {{"type", "string"}}, text_or_null = {{"type", {"string", "null"}}};
  const auto object = [](const base::Json& properties) {
    base::Json names = base::Json::array();
    for (const auto& [name, schema] : properties.items()) names.push_back(name);
    return base::Json{{"type", "object"}, {"properties", properties}, {"required", std::move(names)}};
  };
  switch (family) {
    case Family::ollama:
      return object({{"error", text}});
    case Family::anthropic:
      return object({{"type", {{"const", "error"}}}, {"error", object({{"type", text}, {"message", text}})}});
    case Family::openai:
      break;
  }
  return object(
      {{"error", object({{"message", text}, {"type", text}, {"param", text_or_null}, {"code", text_or_null}})}});
}

HttpResponse error_response(Family family, const ApiError& error) {
  HttpResponse response;
  response.status = error.status;
  if (error.retry_after_s)
    response.headers.emplace_back("Retry-After", std::to_string(static_cast<int>(std::ceil(*error.retry_after_s))));
  response.body = to_text(error_json(family, error)) + "\n";
  return response;
}

std::string to_text(const base::Json& json) {
  return json.dump(-1, ' ', false, base::Json::error_handler_t::replace);
}

}  // namespace ingle::server
