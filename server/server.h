// The server: who may ask what, which route answers, and what a model is called.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/inference/model_service.h"
#include "security/keys/keys.h"
#include "server/api/route.h"
#include "server/http/http_server.h"

namespace ingle::server {

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 11911;
  std::filesystem::path socket;            ///< empty: none
  std::filesystem::path keys;              ///< the folder of keys; empty: there are none
  TlsFiles tls;                            ///< none named: TCP without TLS
  bool insecure_http = false;              ///< other machines may ask without TLS; everybody on the way reads along
  std::vector<std::string> allow_origins;  ///< pages from there may ask, "https://host:port"
  /// Names by which the server may be called, beside those of the loopback, `host`, and the address that was asked.
  std::vector<std::string> allow_hosts;
  std::chrono::milliseconds grace{30'000};  ///< for answers in progress, once it is to stop
  HttpLimits http;
};

class Server final : private Models {
 public:
  explicit Server(const ServerOptions& options);
  ~Server() override;

  /// `inherited`: sockets of a server that this one replaces, instead of new ones. Errors: as HttpServer::listen and
  /// TlsIdentity::load; permission_denied where other machines could ask without a key, or without TLS.
  base::Status listen(const HttpServer::Listeners& inherited = {});
  uint16_t port() const { return port_; }
  /// What the person should know about the certificate.
  std::vector<std::string> warnings() const;
  /// For another process that is to listen instead (hand_over).
  HttpServer::Listeners listeners() const { return http_.listeners(); }
  /// From any thread: reads the certificate again, and takes the lists of these options. Errors: those of
  /// TlsIdentity::load; then everything stays as it is.
  base::Status reload(const ServerOptions& options);
  /// From any thread: serves a model by these names, from now on; the first is what lists show.
  void add_model(std::vector<std::string> names, std::unique_ptr<assistant::ModelService> model);
  /// Until stop().
  void run();
  /// From any thread.
  void stop();
  /// As stop(), after another process has begun to listen on the same sockets (HttpServer::hand_over).
  void hand_over(bool with_socket);

 private:
  assistant::ModelService* find(std::string_view name) override;
  std::vector<assistant::ModelService*> all() override;
  void handle(const std::shared_ptr<Exchange>& exchange);
  base::Status check_remote(const HttpServer::Address& address) const;
  bool is_called(std::string_view name, const Peer& peer) const;
  std::optional<ApiError> check_sender(const HttpRequest& request) const;
  std::optional<ApiError> admit(const HttpRequest& request, Scope scope, Call& call) const;

  struct Served {
    std::vector<std::string> names;
    std::unique_ptr<assistant::ModelService> service;
  };
  const ServerOptions options_;
  std::optional<security::Keys> keys_;
  std::shared_ptr<const TlsIdentity> identity_;
  uint16_t port_ = 0;
  // Of the serving thread, once it runs:
  std::vector<std::string> allow_origins_, allow_hosts_;
  bool handed_over_ = false;
  std::vector<Served> models_;
  HttpServer http_;
};

}  // namespace ingle::server
