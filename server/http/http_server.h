// HTTP/1.1 on TCP and Unix sockets, by Boost.Beast (docs/adr/0012). One thread runs all connections; whoever answers
// may do so from any other.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "server/http/exchange.h"
#include "server/http/tls.h"

namespace ingle::server {

struct HttpLimits {
  uint32_t header_bytes = 32 << 10;
  uint64_t body_bytes = uint64_t{32} << 20;
  size_t waiting_bytes = size_t{4} << 20;  ///< of an answer that its reader does not take
  size_t connections = 4096;
  size_t encrypted_connections = 1024;            ///< of them; TLS takes about 80 KB each
  std::chrono::milliseconds header_time{15'000};  ///< until a request's headers are complete, once they began
  std::chrono::milliseconds body_time{60'000};
  std::chrono::milliseconds idle_time{120'000};  ///< between requests
  std::chrono::milliseconds send_time{30'000};   ///< until a reader has taken a piece
  std::chrono::milliseconds ping_time{10'000};
  std::chrono::milliseconds linger_time{2'000};  ///< for the request of who had connected before hand_over()
};

class HttpServer {
 public:
  /// Must answer soon, or keep the exchange and answer later: it is called by the thread that runs all connections.
  using Handler = std::function<void(std::shared_ptr<Exchange>)>;
  /// What cannot be read is answered with what this makes of a status, a reason and the path, where that was read.
  using ErrorBody = std::function<HttpResponse(int status, const std::string& message, const std::string& path)>;

  HttpServer(const HttpLimits& limits, Handler handler, ErrorBody error_body);
  ~HttpServer();

  struct Address {
    std::string ip;
    uint16_t port = 0;
    bool loopback = false;  ///< only this machine reaches it
  };
  /// Error: invalid_argument (no such address).
  static base::Result<Address> resolve(const std::string& host, uint16_t port);

  /// TCP speaks TLS from the next connection on; null: it does not. Before run(), or on the serving thread.
  void use_tls(std::shared_ptr<const TlsIdentity> identity);

  // Once each, before run().
  /// Port 0: any. Returns the port. Errors: busy (it is taken), invalid_argument (no address of this machine),
  /// permission_denied, io_error.
  base::Result<uint16_t> listen(const Address& address);
  /// A socket that only its owner may use, in a folder that only he may read; both are made, and a socket that nobody
  /// listens on any more is replaced. Errors: busy, permission_denied, io_error.
  base::Status listen(const std::filesystem::path& socket);

  /// Listens where another process did, on its sockets. Error: invalid_argument (not such a socket, or elsewhere).
  base::Result<uint16_t> adopt_tcp(const base::FileDescriptor& listener, const Address& address);
  base::Status adopt_socket(const base::FileDescriptor& listener, const std::filesystem::path& socket);
  /// The sockets that this listens on, for another process; -1: none.
  struct Listeners {
    base::FileDescriptor tcp{-1}, socket{-1};
  };
  Listeners listeners() const;

  /// Serves until stop(). Answers in progress are completed for `grace` after that.
  void run(std::chrono::milliseconds grace);
  /// From any thread, and from signal handlers of this thread's loop.
  void stop();
  /// As stop(), but as another process listens on, those who have connected may still ask. `with_socket`: it has the
  /// Unix socket, too, which stays in its folder.
  void hand_over(bool with_socket);
  /// Runs a function on the serving thread.
  void post(std::function<void()> function);
  size_t connections() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ingle::server
