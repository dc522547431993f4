// A connection's bytes, as they are or inside TLS. One type for both: what serves connections need not know which.
// Boost's types, so http_server.cpp alone includes it.
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <optional>
#include <utility>

namespace ingle::server {

class Wire {
 public:
  using Plain = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;
  using Tls = boost::asio::ssl::stream<Plain&>;
  using executor_type = Plain::executor_type;
  using Done = void(boost::system::error_code, std::size_t);

  explicit Wire(Plain::socket_type socket) : plain_(std::move(socket)) {}

  executor_type get_executor() { return plain_.get_executor(); }
  /// Below TLS: the socket, and the time that operations may take.
  Plain& plain() { return plain_; }
  /// nullptr: bytes go as they are.
  Tls* tls() { return tls_ ? &*tls_ : nullptr; }
  /// From here on, what is read and written goes through TLS. Takes over `state`; nothing may be in progress.
  void encrypt(SSL* state) { tls_.emplace(plain_, state); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, Done>(
        [this](auto handler, const Buffers& into) {
          tls_ ? tls_->async_read_some(into, std::move(handler)) : plain_.async_read_some(into, std::move(handler));
        },
        token, buffers);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, Done>(
        [this](auto handler, const Buffers& from) {
          tls_ ? tls_->async_write_some(from, std::move(handler)) : plain_.async_write_some(from, std::move(handler));
        },
        token, buffers);
  }

 private:
  Plain plain_;
  std::optional<Tls> tls_;
};

}  // namespace ingle::server
