#include "server/http/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/files.h"
#include "server/http/libssl.h"

namespace ingle::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 20;
constexpr int kMaxChain = 16;

struct Release {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

/// What OpenSSL says went wrong last: "ee key too small".
std::string reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(code);
  ERR_clear_error();
  return text != nullptr ? text : "OpenSSL refuses it";
}

Owned<BIO> reader_of(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Nobody is asked for a passphrase; notes that one was wanted.
int no_passphrase(char*, int, int, void* wanted) {
  *static_cast<bool*>(wanted) = true;
  return 0;
}

// The owner of the key alone may read it, and no group but one that the system's administrator chose (Debian keeps keys
// as root:ssl-cert, 0640).
Status check_private(const std::filesystem::path& path) {
  const base::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat info = {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return base::errno_error(errno, "open the key", path);
  if (info.st_uid != ::geteuid() && info.st_uid != 0)
    return Error{ErrorCode::permission_denied, "the key " + path.string() + " belongs to another user"};
  const bool group_may_read = info.st_uid == 0 && ::geteuid() != 0;
  if ((info.st_mode & (group_may_read ? 037 : 077)) != 0)
    return Error{ErrorCode::permission_denied,
                 "others can read the key " + path.string() +
                     "; make it yours alone (chmod 600), and a new one if they may have read it"};
  return {};
}

Status use_certificates(SSL_CTX* context, const std::filesystem::path& path, std::vector<std::string>& warnings) {
  INGLE_TRY(const std::string text, base::read_file(path, kMaxFileBytes));
  const Owned<BIO> reader = reader_of(text);
  const Owned<X509> own(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
  if (!own) {
    ERR_clear_error();
    return Error{ErrorCode::corrupt, path.string() + " holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"};
  }
  if (SSL_CTX_use_certificate(context, own.get()) != 1)
    return Error{ErrorCode::corrupt, "the certificate in " + path.string() + " can't be used: " + reason()};
  for (int i = 0; i < kMaxChain; ++i) {
    const Owned<X509> next(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1)
      return Error{ErrorCode::corrupt, "a further certificate in " + path.string() + " can't be used: " + reason()};
  }
  ERR_clear_error();  // the end of the file counts as one
  if (X509_cmp_current_time(X509_get0_notAfter(own.get())) < 0)
    warnings.push_back("the certificate in " + path.string() + " has expired; clients will refuse it");
  else if (X509_cmp_current_time(X509_get0_notBefore(own.get())) > 0)
    warnings.push_back("the certificate in " + path.string() + " is not valid yet; clients will refuse it");
  return {};
}

Status use_key(SSL_CTX* context, const TlsFiles& files) {
  INGLE_CHECK(check_private(files.key));
  INGLE_TRY(std::string text, base::read_file(files.key, kMaxFileBytes));
  bool passphrase = false;
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(reader_of(text).get(), nullptr, no_passphrase, &passphrase));
  OPENSSL_cleanse(text.data(), text.size());
  if (passphrase) {
    ERR_clear_error();
    return Error{ErrorCode::invalid_argument, "the key " + files.key.string() +
                                                  " has a passphrase, which nobody is here to type; 'openssl pkey -in "
                                                  "OLD -out NEW' writes it without"};
  }
  if (!key) {
    ERR_clear_error();
    return Error{ErrorCode::corrupt, files.key.string() + " holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"};
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return Error{ErrorCode::invalid_argument,
                 "the key " + files.key.string() + " does not belong to the certificate " + files.certificate.string()};
  }
  return {};
}

/// HTTP/1.1 where the client offers it; who offers only others is told so before it sends any of them.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned size, void*) {
  static constexpr unsigned char own[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  const int verdict = SSL_select_next_proto(&found, length, own, sizeof own, offered, size);
  if (verdict != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

// TLS 1.2 with forward secrecy and authenticated encryption, or 1.3. A session is not kept, so that an idle client
// costs nothing once it has gone.
bool set_rules(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 && SSL_CTX_set_num_tickets(context, 0) == 1 &&
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

}  // namespace

void TlsIdentity::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::load(const TlsFiles& files) {
  if (files.certificate.empty() || files.key.empty())
    return Error{ErrorCode::invalid_argument, "TLS needs both --tls-cert and --tls-key"};
  if (!libssl_is_here())
    return Error{ErrorCode::unsupported, "libssl.so.3, which TLS needs, is not here; install the package libssl3"};
  auto identity = std::make_shared<TlsIdentity>();
  identity->context_.reset(SSL_CTX_new(TLS_server_method()));
  if (!identity->context_ || !set_rules(identity->context_.get()))
    return Error{ErrorCode::internal, "cannot set up TLS: " + reason()};
  INGLE_CHECK(use_certificates(identity->context_.get(), files.certificate, identity->warnings_));
  INGLE_CHECK(use_key(identity->context_.get(), files));
  return std::shared_ptr<const TlsIdentity>(std::move(identity));
}

ssl_st* TlsIdentity::new_connection() const {
  return SSL_new(context_.get());
}

}  // namespace ingle::server
