#include "store/http.h"

#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>

#include "store/address.h"
#include "store/url.h"

namespace ingle::store {
namespace {

constexpr int max_redirects = 6;
constexpr size_t max_header_bytes = 256 * 1024;

// What the callbacks of one request share.
struct Transfer {
  const HttpHandlers* handlers = nullptr;
  HttpHead head;
  size_t header_bytes = 0;
  Status failure;
  bool cancelled = false;

  bool is_success() const { return head.status >= 200 && head.status < 300; }
};

size_t on_header(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view line(data, size * count);
  const size_t consumed = line.size();
  transfer.header_bytes += consumed;
  if (transfer.header_bytes > max_header_bytes) {
    transfer.failure = Error{ErrorCode::limit_exceeded, "the answer's headers are too long"};
    return 0;
  }
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    transfer.head.headers.clear();
    transfer.head.status = 0;
    const size_t space = line.find(' ');
    if (space != std::string_view::npos)
      std::from_chars(line.data() + space + 1, line.data() + line.size(), transfer.head.status);
  } else if (line.empty()) {
    if (transfer.is_success() && transfer.handlers->head) transfer.failure = transfer.handlers->head(transfer.head);
    if (!transfer.failure.ok()) return 0;
  } else if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    transfer.head.headers[to_lower(line.substr(0, colon))] = value;
  }
  return consumed;
}

size_t on_body(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const size_t bytes = size * count;
  if (!transfer.is_success() || !transfer.handlers->body) return bytes;  // an error page is of no interest
  transfer.failure = transfer.handlers->body(std::as_bytes(std::span(data, bytes)));
  return transfer.failure.ok() ? bytes : (bytes == 0 ? 1 : 0);
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.handlers->cancelled && transfer.handlers->cancelled()) transfer.cancelled = true;
  return transfer.cancelled ? 1 : 0;
}

curl_socket_t open_public_socket(void* user, curlsocktype /*purpose*/, curl_sockaddr* address) {
  if (!is_public_address(address->addr)) {
    static_cast<Transfer*>(user)->failure =
        Error{ErrorCode::permission_denied, "it leads to an address of this machine or of a private network"};
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool is_transient_code(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_AGAIN:
      return true;
    default:
      return false;
  }
}

struct HeaderListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListDeleter>;

void append_header(HeaderList& list, const std::string& line) {
  if (curl_slist* longer = curl_slist_append(list.get(), line.c_str())) {
    if (longer != list.get()) list.reset(longer);  // only the first line moves the head
  }
}

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

struct HttpClient::State {
  HttpOptions options;
  CURL* easy = nullptr;
  char error[CURL_ERROR_SIZE] = {};
  explicit State(HttpOptions o) : options(std::move(o)) {
    initialise_curl();
    easy = curl_easy_init();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { curl_easy_cleanup(easy); }

  bool may_fetch(const Url& url) const {
    if (is_allowed_url(url.without_credentials)) return true;
    const auto& hosts = options.plain_http_hosts;
    return url.scheme == "http" && (std::find(hosts.begin(), hosts.end(), url.host) != hosts.end() ||
                                    std::find(hosts.begin(), hosts.end(), url.host + ":" + url.port) != hosts.end());
  }

  void set_transport(const Url& url) {
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "ingle");
    if (!options.ca_bundle.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_bundle.c_str());
    // An empty string, unlike no value, keeps libcurl from asking the environment.
    const std::string& own = url.scheme == "https" ? options.https_proxy : options.http_proxy;
    curl_easy_setopt(easy, CURLOPT_PROXY, (own.empty() ? options.all_proxy : own).c_str());
    curl_easy_setopt(easy, CURLOPT_NOPROXY, options.no_proxy.c_str());
    if (!options.unix_socket.empty()) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options.unix_socket.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_seconds * 1000));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options.stall_seconds)));
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024L);
    const auto& trusted = options.trusted_hosts;
    const bool through_proxy = !own.empty() || !options.all_proxy.empty();
    if (options.public_addresses_only && !through_proxy &&
        std::find(trusted.begin(), trusted.end(), url.host) == trusted.end())
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_public_socket);
  }
};

HttpClient::HttpClient(HttpOptions options) : state_(std::make_unique<State>(std::move(options))) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

std::string HttpHead::header(const std::string& name) const {
  const auto at = headers.find(name);
  return at == headers.end() ? std::string() : at->second;
}

