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
  std::vector<std::string> allow_origins;  ///< pages from there may ask, "https://host:port"
  std::vector<std::string> allow_hosts;  ///< names by which the server may be called, beside addresses of the loopback
  std::chrono::milliseconds grace{30'000};  ///< for answers in progress, once it is to stop
  HttpLimits http;
};

class Server final : private Models {
 public:
  explicit Server(const ServerOptions& options);
  ~Server() override;

  /// Errors: as HttpServer::listen; permission_denied where others than this machine could ask.
  base::Status listen();
  uint16_t port() const { return port_; }
  /// From any thread: serves a model by these names, from now on; the first is what lists show.
  void add_model(std::vector<std::string> names, std::unique_ptr<assistant::ModelService> model);
  /// Until stop().
  void run();
  /// From any thread.
  void stop();

 private:
  assistant::ModelService* find(std::string_view name) override;
  std::vector<assistant::ModelService*> all() override;
  void handle(const std::shared_ptr<Exchange>& exchange);
  std::optional<ApiError> check_sender(const HttpRequest& request) const;
  std::optional<ApiError> admit(const HttpRequest& request, Scope scope, Call& call) const;

  struct Served {
    std::vector<std::string> names;
    std::unique_ptr<assistant::ModelService> service;
  };
  const ServerOptions options_;
  std::optional<security::Keys> keys_;
  uint16_t port_ = 0;
  std::vector<Served> models_;  ///< of the serving thread
  const std::shared_ptr<ResponseStore> responses_ = std::make_shared<ResponseStore>();
  HttpServer http_;
};

}  // namespace ingle::server
