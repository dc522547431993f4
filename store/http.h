// One HTTP client on libcurl with this module's rules: TLS always verified, https only (http for this machine), few
// redirects and never from https to http, credentials only to the origin they are meant for, a stalled transfer fails.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ingle::store {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

struct HttpOptions {
  std::string http_proxy, https_proxy, all_proxy, no_proxy;
  std::string ca_bundle;
  double stall_seconds = 30;
  double connect_seconds = 15;
  std::string unix_socket;  ///< connect there, whatever host the address names
  /// Plain http is allowed to these besides this machine: "host" or "host:port" (pip's trusted-host).
  std::vector<std::string> plain_http_hosts;
  /// Connections only to addresses of the public internet (is_public_address), unless the URL's host is one of these.
  bool public_addresses_only = false;
  std::vector<std::string> trusted_hosts;
};

struct HttpRequest {
  std::string url;                   ///< user:password@ in it go to its origin only
  std::vector<std::string> headers;  ///< "Accept: ..."
  std::string bearer_token;          ///< sent to the origin of `url` only
  std::optional<uint64_t> range_from;
  std::optional<uint64_t> range_to;  ///< inclusive
  std::string if_range;              ///< an entity tag: the range only counts while the file has this tag
  bool head_only = false;            ///< HEAD, and redirects are not followed
};

struct HttpHead {
  int status = 0;
  std::string url;                             ///< after redirects, without credentials
  std::map<std::string, std::string> headers;  ///< lower-case names
  std::string header(const std::string& name) const;
  std::optional<uint64_t> content_length() const;
};

struct HttpHandlers {
  std::function<Status(const HttpHead&)> head;             ///< once, before the body of a 2xx answer
  std::function<Status(std::span<const std::byte>)> body;  ///< pieces of the body of a 2xx answer
  std::function<bool()> cancelled;                         ///< polled about once a second or more often
};

struct HttpOutcome {
  Status status;           ///< of the transfer, or what a handler returned; an answer such as 404 is still a success
  bool transient = false;  ///< worth another attempt
  HttpHead head;
};

class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  HttpOutcome perform(const HttpRequest& request, const HttpHandlers& handlers);

  struct Text {
    HttpHead head;
    std::string body;
  };
  /// GET of a small document. Errors: network (also for a status other than 2xx), limit_exceeded, cancelled.
  Result<Text> get_text(const HttpRequest& request, size_t max_bytes, const std::function<bool()>& cancelled,
                        bool* transient = nullptr);

 private:
  struct State;
  HttpOutcome perform_once(const HttpRequest& request, const std::string& url, const HttpHandlers& handlers,
                           std::string& redirect);
  std::unique_ptr<State> state_;
};

/// Whether an address belongs to a machine that anybody can reach: not this one, a private or shared network, or a
/// group. https://www.iana.org/assignments/iana-ipv4-special-registry, …ipv6-special-registry
bool is_public_address(const sockaddr& address);

/// "404 Not Found (https://host/path)" with a hint what to do where there is one.
Error status_error(const HttpHead& head, bool has_token);
bool is_transient_status(int status);

}  // namespace ingle::store
