// The web app's files, which are part of the program (web/dist).
#pragma once

#include <span>
#include <string_view>

#include "server/http/exchange.h"

namespace ingle::server {

struct Asset {
  std::string_view path;  ///< "/app.js"
  std::string_view hash;  ///< of its bytes, in hexadecimal
  std::string_view bytes;
};

/// Generated from the files of web/dist, by their paths.
std::span<const Asset> all_assets();

/// "/" is the page itself. Null: there is none at this path.
const Asset* find_asset(std::string_view path);

/// The file, or 304 where the browser has it; with what keeps a page from loading, running and sending anything that is
/// not ours.
HttpResponse asset_response(const Asset& asset, const HttpRequest& request);

}  // namespace ingle::server
