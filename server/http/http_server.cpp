#include "server/http/http_server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <cctype>
#include <set>

#include "base/files.h"
#include "security/keys/peer.h"
#include "server/http/target.h"
#include "server/http/tls.h"
#include "server/http/wire.h"

namespace ingle::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using base::Error;
using base::ErrorCode;
using Socket = asio::generic::stream_protocol::socket;
using Parser = http::request_parser<http::string_body>;
constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
// What coroutines hand to one another has a name: g++ 12 destroyed a temporary of a conditional expression inside a
// co_await twice here.

struct Connection : std::enable_shared_from_this<Connection> {
  explicit Connection(Socket socket, Peer other)
      : stream(std::move(socket)),
        peer(std::move(other)),
        news(stream.get_executor()),
        farewell(stream.get_executor()) {}
  Wire stream;
  Peer peer;
  beast::flat_buffer buffer;
  asio::steady_timer news;            ///< cancelled when there is something to send, or read_ahead() is done
  asio::steady_timer farewell;        ///< how long the other end may take to say that it has ended, too
  std::shared_ptr<Exchange> current;  ///< null between requests
  bool reading = false;               ///< read_ahead() is on its way
  bool over = false;                  ///< it found the end
};
using ConnectionPtr = std::shared_ptr<Connection>;

Target target_of(const Parser& parser) {
  const auto text = parser.get().target();
  return parse_target(std::string_view(text.data(), text.size()));
}

HttpRequest request_of(Parser& parser, const Peer& peer) {
  const auto& message = parser.get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  const Target target = target_of(parser);
  request.path = target.path;
  request.query = target.query;
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request.body = std::move(parser.get().body());
  request.peer = peer;
  return request;
}

http::response<http::empty_body> head_of(const HttpResponse& response, unsigned version, bool keep_alive) {
  http::response<http::empty_body> head(static_cast<http::status>(response.status), version);
  head.set(http::field::content_type, response.content_type);
  head.set(http::field::cache_control, "no-store");
  head.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) head.set(name, value);
  head.keep_alive(keep_alive);
  return head;
}

/// What a reading error asks for; 0: no answer, the other end is gone or wrote no HTTP at all.
int status_of(const beast::error_code& error) {
  if (error == http::error::body_limit) return 413;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == beast::error::timeout) return 408;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return 0;
  if (error.category() == make_error_code(http::error::bad_method).category()) return 400;
  return 0;
}

/// Asio's functions give their error twice.
template <typename Acceptor>
beast::error_code open_acceptor(Acceptor& acceptor, const typename Acceptor::endpoint_type& endpoint) {
  beast::error_code error;
  static_cast<void>(acceptor.open(endpoint.protocol(), error));
  if (!error) static_cast<void>(acceptor.set_option(asio::socket_base::reuse_address(true), error));
  if (!error) static_cast<void>(acceptor.bind(endpoint, error));
  if (!error) static_cast<void>(acceptor.listen(asio::socket_base::max_listen_connections, error));
  return error;
}

