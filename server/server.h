// The server: who may ask what, which route answers, and what a model is called.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/inference/model_pool.h"
#include "security/keys/key_watch.h"
#include "security/keys/keys.h"
#include "server/api/route.h"
#include "server/app/app.h"
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
  std::optional<int64_t> keep_days;         ///< of conversations; nothing: as it is set in the app
  base::Status may_parse_documents;         ///< Core::may_parse_documents
  std::chrono::milliseconds grace{30'000};  ///< for answers in progress, once it is to stop
  HttpLimits http;
  AppSurroundings app;
};

class Server final {
 public:
  /// All outlive it; the pool's models are ended with it.
  Server(const ServerOptions& options, assistant::ModelPool& pool, StoredModels& stored,
         assistant::Conversations& conversations);
  ~Server();

  /// `inherited`: sockets of a server that this one replaces, instead of new ones. Errors: as HttpServer::listen and
  /// TlsIdentity::load; permission_denied where other machines could ask without a key, or without TLS.
  base::Status listen(const HttpServer::Listeners& inherited = {});
  uint16_t port() const { return port_; }
  /// From any thread: /health says that requests will be answered.
  void set_ready() { ready_ = true; }
  /// What the person should know about the certificate.
  std::vector<std::string> warnings() const;
  /// For another process that is to listen instead (hand_over).
  HttpServer::Listeners listeners() const { return http_.listeners(); }
  /// From any thread: reads the certificate again, and takes the lists of these options. Errors: those of
  /// TlsIdentity::load; then everything stays as it is.
  base::Status reload(const ServerOptions& options);
  /// Until stop().
  void run();
  /// From any thread.
  void stop();
  /// As stop(), after another process has begun to listen on the same sockets (HttpServer::hand_over).
  void hand_over(bool with_socket);

 private:
  struct Threads;

  void forget_key(const std::string& id);
  bool is_gone(const std::string& principal) const;
  void handle(const std::shared_ptr<Exchange>& exchange);
  void read_body(const Route& route, Call& call);
  std::string model_named(const Call& call);
  Threads& threads_of(const std::string& model);
  base::Status check_remote(const HttpServer::Address& address) const;
  bool is_called(std::string_view name, const Peer& peer) const;
  std::optional<ApiError> check_sender(const HttpRequest& request) const;
  std::optional<ApiError> admit(const HttpRequest& request, Scope scope, Call& call) const;

  const ServerOptions options_;
  mutable std::optional<security::Keys> keys_;
  std::shared_ptr<const TlsIdentity> identity_;
  uint16_t port_ = 0;
  assistant::ModelPool& pool_;
  StoredModels& stored_;
  assistant::Conversations& conversations_;
  const std::shared_ptr<ResponseStore> responses_ = std::make_shared<ResponseStore>();
  std::atomic<bool> ready_ = false;
  // Of the serving thread, once it runs:
  std::vector<std::string> allow_origins_, allow_hosts_;
  bool handed_over_ = false;
  HttpServer http_;
  std::unique_ptr<Threads> threads_;     ///< that read bodies
  std::unique_ptr<Threads> background_;  ///< that download
  mutable std::mutex mutex_;
  /// Each model has threads of its own, on which its requests wait for it: one that does not answer holds up no other.
  std::map<std::string, std::unique_ptr<Threads>> model_threads_;  ///< guarded by mutex_
  std::set<std::string> gone_;                                     ///< whose keys are gone; guarded by mutex_
  std::unique_ptr<security::KeyWatch> key_watch_;
  const std::shared_ptr<EventStreams> events_;
  const std::shared_ptr<Inspector> inspector_;
  const std::unique_ptr<App> app_;
  std::unique_ptr<Retention> retention_;
  assistant::PdfReader pdf_;
};

}  // namespace ingle::server
