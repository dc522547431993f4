// The few things this module does with web addresses; parsing and resolution are libcurl's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ingle::store {

struct Url {
  std::string scheme;  ///< lower case
  std::string host;    ///< lower case, IPv6 in brackets
  std::string port;    ///< the scheme's default where none is written
  std::string user;    ///< percent-decoded; empty for none
  std::string password;
  std::string path;
  std::string fragment;
  std::string without_credentials;  ///< the whole address, user, password and fragment removed
};

/// Absolute http or https addresses only; nothing for anything else.
std::optional<Url> parse_url(std::string_view text);

/// `reference` (absolute or relative) seen from `base`; empty where either is malformed.
std::string resolve_url(std::string_view base, std::string_view reference);

/// Whether both have the same scheme, host and port: what credentials may be sent to.
bool same_origin(const Url& a, const Url& b);

/// Text with "user:password@" after "://" replaced by "***@", for messages.
std::string redact_url(std::string_view text);

std::string percent_encode(std::string_view text, bool keep_slashes);
std::string percent_decode(std::string_view text);

}  // namespace ingle::store