int copy_of(int descriptor) {
  return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

void say_goodbye(Wire& stream) {
  beast::error_code ignored;
  static_cast<void>(stream.plain().socket().shutdown(Socket::shutdown_send, ignored));
}

/// "192.0.2.1" also where version 6 carries it as "::ffff:192.0.2.1".
std::string text_of(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

/// The first byte of TLS, whatever its version: a handshake (RFC 8446, section 5.1).
constexpr char kHandshake = 0x16;

Error listen_error(const beast::error_code& error, const std::string& where) {
  if (error == asio::error::address_in_use)
    return {ErrorCode::busy, where + " is in use already; stop what listens there, or choose another with --port"};
  if (error == asio::error::address_family_not_supported || error.value() == EADDRNOTAVAIL)
    return {ErrorCode::invalid_argument, "--host: " + where + " is no address of this machine"};
  if (error == asio::error::access_denied) return {ErrorCode::permission_denied, "not allowed to listen on " + where};
  return {ErrorCode::io_error, "cannot listen on " + where + ": " + error.message()};
}

}  // namespace

struct HttpServer::State {
  State(const HttpLimits& of, Handler to, ErrorBody errors)
      : limits(of), handler(std::move(to)), error_body(std::move(errors)), stopper(loop), lingerer(loop) {}

  template <typename Acceptor>
  asio::awaitable<void> accept(std::shared_ptr<Acceptor> acceptor);
  void serve_on(const ConnectionPtr& connection);
  asio::awaitable<void> serve(Connection& connection);
  asio::awaitable<bool> encrypt(Connection& connection);
  asio::awaitable<bool> serve_one(Connection& connection);
  asio::awaitable<bool> answer(Connection& connection, unsigned version, bool keep_alive, bool head_only);
  asio::awaitable<void> refuse(Connection& connection, int status, const std::string& why, const std::string& path);
  asio::awaitable<void> refuse_crowd(Connection& connection);
  asio::awaitable<bool> send(Connection& connection, const std::string& bytes);
  void read_ahead(const ConnectionPtr& connection);
  void take(const std::shared_ptr<asio::ip::tcp::acceptor>& acceptor);
  void take(const std::shared_ptr<asio::local::stream_protocol::acceptor>& acceptor);
  void close_acceptors();
  void stop_when_idle();
  bool idle() const { return connections.empty(); }

  asio::io_context loop{1};
  const HttpLimits limits;
  const Handler handler;
  const ErrorBody error_body;
  std::shared_ptr<asio::ip::tcp::acceptor> tcp;
  std::shared_ptr<asio::local::stream_protocol::acceptor> local;
  std::shared_ptr<const TlsIdentity> identity;  ///< null: TCP without TLS
  std::set<ConnectionPtr> connections;
  size_t encrypted = 0;  ///< of them
  std::filesystem::path socket_path;
  bool stopping = false;
  bool handed_over = false;  ///< stopping, as another process listens on
  std::chrono::milliseconds grace{0};
  asio::steady_timer stopper, lingerer;
  std::atomic<size_t> count{0};
};

template <typename Acceptor>
asio::awaitable<void> HttpServer::State::accept(std::shared_ptr<Acceptor> acceptor) {
  while (acceptor->is_open()) {
    auto [error, socket] = co_await acceptor->async_accept(kResult);
    if (error) {
      if (!acceptor->is_open()) break;
      // Out of descriptors, say: others will end.
      asio::steady_timer pause(loop, std::chrono::milliseconds(50));
      co_await pause.async_wait(kResult);
      continue;
    }
    Peer peer;
    beast::error_code ignored;
    if constexpr (std::is_same_v<Acceptor, asio::ip::tcp::acceptor>) {
      static_cast<void>(socket.set_option(asio::ip::tcp::no_delay(true), ignored));
      const auto remote = socket.remote_endpoint(ignored);
      peer.address = text_of(remote.address());
      peer.port = remote.port();
      peer.here = text_of(socket.local_endpoint(ignored).address());
      peer.encrypted = identity != nullptr;
      if (const auto other = security::loopback_peer(socket.native_handle())) peer.uid = other->uid;
    } else {
      peer.local_socket = true;
      if (const auto other = security::unix_peer(socket.native_handle())) peer.uid = other->uid;
    }
    serve_on(std::make_shared<Connection>(Socket(std::move(socket)), std::move(peer)));
  }
}

void HttpServer::State::serve_on(const ConnectionPtr& connection) {
  const bool tls = connection->peer.encrypted;
  const bool full = connections.size() >= limits.connections;
  // There are no words for it before the handshake, which is what there is no room for.
  if (tls && (full || encrypted >= limits.encrypted_connections)) return;
  connections.insert(connection);
  count = connections.size();
  encrypted += tls ? 1 : 0;
  const auto ended = [this, connection, tls](const std::exception_ptr&) {
    if (connection->current) connection->current->gone();
    connection->stream.plain().close();  // read_ahead() may wait still
    connections.erase(connection);
    count = connections.size();
    encrypted -= tls ? 1 : 0;
    if (stopping && idle()) stopper.cancel();
  };
  if (full) {
    asio::co_spawn(loop, refuse_crowd(*connection), ended);
  } else {
    asio::co_spawn(loop, serve(*connection), ended);
  }
}

// The connection outlives the coroutines that serve it: whoever starts one keeps it until the end.
asio::awaitable<void> HttpServer::State::serve(Connection& connection) {
  bool more = !stopping || handed_over;
  if (more && connection.peer.encrypted) more = co_await encrypt(connection);
  while (more) {
    more = co_await serve_one(connection);
    more = more && !stopping;
  }
  if (Wire::Tls* tls = connection.stream.tls()) {
    // Tells that this is the end, and not somebody who cuts the line. read_ahead() may wait without a limit beside it.
    connection.farewell.expires_after(std::chrono::seconds(2));
    connection.farewell.async_wait([kept = connection.shared_from_this()](const beast::error_code& error) {
      if (!error) kept->stream.plain().close();
    });
    connection.stream.plain().expires_after(std::chrono::seconds(2));
    [[maybe_unused]] auto [ignored] = co_await tls->async_shutdown(kResult);
    connection.farewell.cancel();
  }
  say_goodbye(connection.stream);
}

// The handshake. Until the first byte nothing is set up for it, so that who says nothing costs little. False: it
// failed.
asio::awaitable<bool> HttpServer::State::encrypt(Connection& connection) {
  Wire& stream = connection.stream;
  stream.plain().expires_after(limits.header_time);  // for all of it
  char first = 0;
  {
    auto [error, bytes] = co_await stream.async_read_some(asio::buffer(&first, 1), kResult);
    if (error) co_return false;
  }
  if (first != kHandshake) {
    const std::string why = "this port speaks TLS; its address begins with https://";
    const std::string nowhere;
    co_await refuse(connection, 400, why, nowhere);
    co_return false;
  }
  SSL* state = identity->new_connection();
  if (state == nullptr) co_return false;
  stream.encrypt(state);
  const asio::const_buffer begun(&first, 1);
  auto [error, bytes] = co_await stream.tls()->async_handshake(asio::ssl::stream_base::server, begun, kResult);
  co_return !error;
}

// False: the connection has ended.
asio::awaitable<bool> HttpServer::State::serve_one(Connection& connection) {
  Wire& stream = connection.stream;
  while (connection.reading) {
    connection.news.expires_after(limits.idle_time);
    auto [woken] = co_await connection.news.async_wait(kResult);
    if (!woken) co_return false;
  }
  if (connection.over) co_return false;
  // Until a request begins, a connection may be idle for long; then its headers have to come soon.
  if (connection.buffer.size() == 0) {
    stream.plain().expires_after(limits.idle_time);
    auto [error, bytes] = co_await stream.async_read_some(connection.buffer.prepare(4096), kResult);
    if (error) co_return false;
    connection.buffer.commit(bytes);
  }
  Parser parser;
  parser.header_limit(limits.header_bytes);
  parser.body_limit(limits.body_bytes);
  stream.plain().expires_after(limits.header_time);
  beast::error_code failed;
  {
    auto [error, bytes] = co_await http::async_read_header(stream, connection.buffer, parser, kResult);
    failed = error;
  }
  if (!failed && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    const std::string leave = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!co_await send(connection, leave)) co_return false;
  }
  if (!failed) {
    stream.plain().expires_after(limits.body_time);
    auto [error, bytes] = co_await http::async_read(stream, connection.buffer, parser, kResult);
    failed = error;
  }
  if (failed) {
    const int status = status_of(failed);
    std::string why = failed.message();
    if (status == 400) why = "this is not HTTP: " + why;
    const std::string path = target_of(parser).path;  // empty where it did not get so far
    if (status != 0) co_await refuse(connection, status, why, path);
    co_return false;
  }
  stream.plain().expires_never();
  const unsigned version = parser.get().version();
  const bool keep_alive = parser.get().keep_alive() && !stopping;
  const auto executor = stream.get_executor();
  const std::weak_ptr<Connection> weak = connection.weak_from_this();
  connection.current = std::make_shared<Exchange>(
      request_of(parser, connection.peer),
      [executor, weak] {
        asio::post(executor, [weak] {
          if (const auto alive = weak.lock()) alive->news.cancel();
        });
      },
      limits.waiting_bytes);
  const auto exchange = connection.current;
  read_ahead(connection.shared_from_this());
  try {
    handler(exchange);
  } catch (const std::exception&) {  // a mistake of ours; what it says may hold what the client sent
    exchange->respond(error_body(500, "internal error", exchange->request().path));
  }
  const bool head_only = exchange->request().method == "HEAD";
  const bool done = co_await answer(connection, version, keep_alive, head_only);
  done ? exchange->sent() : exchange->gone();
  connection.current.reset();
  const bool goes_on = done && keep_alive && !stopping;
  co_return goes_on;
}