std::optional<uint64_t> HttpHead::content_length() const {
  const std::string text = header("content-length");
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

HttpOutcome HttpClient::perform_once(const HttpRequest& request, const std::string& url, const HttpHandlers& handlers,
                                     std::string& redirect) {
  HttpOutcome outcome;
  const std::optional<Url> first = parse_url(request.url), current = parse_url(url);
  if (state_->easy == nullptr) {
    outcome.status = Error{ErrorCode::unsupported, "libcurl (libcurl.so.4) is not there or cannot start"};
    return outcome;
  }
  if (!first || !current || !state_->may_fetch(*current)) {
    outcome.status = Error{ErrorCode::network, "refusing to fetch " + redact_url(url) +
                                                   ": not https (plain http is only for this machine)"};
    return outcome;
  }
  CURL* easy = state_->easy;
  curl_easy_reset(easy);
  state_->set_transport(*current);
  HeaderList headers;
  for (const std::string& line : request.headers) append_header(headers, line);
  if (same_origin(*first, *current)) {
    if (!request.bearer_token.empty()) append_header(headers, "Authorization: Bearer " + request.bearer_token);
    if (!first->user.empty()) {
      curl_easy_setopt(easy, CURLOPT_USERNAME, first->user.c_str());
      curl_easy_setopt(easy, CURLOPT_PASSWORD, first->password.c_str());
    }
  }
  if (!request.if_range.empty()) append_header(headers, "If-Range: " + request.if_range);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  std::string range;
  if (request.range_from) {
    range = std::to_string(*request.range_from) + "-" + (request.range_to ? std::to_string(*request.range_to) : "");
    curl_easy_setopt(easy, CURLOPT_RANGE, range.c_str());
  }
  if (request.head_only) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  Transfer transfer;
  transfer.handlers = &handlers;
  transfer.head.url = current->without_credentials;
  curl_easy_setopt(easy, CURLOPT_URL, current->without_credentials.c_str());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, state_->error);
  state_->error[0] = '\0';
  const CURLcode code = curl_easy_perform(easy);
  char* location = nullptr;
  if (transfer.head.status >= 300 && transfer.head.status < 400) {
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &location);
    if (location != nullptr) redirect = location;
  }
  outcome.head = std::move(transfer.head);
  if (transfer.cancelled) {
    outcome.status = Error{ErrorCode::cancelled, "cancelled"};
  } else if (!transfer.failure.ok()) {
    outcome.status = std::move(transfer.failure);
  } else if (code != CURLE_OK && redirect.empty()) {
    const std::string why = state_->error[0] != '\0' ? state_->error : curl_easy_strerror(code);
    outcome.status = Error{ErrorCode::network, why + " (" + current->scheme + "://" + current->host + ")"};
    outcome.transient = is_transient_code(code);
  }
  return outcome;
}

HttpOutcome HttpClient::perform(const HttpRequest& request, const HttpHandlers& handlers) {
  std::string url = request.url;
  for (int hop = 0; hop <= max_redirects; ++hop) {
    std::string redirect;
    HttpOutcome outcome = perform_once(request, url, handlers, redirect);
    if (!outcome.status.ok() || redirect.empty() || request.head_only) return outcome;
    if (url.starts_with("https:") && !redirect.starts_with("https:")) {
      outcome.status = Error{ErrorCode::network, "refusing a redirect from https to " + redact_url(redirect)};
      return outcome;
    }
    url = redirect;
  }
  HttpOutcome outcome;
  outcome.status = Error{ErrorCode::network, "too many redirects from " + redact_url(request.url)};
  return outcome;
}

Result<HttpClient::Text> HttpClient::get_text(const HttpRequest& request, size_t max_bytes,
                                              const std::function<bool()>& cancelled, bool* transient) {
  Text text;
  HttpHandlers handlers;
  handlers.cancelled = cancelled;
  handlers.body = [&](std::span<const std::byte> piece) -> Status {
    if (piece.size() > max_bytes - text.body.size())
      return Error{ErrorCode::limit_exceeded, "the answer is longer than " + std::to_string(max_bytes) + " bytes"};
    text.body.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return {};
  };
  HttpOutcome outcome = perform(request, handlers);
  if (transient != nullptr) *transient = outcome.transient || is_transient_status(outcome.head.status);
  if (!outcome.status.ok()) return outcome.status.error();
  if (outcome.head.status < 200 || outcome.head.status >= 300)
    return status_error(outcome.head, !request.bearer_token.empty());
  text.head = std::move(outcome.head);
  return text;
}

bool is_public_address(const sockaddr& address) {
  const auto within = [](uint32_t ip, uint32_t network, int bits) { return (ip ^ network) >> (32 - bits) == 0; };
  const auto public_v4 = [&](uint32_t ip) {
    struct Network {
      uint32_t network;
      int bits;
    };
    static constexpr Network kOthers[] = {{0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},
                                          {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24}, {0xc0a80000, 16},
                                          {0xc6120000, 15}, {0xe0000000, 3}};
    return std::none_of(std::begin(kOthers), std::end(kOthers),
                        [&](const Network& other) { return within(ip, other.network, other.bits); });
  };
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return public_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  const uint8_t* bytes = v6.sin6_addr.s6_addr;
  if (bytes[0] >> 5 != 1) return false;  // what is given out is 2000::/3; the rest is local, mapped, or a group
  const bool carries_v4 = bytes[0] == 0x20 && bytes[1] == 0x02;  // 6to4
  if (carries_v4) return public_v4(uint32_t{bytes[2]} << 24 | bytes[3] << 16 | bytes[4] << 8 | bytes[5]);
  return !(bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 2);  // 2001::/23: protocols, Teredo
}

bool is_transient_status(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 || status == 503 ||
         status == 504;
}

Error status_error(const HttpHead& head, bool has_token) {
  std::string text = "the server answered " + std::to_string(head.status);
  if (head.status == 404) text += " (not found)";
  if (head.status == 401 || head.status == 403)
    text += has_token ? " (the token is not accepted for this file)" : " (it may need a token or an accepted licence)";
  if (head.status == 429) text += " (too many requests)";
  return Error{ErrorCode::network, text + " for " + head.url};
}

}  // namespace ingle::store
