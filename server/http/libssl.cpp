// libssl, loaded when first used: only a server for other machines speaks TLS, and every process would pay for the
// library. The functions of ssl.h that the server and Asio's ssl::stream call are defined here, and pass their
// arguments on to the library's. libcrypto is linked in the ordinary way: both load the same one.
#include "server/http/libssl.h"

#include <dlfcn.h>
#include <openssl/ssl.h>

namespace {

void* library() {
  static void* const loaded = ::dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
  return loaded;
}

void* loaded(const char* name) {
  return library() != nullptr ? ::dlsym(library(), name) : nullptr;
}

}  // namespace

namespace ingle::server {

bool libssl_is_here() {
  return library() != nullptr;
}

}  // namespace ingle::server

#define INGLE_LIBSSL(name) static const auto function = reinterpret_cast<decltype(&(name))>(loaded(#name))

extern "C" {

const SSL_METHOD* TLS_server_method() {
  INGLE_LIBSSL(TLS_server_method);
  return function();
}

SSL_CTX* SSL_CTX_new(const SSL_METHOD* method) {
  INGLE_LIBSSL(SSL_CTX_new);
  return function(method);
}

void SSL_CTX_free(SSL_CTX* context) {
  INGLE_LIBSSL(SSL_CTX_free);
  function(context);
}

long SSL_CTX_ctrl(SSL_CTX* context, int command, long number, void* pointer) {
  INGLE_LIBSSL(SSL_CTX_ctrl);
  return function(context, command, number, pointer);
}

uint64_t SSL_CTX_set_options(SSL_CTX* context, uint64_t options) {
  INGLE_LIBSSL(SSL_CTX_set_options);
  return function(context, options);
}

int SSL_CTX_set_cipher_list(SSL_CTX* context, const char* text) {
  INGLE_LIBSSL(SSL_CTX_set_cipher_list);
  return function(context, text);
}

int SSL_CTX_set_num_tickets(SSL_CTX* context, size_t count) {
  INGLE_LIBSSL(SSL_CTX_set_num_tickets);
  return function(context, count);
}

void SSL_CTX_set_alpn_select_cb(SSL_CTX* context, SSL_CTX_alpn_select_cb_func callback, void* argument) {
  INGLE_LIBSSL(SSL_CTX_set_alpn_select_cb);
  function(context, callback, argument);
}

int SSL_CTX_use_certificate(SSL_CTX* context, X509* certificate) {
  INGLE_LIBSSL(SSL_CTX_use_certificate);
  return function(context, certificate);
}

int SSL_CTX_use_PrivateKey(SSL_CTX* context, EVP_PKEY* key) {
  INGLE_LIBSSL(SSL_CTX_use_PrivateKey);
  return function(context, key);
}

int SSL_CTX_check_private_key(const SSL_CTX* context) {
  INGLE_LIBSSL(SSL_CTX_check_private_key);
  return function(context);
}

int SSL_select_next_proto(unsigned char** chosen, unsigned char* length, const unsigned char* own, unsigned own_length,
                          const unsigned char* offered, unsigned offered_length) {
  INGLE_LIBSSL(SSL_select_next_proto);
  return function(chosen, length, own, own_length, offered, offered_length);
}

SSL* SSL_new(SSL_CTX* context) {
  INGLE_LIBSSL(SSL_new);
  return function(context);
}

void SSL_free(SSL* ssl) {
  INGLE_LIBSSL(SSL_free);
  function(ssl);
}

long SSL_ctrl(SSL* ssl, int command, long number, void* pointer) {
  INGLE_LIBSSL(SSL_ctrl);
  return function(ssl, command, number, pointer);
}

void* SSL_get_ex_data(const SSL* ssl, int index) {
  INGLE_LIBSSL(SSL_get_ex_data);
  return function(ssl, index);
}

int SSL_set_ex_data(SSL* ssl, int index, void* data) {
  INGLE_LIBSSL(SSL_set_ex_data);
  return function(ssl, index, data);
}

void SSL_set_bio(SSL* ssl, BIO* reader, BIO* writer) {
  INGLE_LIBSSL(SSL_set_bio);
  function(ssl, reader, writer);
}

int SSL_accept(SSL* ssl) {
  INGLE_LIBSSL(SSL_accept);
  return function(ssl);
}

int SSL_connect(SSL* ssl) {
  INGLE_LIBSSL(SSL_connect);
  return function(ssl);
}

int SSL_read(SSL* ssl, void* bytes, int count) {
  INGLE_LIBSSL(SSL_read);
  return function(ssl, bytes, count);
}

int SSL_write(SSL* ssl, const void* bytes, int count) {
  INGLE_LIBSSL(SSL_write);
  return function(ssl, bytes, count);
}

int SSL_shutdown(SSL* ssl) {
  INGLE_LIBSSL(SSL_shutdown);
  return function(ssl);
}

int SSL_get_shutdown(const SSL* ssl) {
  INGLE_LIBSSL(SSL_get_shutdown);
  return function(ssl);
}

int SSL_get_error(const SSL* ssl, int result) {
  INGLE_LIBSSL(SSL_get_error);
  return function(ssl, result);
}

}  // extern "C"
