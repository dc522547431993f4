#include "server/server.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "security/keys/token.h"

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

bool is_json(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return type == "application/json";
}

}  // namespace

Server::Server(const ServerOptions& options)
    : options_(options),
      http_(
          options.http, [this](const std::shared_ptr<Exchange>& exchange) { handle(exchange); },
          [](int status, const std::string& message, const std::string& path) {
            return error_response(family_of(path), {status, message, {}, {}, {}});
          }) {}

// Models first: what they still tell goes to connections.
Server::~Server() {
  models_.clear();
}

base::Status Server::listen() {
  if (!is_loopback(options_.host))
    return Error{ErrorCode::permission_denied,
                 "--host " + options_.host + " would let other machines ask, which needs keys and TLS; use 127.0.0.1"};
  if (!options_.keys.empty()) {
    INGLE_TRY(keys_, security::Keys::open(options_.keys));
  }
  if (!options_.socket.empty()) INGLE_CHECK(http_.listen(options_.socket));
  INGLE_TRY(port_, http_.listen(options_.host, options_.port));
  return {};
}

void Server::add_model(std::vector<std::string> names, std::unique_ptr<assistant::ModelService> model) {
  auto served = std::make_shared<Served>(Served{std::move(names), std::move(model)});
  http_.post([this, served] { models_.push_back(std::move(*served)); });
}

void Server::run() {
  http_.run(options_.grace);
}

void Server::stop() {
  http_.post([this] {
    for (const Served& model : models_) model.service->close();
  });
  http_.stop();
}

assistant::ModelService* Server::find(std::string_view name) {
  for (const Served& model : models_)
    if (std::ranges::find(model.names, name) != model.names.end()) return model.service.get();
  return nullptr;
}

std::vector<assistant::ModelService*> Server::all() {
  std::vector<assistant::ModelService*> services;
  for (const Served& model : models_) services.push_back(model.service.get());
  return services;
}

// Pages of other sites can make a browser send requests here. They can't choose its Host and Origin, nor, without
// being asked back (which is not answered), the type of what they send.
std::optional<ApiError> Server::check_sender(const HttpRequest& request) const {
  if (request.peer.local_socket) return std::nullopt;
  const auto host = request.header("host");
  const std::string_view name = host ? host_name(*host) : std::string_view();
  if (!is_loopback(name) && std::ranges::find(options_.allow_hosts, name) == options_.allow_hosts.end())
    return ApiError{
        403,
        "this server is not called '" + std::string(name.substr(0, 128)) + "'; a name can be allowed with --allow-host",
        {},
        "host_not_allowed",
        {}};
  const bool has_origin = std::ranges::any_of(request.headers, [](const auto& it) { return it.first == "origin"; });
  if (!has_origin) return std::nullopt;
  const auto origin = request.header("origin");
  const bool own = origin && *origin == "http://" + std::string(*host);
  if (!own && (!origin || std::ranges::find(options_.allow_origins, *origin) == options_.allow_origins.end()))
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
  const bool own_user = request.peer.uid == static_cast<uint32_t>(getuid());
  call.principal = request.peer.uid ? "user " + std::to_string(*request.peer.uid) : std::string("nobody");
  call.client = call.principal + " " + request.peer.address + ":" + std::to_string(request.peer.port);
  call.keyed = own_user && request.peer.local_socket;
  std::string_view token = request.header("x-api-key").value_or("");
  const std::string_view bearer = request.header("authorization").value_or("");
  if (bearer.starts_with("Bearer ") || bearer.starts_with("bearer ")) token = bearer.substr(7);
  bool may_chat = own_user;
  if (keys_ && security::is_token(token)) {
    const auto principal = keys_->verify(token, std::time(nullptr));
    if (!principal) return ApiError{401, principal.error().message, {}, "invalid_api_key", {}};
    call.principal = call.client = "key " + principal->id;
    call.keyed = true;
    may_chat = principal->scopes.has(security::Scope::chat);
  }
  if (scope == Scope::none || (scope == Scope::chat && may_chat) || (scope == Scope::keyed && call.keyed))
    return std::nullopt;
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
  call.models = this;
  call.responses = responses_;
  call.family = family_of(request.path);
  if (const auto refused = check_sender(request)) return call.fail(*refused);
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
  if (!found.route->fields.empty()) {
    auto body = base::parse_json(request.body, {.max_bytes = options_.http.body_bytes, .max_depth = 128});
    if (!body) return call.fail({400, "the body is not JSON: " + body.error().message, {}, "invalid_json", {}});
    call.body = std::move(body).value();
    Reader reader(call.body);
    reader.check(found.route->fields, &call.unused);
    if (reader.error()) return call.fail(*reader.error());
  }
  found.route->handle(call);
}

}  // namespace ingle::server
