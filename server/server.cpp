#include "server/server.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <ctime>
#include <optional>
#include <utility>

#include "security/keys/token.h"
#include "server/app/assets.h"
#include "server/app/inspector.h"
#include "server/app/reply_job.h"

namespace ingle::server {
namespace {

using base::Error;
using base::ErrorCode;

/// "127.0.0.1:80", "[::1]:80", "localhost" without its port.
std::string_view host_name(std::string_view host) {
  if (!host.empty() && host.front() == '[') return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.rfind(':'));
}

bool is_loopback(std::string_view name) {
  // Not "127.0.0.1.example.org".
  const bool address = name.find_first_not_of("0123456789.") == std::string_view::npos;
  return name == "localhost" || name == "[::1]" || name == "::1" || (address && name.starts_with("127."));
}

/// What stands for {…} of a route's path where the path has its form.
std::optional<std::string> match(std::string_view form, std::string_view path) {
  const size_t brace = form.find('{');
  if (brace == std::string_view::npos) return form == path ? std::optional<std::string>("") : std::nullopt;
  const std::string_view before = form.substr(0, brace), after = form.substr(form.find('}') + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after))
    return std::nullopt;
  return std::string(path.substr(before.size(), path.size() - before.size() - after.size()));
}

Family family_of(std::string_view path) {
  if (path.starts_with("/api/")) return Family::ollama;
  return path.starts_with("/v1/messages") ? Family::anthropic : Family::openai;
}

struct Found {
  const Route* route = nullptr;
  std::string parameter;
  std::string allowed;  ///< methods of this path, where the method has no route
};

Found find_route(const HttpRequest& request) {
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  Found found;
  std::optional<size_t> least;  // of what {…} stands for: the path that says most is meant
  for (const Route* route : all_routes()) {
    const auto parameter = match(route->path, request.path);
    if (!parameter || (least && parameter->size() > *least)) continue;
    if (!least || parameter->size() < *least) found = {};
    least = parameter->size();
    if (route->method == method) {
      found.route = route, found.parameter = *parameter;
    } else {
      found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(route->method);
    }
  }
  return found;
}

/// By a proxy: then the process at the other end is not who asks, and perhaps not on this machine.
bool was_passed_on(const HttpRequest& request) {
  return std::ranges::any_of(request.headers, [](const auto& header) {
    const std::string& name = header.first;
    return name == "forwarded" || name == "via" || name == "x-real-ip" || name.starts_with("x-forwarded-");
  });
}

/// Of pages that this server shows; empty: the request came through a Unix socket.
std::string own_origin(const HttpRequest& request) {
  if (request.peer.local_socket) return {};
  return (request.peer.encrypted ? "https://" : "http://") + std::string(request.header("host").value_or(""));
}

bool is_json(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return type == "application/json";
}

/// A mistake of ours ends one request, and not the server. What it says may hold what the client sent.
void handle_call(const Route& route, Call& call) {
  try {
    route.handle(call);
  } catch (const std::exception&) {
    call.fail({500, "internal error", {}, {}, {}});
  }
}

}  // namespace

struct Server::Threads {
  static constexpr size_t kThreads = 4;
  boost::asio::thread_pool pool{kThreads};
};

Server::Server(const ServerOptions& options, assistant::ModelPool& pool, StoredModels& stored,
               assistant::Conversations& conversations)
    : options_(options),
      pool_(pool),
      stored_(stored),
      conversations_(conversations),
      allow_origins_(options.allow_origins),
      allow_hosts_(options.allow_hosts),
      http_(
          options.http, [this](const std::shared_ptr<Exchange>& exchange) { handle(exchange); },
          [](int status, const std::string& message, const std::string& path) {
            return error_response(family_of(path), {status, message, {}, {}, {}});
          }),
      threads_(std::make_unique<Threads>()),
      background_(std::make_unique<Threads>()),
      events_(std::make_shared<EventStreams>(
          conversations, [this](std::function<void()> work) { boost::asio::post(threads_->pool, std::move(work)); })),
      inspector_(std::make_shared<Inspector>(
          pool, [this](std::function<void()> work) { boost::asio::post(threads_->pool, std::move(work)); })),
      app_(std::make_unique<App>(
          options.app, stored, pool,
          [this](std::function<void()> work) { boost::asio::post(threads_->pool, std::move(work)); },
          [this](std::function<void()> work) { boost::asio::post(background_->pool, std::move(work)); },
          [this](const base::Json& event) { events_->publish(event); })),
      retention_(std::make_unique<Retention>(conversations, options.keep_days,
                                             [this](int64_t) {
                                               inspector_->forget();              // what was seen of them
                                               pool_.forget(person_principal());  // what was computed of them
                                             })),
      pdf_(options.may_parse_documents) {}

