// OpenSSL's libssl, loaded when first used.
#pragma once

namespace ingle::server {

/// Whether it can be loaded. Where it can't, none of its functions may be called.
bool libssl_is_here();

}  // namespace ingle::server
