#include "server/app/assets.h"

#include <algorithm>
#include <utility>

namespace ingle::server {
namespace {

// Scripts, styles, fonts and requests of this server alone; images also of what the person chose (blob:). No text
// becomes markup or script, whoever wrote it (Trusted Types).
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; img-src 'self' "
    "blob:; "
    "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for "
    "'script'; trusted-types 'none'";

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".woff2", "font/woff2"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
};

std::string_view type_of(std::string_view path) {
  for (const auto& [ending, type] : kTypes)
    if (path.ends_with(ending)) return type;
  return "application/octet-stream";
}

}  // namespace

const Asset* find_asset(std::string_view path) {
  if (path == "/") path = "/index.html";
  const auto assets = all_assets();
  const auto found = std::ranges::find(assets, path, &Asset::path);
  return found == assets.end() ? nullptr : &*found;
}

HttpResponse asset_response(const Asset& asset, const HttpRequest& request) {
  const std::string tag = "\"" + std::string(asset.hash) + "\"";
  HttpResponse response;
  response.content_type = type_of(asset.path);
  response.headers = {{"ETag", tag},
                      {"Cache-Control", "no-cache"},  // asked for again each time, and answered with 304
                      {"Content-Security-Policy", std::string(kPolicy)},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"},
                      {"Cross-Origin-Resource-Policy", "same-origin"},
                      {"X-Frame-Options", "DENY"}};
  if (request.header("if-none-match") == tag) {
    response.status = 304;
  } else {
    response.body = asset.bytes;
  }
  return response;
}

}  // namespace ingle::server
