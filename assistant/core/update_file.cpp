#include "assistant/core/update_file.h"

#include <charconv>
#include <span>

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;

constexpr int kFormat = 1;
constexpr size_t kMostSummaryBytes = 200, kMostDigits = 6;

Error corrupt(const std::string& what) {
  return Error{ErrorCode::corrupt, "the description of updates is damaged: " + what};
}

std::string check_of(const Json& release) {
  const std::string text = release.dump(-1, ' ', false, Json::error_handler_t::replace);
  return base::hash128_hex(std::as_bytes(std::span(text)));
}

Result<std::string> read_text(const Json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return corrupt(std::string("no ") + member);
  return found->get<std::string>();
}

/// The number that `text` begins with, and takes it off, and the dot behind it where one has to follow.
bool take_number(std::string_view& text, bool dot, uint32_t& number) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > kMostDigits || (digits > 1 && text[0] == '0')) return false;
  const std::string_view part = text.substr(0, digits);
  std::from_chars(part.data(), part.data() + part.size(), number);
  text.remove_prefix(digits);
  if (!dot) return true;
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Result<Version> parse_version(std::string_view text) {
  Version version;
  std::string_view rest = text;
  if (take_number(rest, true, version.major) && take_number(rest, true, version.minor) &&
      take_number(rest, false, version.patch) && rest.empty())
    return version;
  return Error{ErrorCode::corrupt, "'" + base::escape_controls(text.substr(0, 64)) + "' is no version, as 1.20.3 is"};
}

std::string to_text(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(version.patch);
}

Result<Release> parse_update_file(std::string_view text) {
  INGLE_TRY(const Json file, base::parse_json(text, {.max_bytes = kMostUpdateFileBytes, .max_depth = 4}));
  if (!file.is_object() || !file.contains("version")) return corrupt("no version");
  if (file["version"] != kFormat)
    return Error{ErrorCode::unsupported, "the description of updates has version " +
                                             file["version"].dump(-1, ' ', true, Json::error_handler_t::replace) +
                                             "; this program reads version 1"};
  const auto object = file.find("release");
  if (object == file.end() || !object->is_object()) return corrupt("no release");
  INGLE_TRY(const std::string check, read_text(file, "check"));
  if (check != check_of(*object)) return corrupt("its checksum differs");
  INGLE_TRY(const std::string number, read_text(*object, "version"));
  Release release;
  INGLE_TRY(release.version, parse_version(number));
  INGLE_TRY(release.summary, read_text(*object, "summary"));
  if (release.summary.size() > kMostSummaryBytes || base::escape_controls(release.summary) != release.summary)
    return corrupt("its summary is no line of at most 200 bytes");
  return release;
}

std::string write_update_file(const Release& release) {
  const Json object = {{"version", to_text(release.version)}, {"summary", release.summary}};
  const Json file = {{"version", kFormat}, {"release", object}, {"check", check_of(object)}};
  return file.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ingle::assistant