// Reads while an answer is made: what comes is the beginning of the next request, or that the other end has gone. Once
// there are bytes, nobody looks further.
void HttpServer::State::read_ahead(const ConnectionPtr& connection) {
  if (connection->reading || connection->buffer.size() != 0) return;
  connection->reading = true;
  connection->stream.async_read_some(connection->buffer.prepare(4096),
                                     [connection](const beast::error_code& error, size_t bytes) {
                                       connection->reading = false;
                                       connection->over = static_cast<bool>(error);
                                       connection->buffer.commit(bytes);
                                       if (error && connection->current) connection->current->gone();
                                       connection->news.cancel();
                                     });
}

// Sends what the exchange has, as it comes. False: the other end is gone, or the connection can't go on.
asio::awaitable<bool> HttpServer::State::answer(Connection& connection, unsigned version, bool keep_alive,
                                                bool head_only) {
  const auto exchange = connection.current;
  const bool chunked = version >= 11;
  bool streaming = false, delimited = true;
  while (true) {
    if (exchange->is_gone()) co_return false;
    Exchange::Outgoing out = exchange->take();
    if (out.nothing()) {
      connection.news.expires_after(streaming && !out.ping.empty() ? limits.ping_time : std::chrono::hours(24));
      auto [woken] = co_await connection.news.async_wait(kResult);
      if (woken || out.ping.empty() || !streaming) continue;
      out.body = out.ping;
    }
    std::ostringstream bytes;
    if (out.head) {
      streaming = out.streamed;
      delimited = !streaming || chunked;
      auto head = head_of(*out.head, version, keep_alive && delimited);
      if (!streaming) head.content_length(out.body.size());
      if (streaming && chunked) head.chunked(true);
      bytes << head.base();  // the message itself would end an empty body
    }
    if (!head_only && !out.body.empty()) {
      const bool chunk = streaming && chunked;
      if (chunk) bytes << std::hex << out.body.size() << "\r\n";
      bytes << out.body;
      if (chunk) bytes << "\r\n";
    }
    if (out.ended && streaming && chunked && !head_only) bytes << "0\r\n\r\n";
    const std::string piece = std::move(bytes).str();
    if (!co_await send(connection, piece)) co_return false;
    if (out.ended) co_return delimited;
  }
}

