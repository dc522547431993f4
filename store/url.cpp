#include "store/url.h"

#include <curl/curl.h>

#include <memory>

namespace ingle::store {
namespace {

struct UrlHandleDeleter {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlHandleDeleter>;

std::string url_part(CURLU* handle, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, part, &text, flags) != CURLUE_OK || text == nullptr) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const UrlHandle handle(curl_url());
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK)
    return std::nullopt;
  Url out;
  out.scheme = lower(url_part(handle.get(), CURLUPART_SCHEME));
  if (out.scheme != "https" && out.scheme != "http") return std::nullopt;
  out.host = lower(url_part(handle.get(), CURLUPART_HOST));
  out.port = url_part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  out.user = url_part(handle.get(), CURLUPART_USER, CURLU_URLDECODE);
  out.password = url_part(handle.get(), CURLUPART_PASSWORD, CURLU_URLDECODE);
  out.path = url_part(handle.get(), CURLUPART_PATH);
  out.fragment = url_part(handle.get(), CURLUPART_FRAGMENT);
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_FRAGMENT})
    curl_url_set(handle.get(), part, nullptr, 0);
  out.without_credentials = url_part(handle.get(), CURLUPART_URL);
  if (out.host.empty() || out.without_credentials.empty()) return std::nullopt;
  return out;
}

std::string resolve_url(std::string_view base, std::string_view reference) {
  const UrlHandle handle(curl_url());
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, std::string(base).c_str(), 0) != CURLUE_OK) return {};
  // Credentials never travel into what a page links to; the caller adds them again for the same origin.
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS})
    curl_url_set(handle.get(), part, nullptr, 0);
  if (curl_url_set(handle.get(), CURLUPART_URL, std::string(reference).c_str(), 0) != CURLUE_OK) return {};
  return url_part(handle.get(), CURLUPART_URL);
}

bool same_origin(const Url& a, const Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

std::string redact_url(std::string_view text) {
  std::string out(text);
  const size_t start = out.find("://");
  if (start == std::string::npos) return out;
  const size_t end = std::min(out.find_first_of("/?#", start + 3), out.size());
  const size_t at = out.rfind('@', end);
  if (at != std::string::npos && at > start + 2 && at < end) out.replace(start + 3, at - start - 3, "***");
  return out;
}

std::string percent_encode(std::string_view text, bool keep_slashes) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (keep_slashes && c == '/');
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace ingle::store