// What models still tell goes to connections.
Server::~Server() {
  events_->close();
  inspector_->close();
  stored_.stop();
  threads_->pool.join();
  background_->pool.join();
  for (const auto& [name, threads] : model_threads_) threads->pool.join();
  retention_.reset();
  pool_.end();
  key_watch_.reset();
}

base::Status Server::listen(const HttpServer::Listeners& inherited) {
  INGLE_TRY(const HttpServer::Address address, HttpServer::resolve(options_.host, options_.port));
  if (!options_.keys.empty()) {
    INGLE_TRY(keys_, security::Keys::open(options_.keys));
    INGLE_TRY(key_watch_, security::KeyWatch::start(*keys_, [this](const std::string& id) { forget_key(id); }));
  }
  if (!address.loopback) INGLE_CHECK(check_remote(address));
  if (options_.tls.named()) {
    INGLE_TRY(identity_, TlsIdentity::load(options_.tls));
    http_.use_tls(identity_);
  }
  if (!options_.socket.empty())
    INGLE_CHECK(inherited.socket.get() >= 0 ? http_.adopt_socket(inherited.socket, options_.socket)
                                            : http_.listen(options_.socket));
  INGLE_TRY(port_, inherited.tcp.get() >= 0 ? http_.adopt_tcp(inherited.tcp, address) : http_.listen(address));
  return {};
}

// What other machines send crosses a network, and the kernel knows nothing of who sends it.
base::Status Server::check_remote(const HttpServer::Address& address) const {
  const std::string where = "--host " + options_.host + " lets other machines ask";
  if (!options_.tls.named() && !options_.insecure_http)
    return Error{ErrorCode::permission_denied,
                 where + ", which needs TLS: give --tls-cert and --tls-key; or --insecure-http, where everybody on " +
                     address.ip + "'s network may read keys, prompts and answers"};
  if (options_.tls.named() && options_.insecure_http)
    return Error{ErrorCode::invalid_argument, "--insecure-http and --tls-cert exclude each other"};
  const auto keys = keys_ ? keys_->list() : base::Result<std::vector<security::Key>>(std::vector<security::Key>());
  if (!keys) return keys.error();
  if (keys->empty())
    return Error{ErrorCode::permission_denied,
                 where + ", which needs a key for each of them: 'ingle key create NAME' makes one"};
  return {};
}

std::vector<std::string> Server::warnings() const {
  return identity_ ? identity_->warnings() : std::vector<std::string>();
}

base::Status Server::reload(const ServerOptions& options) {
  // Whether TLS is spoken at all does not change while clients know the address.
  if (identity_) {
    INGLE_TRY(identity_, TlsIdentity::load(options.tls.named() ? options.tls : options_.tls));
  }
  http_.post([this, identity = identity_, origins = options.allow_origins, hosts = options.allow_hosts] {
    http_.use_tls(identity);
    allow_origins_ = origins;
    allow_hosts_ = hosts;
  });
  return {};
}

void Server::run() {
  retention_->begin();
  http_.run(options_.grace);
}

void Server::stop() {
  http_.post([this] {
    if (!handed_over_) pool_.close();
  });
  stored_.stop();
  events_->close();
  inspector_->close();
  http_.stop();
}

void Server::hand_over(bool with_socket) {
  http_.post([this] { handed_over_ = true; });
  events_->close();
  inspector_->close();
  http_.hand_over(with_socket);
}

// What is kept for who had it goes with the key.
void Server::forget_key(const std::string& id) {
  const std::string principal = security::key_principal(id);
  {
    const std::lock_guard lock(mutex_);
    gone_.insert(principal);
  }
  pool_.forget(principal);
  responses_->forget(principal);
}

bool Server::is_gone(const std::string& principal) const {
  const std::lock_guard lock(mutex_);
  return gone_.contains(principal);
}

