// TLS for a server's port: a certificate and its key from files, checked before anybody connects. OpenSSL's libssl is
// loaded when first used (libssl.cpp).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace ingle::server {

/// Both in PEM.
struct TlsFiles {
  std::filesystem::path certificate;  ///< the server's own, then those between it and its root
  std::filesystem::path key;          ///< without a passphrase
  bool named() const { return !certificate.empty() || !key.empty(); }
};

/// Who a server says that it is. For any thread.
class TlsIdentity {
 public:
  /// Errors: invalid_argument (one of the two is not named, they do not belong together, the key has a passphrase),
  /// not_found, permission_denied (others can read the key), corrupt (no certificate or key in a file, or one that is
  /// too weak), unsupported (no libssl), limit_exceeded, io_error.
  static base::Result<std::shared_ptr<const TlsIdentity>> load(const TlsFiles& files);

  /// The server's side of a new connection, the caller's to free; nullptr where there is no memory. It keeps what it
  /// needs of this.
  ssl_st* new_connection() const;
  /// What the person who runs the server should know: that the certificate has expired, or is not valid yet.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::vector<std::string> warnings_;
};

}  // namespace ingle::server