asio::awaitable<bool> HttpServer::State::send(Connection& connection, const std::string& bytes) {
  connection.stream.plain().expires_after(limits.send_time);
  auto [error, sent] = co_await asio::async_write(connection.stream, asio::buffer(bytes), kResult);
  connection.stream.plain().expires_never();
  co_return !error;
}

asio::awaitable<void> HttpServer::State::refuse(Connection& connection, int status, const std::string& why,
                                                const std::string& path) {
  HttpResponse response = error_body(status, why, path);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  std::ostringstream bytes;
  auto head = head_of(response, 11, false);
  head.content_length(response.body.size());
  bytes << head.base() << response.body;
  const std::string answer = std::move(bytes).str();
  co_await send(connection, answer);
  // What it still sends would reset the connection, and with it the answer: take some of that first.
  if (connection.stream.tls() == nullptr) say_goodbye(connection.stream);
  connection.stream.plain().expires_after(std::chrono::seconds(2));
  for (int pieces = 0; pieces < 256; ++pieces) {
    connection.buffer.clear();
    auto [error, bytes_read] = co_await connection.stream.async_read_some(connection.buffer.prepare(65536), kResult);
    if (error) break;
  }
}

asio::awaitable<void> HttpServer::State::refuse_crowd(Connection& connection) {
  const std::string why = "too many connections; try again in a second";
  const std::string nowhere;
  co_await refuse(connection, 503, why, nowhere);
}