// A page can make a browser call our address by the page's own name (DNS rebinding), but not call it by an address that
// is not ours.
bool Server::is_called(std::string_view name, const Peer& peer) const {
  if (name.empty()) return false;
  if (is_loopback(name) || std::ranges::find(allow_hosts_, name) != allow_hosts_.end() || name == options_.host)
    return true;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return name == peer.here;
}
// Pages of other sites can make a browser send requests here. They can't choose its Host and Origin, nor, without
// being asked back (which is not answered), the type of what they send.
std::optional<ApiError> Server::check_sender(const HttpRequest& request) const {
  if (request.peer.local_socket) return std::nullopt;
  const auto host = request.header("host");
  const std::string_view name = host ? host_name(*host) : std::string_view();
  if (!is_called(name, request.peer))
    return ApiError{
        403,
        "this server is not called '" + std::string(name.substr(0, 128)) + "'; a name can be allowed with --allow-host",
        {},
        "host_not_allowed",
        {}};
  const bool has_origin = std::ranges::any_of(request.headers, [](const auto& it) { return it.first == "origin"; });
  if (!has_origin) return std::nullopt;
  const auto origin = request.header("origin");
  const bool own = origin && *origin == own_origin(request);
  if (!own && (!origin || std::ranges::find(allow_origins_, *origin) == allow_origins_.end()))
    return ApiError{403,
                    "pages of " + std::string(origin.value_or("several origins").substr(0, 128)) +
                        " may not ask this server; an origin can be allowed with --allow-origin",
                    {},
                    "origin_not_allowed",
                    {}};
  if (request.method != "GET" && request.method != "HEAD" && !is_json(request.header("content-type").value_or("")))
    return ApiError{415, "from a page, the body's type has to be application/json", {}, {}, {}};
  return std::nullopt;
}

// Whom a request is from, and whether that suffices. A key that is not one of ours is no key: clients have to send
// something, and what they send to others must not matter here.
std::optional<ApiError> Server::admit(const HttpRequest& request, Scope scope, Call& call) const {
  const bool own_user = request.peer.uid == static_cast<uint32_t>(getuid()) && !was_passed_on(request);
  call.principal = request.peer.uid ? "user " + std::to_string(*request.peer.uid) : std::string("nobody");
  call.client = call.principal + " " + request.peer.address + ":" + std::to_string(request.peer.port);
  call.keyed = own_user && request.peer.local_socket;
  std::string_view token = request.header("x-api-key").value_or("");
  const std::string_view bearer = request.header("authorization").value_or("");
  if (bearer.starts_with("Bearer ") || bearer.starts_with("bearer ")) token = bearer.substr(7);
  bool may_chat = own_user, may_manage = call.keyed, is_person = call.keyed;
  if (keys_ && security::is_token(token)) {
    const auto principal = keys_->verify(token, std::time(nullptr));
    // A page's token in another page, or anywhere else, is none.
    if (!principal || !(principal->origin.empty() || principal->origin == own_origin(request)))
      return ApiError{401, "the access token is not valid", {}, "invalid_api_key", {}};
    call.token = token;
    call.principal = call.client = security::key_principal(principal->id);
    call.key_is_gone = [this, principal = call.principal] { return is_gone(principal); };
    call.keyed = true;
    may_chat = principal->scopes.has(security::Scope::chat);
    may_manage = principal->scopes.has(security::Scope::models);
    is_person = principal->scopes.has(security::Scope::admin);
  }
  if (scope == Scope::none || (scope == Scope::chat && may_chat) || (scope == Scope::keyed && call.keyed) ||
      (scope == Scope::models && may_manage) || (scope == Scope::person && is_person))
    return std::nullopt;
  if (scope == Scope::models)
    return ApiError{401,
                    "this needs a key for models ('ingle key create NAME --scope models' makes one), or the server's "
                    "socket",
                    {},
                    "key_required",
                    {}};
  if (scope == Scope::person)
    return ApiError{401,
                    "conversations are the server's user's: 'ingle open' opens a page that may see them, and a key for "
                    "admin ('ingle key create NAME --scope admin') or the server's socket opens them to a program",
                    {},
                    "key_required",
                    {}};
  return ApiError{401,
                  scope == Scope::keyed ? "this needs a key ('ingle key create' makes one), or the server's socket"
                                        : "only processes of the server's own user may ask without a key; 'ingle key "
                                          "create' makes one",
                  {},
                  "key_required",
                  {}};
}

