#include "store/package_index.h"

#include <algorithm>

#include "base/json.h"
#include "store/address.h"
#include "store/system.h"
#include "store/url.h"

namespace ingle::store {

const char* const simple_index_accept =
    "Accept: application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

namespace {

using base::Json;

constexpr size_t max_page_bytes = size_t{64} << 20;
constexpr size_t max_files = 100000;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

// "&amp;" and its kin; an entity that we do not know stays as it is.
std::string decode_entities(std::string_view text) {
  static constexpr std::pair<std::string_view, char> entities[] = {{"&amp;", '&'},  {"&lt;", '<'},   {"&gt;", '>'},
                                                                   {"&quot;", '"'}, {"&#39;", '\''}, {"&#x27;", '\''}};
  std::string out;
  while (!text.empty()) {
    const auto* const known = std::find_if(std::begin(entities), std::end(entities),
                                           [&](const auto& entity) { return text.starts_with(entity.first); });
    out += known != std::end(entities) ? known->second : text.front();
    text.remove_prefix(known != std::end(entities) ? known->first.size() : 1);
  }
  return out;
}

struct Attribute {
  std::string name;
  std::string value;
};

// One attribute from the front of a tag's inside, after HTML's syntax: name, name=value, name='value', name="value".
std::optional<Attribute> take_attribute(std::string_view& text) {
  while (!text.empty() && (is_space(text.front()) || text.front() == '/')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  Attribute out;
  size_t end = 0;
  while (end < text.size() && !is_space(text[end]) && text[end] != '=') ++end;
  out.name = to_lower(text.substr(0, end));
  text.remove_prefix(std::max<size_t>(end, 1));
  std::string_view rest = text;
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  if (!rest.starts_with('=')) return out;
  rest.remove_prefix(1);
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  if (rest.starts_with('"') || rest.starts_with('\'')) {
    const size_t close = std::min(rest.find(rest.front(), 1), rest.size());
    out.value = decode_entities(rest.substr(1, close - 1));
    rest.remove_prefix(std::min(close + 1, rest.size()));
  } else {
    size_t length = 0;
    while (length < rest.size() && !is_space(rest[length])) ++length;
    out.value = decode_entities(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  text = rest;
  return out;
}

// Where the tag that starts before `from` ends; a '>' inside quotes does not end it.
size_t tag_end(std::string_view html, size_t from) {
  char quote = 0;
  for (size_t i = from; i < html.size(); ++i) {
    if (quote != 0) {
      if (html[i] == quote) quote = 0;
    } else if (html[i] == '"' || html[i] == '\'') {
      quote = html[i];
    } else if (html[i] == '>') {
      return i;
    }
  }
  return html.size();
}

std::string_view fragment_of(std::string_view url) {
  const size_t hash = url.find('#');
  return hash == std::string_view::npos ? std::string_view() : url.substr(hash + 1);
}

std::string last_path_component(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  return percent_decode(url.substr(url.rfind('/') + 1));
}

void add_file(std::vector<IndexFile>& files, IndexFile file, std::string_view page_url, std::string_view href) {
  // A name with a separator would be no file name; nothing uses it as a path, but nothing should have to care.
  if (file.file_name.empty() || file.file_name.find('/') != std::string::npos) return;
  file.url = resolve_url(page_url, href.substr(0, href.find('#')));
  if (!file.url.empty()) files.push_back(std::move(file));
}

Result<std::vector<IndexFile>> parse_html(std::string_view html, std::string_view page_url) {
  std::vector<IndexFile> files;
  std::string base_url(page_url);
  for (size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
    if (html.substr(at).starts_with("<!--")) {
      at = html.find("-->", at);
      if (at == std::string_view::npos) break;
      continue;
    }
    const std::string name =
        to_lower(html.substr(at + 1, std::min(html.find_first_of(" \t\n\r\f>/", at + 1), html.size()) - at - 1));
    if (name != "a" && name != "base") continue;
    const size_t end = tag_end(html, at + 1);
    std::string_view inside = html.substr(at + 1 + name.size(), end - at - 1 - name.size());
    std::string href;
    IndexFile file;
    while (const std::optional<Attribute> attribute = take_attribute(inside)) {
      if (attribute->name == "href") href = attribute->value;
      if (attribute->name == "data-yanked") file.yanked = true;
    }
    if (name == "base" && !href.empty()) {
      if (std::string resolved = resolve_url(page_url, href); !resolved.empty()) base_url = std::move(resolved);
    } else if (name == "a" && !href.empty()) {
      if (files.size() >= max_files) return Error{ErrorCode::limit_exceeded, "the package index page is too long"};
      const std::string_view fragment = fragment_of(href);
      if (fragment.starts_with("sha256=")) file.sha256 = to_lower(fragment.substr(7));
      if (!is_sha256_hex(file.sha256)) file.sha256.clear();
      file.file_name = last_path_component(href);
      add_file(files, std::move(file), base_url, href);
    }
    at = end == html.size() ? end - 1 : end;
  }
  return files;
}

Result<std::vector<IndexFile>> parse_json_page(std::string_view body, std::string_view page_url) {
  INGLE_TRY(const Json json, base::parse_json(body, {.max_bytes = max_page_bytes, .max_depth = 32}));
  const Error broken{ErrorCode::corrupt, "the package index's answer is malformed"};
  if (!json.is_object() || !json.contains("files") || !json["files"].is_array()) return broken;
  if (json.contains("meta") && json["meta"].is_object() && json["meta"].contains("api-version") &&
      json["meta"]["api-version"].is_string() &&
      !json["meta"]["api-version"].get_ref<const std::string&>().starts_with("1."))
    return Error{ErrorCode::unsupported, "the package index speaks another version of the simple API than 1"};
  std::vector<IndexFile> files;
  for (const Json& item : json["files"]) {
    if (files.size() >= max_files) return Error{ErrorCode::limit_exceeded, "the package index page is too long"};
    if (!item.is_object() || !item.contains("url") || !item["url"].is_string() || !item.contains("filename") ||
        !item["filename"].is_string())
      return broken;
    IndexFile file;
    file.file_name = item["filename"].get<std::string>();
    if (item.contains("hashes") && item["hashes"].is_object() && item["hashes"].contains("sha256") &&
        item["hashes"]["sha256"].is_string())
      file.sha256 = to_lower(item["hashes"]["sha256"].get_ref<const std::string&>());
    if (!is_sha256_hex(file.sha256)) file.sha256.clear();
    if (item.contains("size") && item["size"].is_number_unsigned()) file.size = item["size"].get<uint64_t>();
    if (item.contains("yanked")) file.yanked = item["yanked"].is_string() || item["yanked"] == true;
    const std::string href = item["url"].get<std::string>();
    add_file(files, std::move(file), page_url, href);
  }
  return files;
}

}  // namespace

Result<std::vector<IndexFile>> parse_simple_index(std::string_view content_type, std::string_view body,
                                                  std::string_view page_url) {
  if (body.size() > max_page_bytes) return Error{ErrorCode::limit_exceeded, "the package index page is too long"};
  const std::string type = to_lower(content_type);
  if (type.starts_with("application/vnd.pypi.simple.v1+json")) return parse_json_page(body, page_url);
  if (type.starts_with("application/vnd.pypi.simple.v1+html") || type.starts_with("text/html"))
    return parse_html(body, page_url);
  return Error{ErrorCode::corrupt, "the package index answered with '" + type.substr(0, 60) + "', not a package page"};
}

std::string normalise_package_name(std::string_view name) {
  std::string out;
  for (const char c : to_lower(name)) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator) out += c;
    if (separator && !out.ends_with('-')) out += '-';
  }
  return out;
}

bool is_wheel_of(std::string_view file_name, std::string_view package, std::string_view version) {
  // NAME-VERSION(-BUILD)?-PYTHON-ABI-PLATFORM.whl; NAME and VERSION hold no '-' (PEP 427 escapes it as '_').
  if (!file_name.ends_with("-none-any.whl")) return false;
  const size_t name_end = file_name.find('-');
  const size_t version_end = file_name.find('-', name_end + 1);
  if (version_end == std::string_view::npos) return false;
  const auto unescape = [](std::string_view text) {
    std::string out = to_lower(text);
    std::replace(out.begin(), out.end(), '_', '-');
    return out;
  };
  return normalise_package_name(file_name.substr(0, name_end)) == normalise_package_name(package) &&
         unescape(file_name.substr(name_end + 1, version_end - name_end - 1)) == unescape(version);
}

std::optional<IndexFile> choose_wheel(const std::vector<IndexFile>& files, std::string_view package,
                                      std::string_view version) {
  std::optional<IndexFile> chosen;
  for (const IndexFile& file : files) {
    if (!is_wheel_of(file.file_name, package, version)) continue;
    if (!chosen || (chosen->yanked && !file.yanked)) chosen = file;
  }
  return chosen;
}

}  // namespace ingle::store
