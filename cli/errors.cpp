// Errors as a person and as a program see them.
#include "cli/errors.h"

#include "base/json.h"
#include "base/utf8.h"

namespace ingle::cli {

int exit_code(base::ErrorCode code) {
  using base::ErrorCode;
  switch (code) {
    case ErrorCode::invalid_argument:
      return exit_usage;
    case ErrorCode::not_found:
      return exit_not_found;
    case ErrorCode::corrupt:
      return exit_corrupt;
    case ErrorCode::unsupported:
      return exit_unsupported;
    case ErrorCode::limit_exceeded:
      return exit_limit;
    case ErrorCode::out_of_memory:
    case ErrorCode::no_space:
      return exit_no_room;
    case ErrorCode::network:
    case ErrorCode::offline:
      return exit_network;
    case ErrorCode::permission_denied:
    case ErrorCode::busy:
    case ErrorCode::unavailable:
      return exit_denied;
    case ErrorCode::cancelled:
      return exit_interrupted;
    case ErrorCode::io_error:
    case ErrorCode::internal:
      break;
  }
  return exit_failure;
}

std::string error_line(const base::Error& error, bool json) {
  std::string message = error.message;
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (!json) return "ingle: " + base::escape_controls(message) + "\n";
  base::Json object;
  object["error"]["code"] = std::string(base::error_code_name(error.code));
  object["error"]["message"] = message;
  object["error"]["exit"] = exit_code(error.code);
  return object.dump(-1, ' ', false, base::Json::error_handler_t::replace) + "\n";
}

}  // namespace ingle::cli
