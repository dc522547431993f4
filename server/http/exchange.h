// One request and its answer, between a connection (http_server.h) and whoever answers. Nothing here knows of sockets,
// and every function but what is marked may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingle::server {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Who is at the other end.
struct Peer {
  bool local_socket = false;  ///< a Unix socket
  bool encrypted = false;     ///< through TLS
  std::string address;        ///< of TCP; version 4 also where version 6 carries it
  uint16_t port = 0;
  std::string here;             ///< the address of our end of TCP
  std::optional<uint32_t> uid;  ///< whose process it is, where the system tells
};

struct HttpRequest {
  std::string method;  ///< "GET"
  std::string path;    ///< decoded, without what follows '?'
  std::string query;   ///< as it came
  Headers headers;     ///< names in lower case
  std::string body;
  Peer peer;

  /// The value of a header that came once; nothing where it did not, or came twice.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  Headers headers;
  std::string body;
};

class Exchange {
 public:
  /// `wake` tells the connection that there is something to send; `most_waiting`: bytes that a slow reader may leave
  /// unsent before it counts as gone.
  Exchange(HttpRequest asked, std::function<void()> wake, size_t most_waiting)
      : request_(std::move(asked)), wake_(std::move(wake)), most_waiting_(most_waiting) {}

  const HttpRequest& request() const { return request_; }

  /// The whole answer. Only the first answer counts.
  void respond(HttpResponse response);
  /// Begins an answer whose body comes in pieces; its `body` is the first. Until the next piece comes, `ping` is sent
  /// now and then, so that nobody on the way takes the connection for dead.
  void begin(HttpResponse response, std::string ping = {});
  /// The next piece. False: nobody wants it any more.
  bool write(std::string_view piece);
  void end();
  bool begun() const;

  /// Called once, if the reader goes before the end: by whoever notices, or at once.
  void on_gone(std::function<void()> callback);

  // For the connection.
  struct Outgoing {
    std::optional<HttpResponse> head;
    bool streamed = false, ended = false;
    std::string body, ping;
    bool nothing() const { return !head && body.empty() && !ended; }
  };
  Outgoing take();
  void gone();
  bool is_gone() const;
  /// The answer has been sent: nobody will go any more.
  void sent();

 private:
  const HttpRequest request_;
  const std::function<void()> wake_;
  const size_t most_waiting_;
  mutable std::mutex mutex_;  ///< of all below
  std::optional<HttpResponse> head_;
  bool begun_ = false, streamed_ = false, ended_ = false, gone_ = false, sent_ = false;
  std::string waiting_, ping_;
  std::function<void()> on_gone_;
};

}  // namespace ingle::server