void Server::handle(const std::shared_ptr<Exchange>& exchange) {
  const HttpRequest& request = exchange->request();
  Call call;
  call.exchange = exchange;
  call.pool = &pool_;
  call.stored = &stored_;
  call.responses = responses_;
  call.conversations = &conversations_;
  call.events = events_.get();
  call.inspector = inspector_.get();
  call.app = app_.get();
  call.retention = retention_.get();
  call.pdf = &pdf_;
  call.keys = keys_ ? &*keys_ : nullptr;
  call.ready = ready_;
  call.soon = [this](std::function<void()> work) { boost::asio::post(threads_->pool, std::move(work)); };
  call.at_model = [this](const std::string& model, std::function<void()> work) {
    boost::asio::post(threads_of(model).pool, std::move(work));
  };
  call.in_background = [this](std::function<void()> work) { boost::asio::post(background_->pool, std::move(work)); };
  call.family = family_of(request.path);
  call.origin = own_origin(request);
  if (const auto refused = check_sender(request)) return call.fail(*refused);
  if (request.method == "GET" || request.method == "HEAD")
    if (const Asset* asset = find_asset(request.path)) return exchange->respond(asset_response(*asset, request));
  const Found found = find_route(request);
  if (found.route == nullptr) {
    if (found.allowed.empty())
      return call.fail({404, "there is nothing at " + request.path.substr(0, 128), {}, "not_found", {}});
    HttpResponse response = error_response(
        call.family, {405, request.path.substr(0, 128) + " takes " + found.allowed, {}, "method_not_allowed", {}});
    response.headers.emplace_back("Allow", found.allowed);
    return exchange->respond(std::move(response));
  }
  call.family = found.route->family;
  call.parameter = found.parameter;
  if (const auto refused = admit(request, found.route->scope, call)) return call.fail(*refused);
  boost::asio::post(threads_->pool, [this, route = found.route, call]() mutable { read_body(*route, call); });
}

// A body of megabytes takes time to read, and a model to make a prompt of it.
void Server::read_body(const Route& route, Call& call) {
  if (!route.fields.empty()) {
    auto body =
        base::parse_json(call.exchange->request().body, {.max_bytes = options_.http.body_bytes, .max_depth = 128});
    if (!body) return call.fail({400, "the body is not JSON: " + body.error().message, {}, "invalid_json", {}});
    call.body = std::move(body).value();
    Reader reader(call.body, {}, &call.unused);
    reader.check(route.fields);
    if (reader.error()) return call.fail(*reader.error());
  }
  const bool asks_model = route.asks_model && !route.fields.empty();
  if (const base::Status may = pool_.may_load(); asks_model && !may)
    return call.fail({503, may.error().message, {}, "module_off", {}});  // trying again would not help
  if (asks_model && !call.ready) return call.fail({503, "the model is being loaded", {}, {}, 1});
  const std::string name = route.asks_model && call.body.is_object() ? model_named(call) : std::string();
  if (name.empty()) return handle_call(route, call);
  pool_.when_loaded(name, [this, &route, name, call](base::Result<assistant::Model> model) mutable {
    if (!model) return call.fail(api_error(model.error(), "model"));
    call.model = std::move(model).value();
    call.resume = [this, name](std::function<void()> work) {
      boost::asio::post(threads_of(name).pool, std::move(work));
    };
    boost::asio::post(threads_of(name).pool, [&route, asked = std::move(call)]() mutable {
      if (asked.key_is_gone && asked.key_is_gone())
        return asked.fail({401, "the access token is not valid", {}, "invalid_api_key", {}});
      handle_call(route, asked);
    });
  });
}

// The model's own name; empty: the body names none that is here.
std::string Server::model_named(const Call& call) {
  const auto named = call.body.find("model");
  if (named != call.body.end()) return named->is_string() ? stored_.name_of(named->get_ref<const std::string&>()) : "";
  // Nothing else can be meant.
  const auto resident = pool_.resident();
  return resident.size() == 1 ? resident.front().model->name() : "";
}

Server::Threads& Server::threads_of(const std::string& model) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Threads>& threads = model_threads_[model];
  if (!threads) threads = std::make_unique<Threads>();
  return *threads;
}

}  // namespace ingle::server