void HttpServer::State::take(const std::shared_ptr<asio::ip::tcp::acceptor>& acceptor) {
  tcp = acceptor;
  asio::co_spawn(loop, accept(acceptor), asio::detached);
}

void HttpServer::State::take(const std::shared_ptr<asio::local::stream_protocol::acceptor>& acceptor) {
  local = acceptor;
  asio::co_spawn(loop, accept(acceptor), asio::detached);
}

void HttpServer::State::close_acceptors() {
  beast::error_code ignored;
  if (tcp) static_cast<void>(tcp->close(ignored));
  if (local) static_cast<void>(local->close(ignored));
  if (!socket_path.empty()) {
    std::error_code failed;
    std::filesystem::remove(socket_path, failed);
  }
}

// Answers in progress are completed, within the grace.
void HttpServer::State::stop_when_idle() {
  if (idle()) return loop.stop();
  stopper.expires_after(grace);
  stopper.async_wait([this](const beast::error_code&) {
    const auto left = connections;
    for (const ConnectionPtr& connection : left)
      if (connection->current) connection->current->gone();
    loop.stop();
  });
}

HttpServer::HttpServer(const HttpLimits& limits, Handler handler, ErrorBody error_body)
    : state_(std::make_unique<State>(limits, std::move(handler), std::move(error_body))) {}

HttpServer::~HttpServer() = default;

base::Result<HttpServer::Address> HttpServer::resolve(const std::string& host, uint16_t port) {
  beast::error_code error;
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), asio::ip::tcp::resolver::passive, error);
  if (error || found.empty())
    return Error{ErrorCode::invalid_argument, "--host: '" + host + "' is no address of this machine"};
  const asio::ip::tcp::endpoint endpoint = found.begin()->endpoint();
  return Address{endpoint.address().to_string(), port, endpoint.address().is_loopback()};
}

void HttpServer::use_tls(std::shared_ptr<const TlsIdentity> identity) {
  state_->identity = std::move(identity);
}

base::Result<uint16_t> HttpServer::listen(const Address& address) {
  beast::error_code error;
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address.ip, error), address.port);
  auto acceptor = std::make_shared<asio::ip::tcp::acceptor>(state_->loop);
  if (!error) error = open_acceptor(*acceptor, endpoint);
  if (error) return listen_error(error, address.ip + ":" + std::to_string(address.port));
  state_->take(acceptor);
  return acceptor->local_endpoint(error).port();
}

base::Status HttpServer::listen(const std::filesystem::path& socket) {
  using Local = asio::local::stream_protocol;
  if (socket.string().size() > 100)
    return Error{ErrorCode::invalid_argument, "the socket's path is too long: " + socket.string()};
  std::error_code failed;
  std::filesystem::create_directories(socket.parent_path(), failed);
  std::filesystem::permissions(socket.parent_path(), std::filesystem::perms::owner_all, failed);
  if (failed) return Error{ErrorCode::permission_denied, "cannot use the folder " + socket.parent_path().string()};
  beast::error_code error;
  {
    Local::socket probe(state_->loop);
    static_cast<void>(probe.connect(Local::endpoint(socket.string()), error));
    if (!error) return Error{ErrorCode::busy, "another server listens on " + socket.string() + " already"};
  }
  std::filesystem::remove(socket, failed);
  auto acceptor = std::make_shared<Local::acceptor>(state_->loop);
  const mode_t before = umask(0177);
  error = open_acceptor(*acceptor, Local::endpoint(socket.string()));
  umask(before);
  if (error) return listen_error(error, socket.string());
  state_->socket_path = socket;
  state_->take(acceptor);
  return {};
}

base::Result<uint16_t> HttpServer::adopt_tcp(const base::FileDescriptor& listener, const Address& address) {
  beast::error_code error;
  const auto ip = asio::ip::make_address(address.ip, error);
  auto acceptor = std::make_shared<asio::ip::tcp::acceptor>(state_->loop);
  if (!error)
    static_cast<void>(acceptor->assign(asio::ip::tcp::endpoint(ip, 0).protocol(), copy_of(listener.get()), error));
  if (error) return Error{ErrorCode::invalid_argument, "cannot take over a socket: " + error.message()};
  const auto endpoint = acceptor->local_endpoint(error);
  if (error || endpoint.address() != ip || (address.port != 0 && endpoint.port() != address.port))
    return Error{ErrorCode::invalid_argument, "what was handed over listens elsewhere"};
  state_->take(acceptor);
  return endpoint.port();
}

base::Status HttpServer::adopt_socket(const base::FileDescriptor& listener, const std::filesystem::path& socket) {
  using Local = asio::local::stream_protocol;
  beast::error_code error;
  auto acceptor = std::make_shared<Local::acceptor>(state_->loop);
  static_cast<void>(acceptor->assign(Local(), copy_of(listener.get()), error));
  if (error) return Error{ErrorCode::invalid_argument, "cannot take over a socket: " + error.message()};
  state_->socket_path = socket;
  state_->take(acceptor);
  return {};
}

HttpServer::Listeners HttpServer::listeners() const {
  const auto copy = [](const auto& acceptor) {
    return base::FileDescriptor(acceptor ? copy_of(acceptor->native_handle()) : -1);
  };
  return {copy(state_->tcp), copy(state_->local)};
}

void HttpServer::run(std::chrono::milliseconds grace) {
  state_->grace = grace;
  state_->loop.run();
}

void HttpServer::stop() {
  asio::post(state_->loop, [state = state_.get()] {
    if (std::exchange(state->stopping, true)) return;
    state->close_acceptors();
    // Those between requests go at once, the others when they are done or their time is over.
    for (const ConnectionPtr& connection : state->connections)
      if (!connection->current) connection->stream.plain().cancel();
    state->stop_when_idle();
  });
}

void HttpServer::hand_over(bool with_socket) {
  asio::post(state_->loop, [state = state_.get(), with_socket] {
    if (std::exchange(state->stopping, true)) return;
    state->handed_over = true;
    if (with_socket) state->socket_path.clear();
    state->close_acceptors();
    // Who has connected may be about to ask: the next server would never hear of it.
    state->lingerer.expires_after(state->limits.linger_time);
    state->lingerer.async_wait([state](const beast::error_code&) {
      for (const ConnectionPtr& connection : state->connections)
        if (!connection->current) connection->stream.plain().cancel();
    });
    state->stop_when_idle();
  });
}

void HttpServer::post(std::function<void()> function) {
  asio::post(state_->loop, std::move(function));
}

size_t HttpServer::connections() const {
  return state_->count;
}

}  // namespace ingle::server
