// Reading config.toml: a flat table of settings by their names.
//
//   model = "smollm2-135m"
//   threads = 2
//   stop = ["###", "END"]
#include <toml++/toml.h>

#include <charconv>

#include "base/files.h"
#include "base/utf8.h"
#include "cli/settings.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr uint64_t max_file_bytes = 1u << 20;
constexpr size_t max_key_parts = 64;

/// The line with a key of more than `max_key_parts` parts, or 0. toml++ makes a table of each part of "a.b.c", without
/// a bound, and takes them down one inside the other: a long enough key would end the stack.
size_t line_of_endless_key(std::string_view text) {
  size_t line = 1, parts = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      // A part in quotes ends on its line; an escaped quote does not end it.
      for (++i; i < text.size() && text[i] != c && text[i] != '\n'; ++i) {
        if (c == '"' && text[i] == '\\' && i + 1 < text.size() && text[i + 1] != '\n') ++i;
      }
      if (i < text.size() && text[i] == '\n') --i;
    } else if (c == '.') {
      parts = text.substr(0, i).ends_with('.') ? 0 : parts + 1;  // ".." is no key
      if (parts > max_key_parts) return line;
    } else if (c == '\n' || std::string_view("=,[]{}#").find(c) != std::string_view::npos) {
      parts = 0;
      line += c == '\n' ? 1 : 0;
    }
  }
  return 0;
}

/// The text of a scalar as a flag would carry it, or nothing for a table, date or array.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) {
    char shortest[32];
    return std::string(shortest, std::to_chars(shortest, shortest + sizeof shortest, number->get()).ptr);
  }
  return std::nullopt;
}

/// Whether the TOML type suits the option, so that `threads = "2"` is refused as TOML users expect.
bool type_fits(const Option& option, const toml::node& node) {
  switch (option.type) {
    case ValueType::flag:
    case ValueType::toggle:
      return node.is_boolean();
    case ValueType::integer:
      return node.is_integer();
    case ValueType::number:
      return node.is_number();
    case ValueType::bytes:
      return node.is_integer() || node.is_string();
    case ValueType::choice:
      return node.is_string() || node.is_integer();
    case ValueType::text:
    case ValueType::path:
    case ValueType::model:
      return node.is_string();
  }
  return false;
}

std::string_view expected_type(const Option& option) {
  switch (option.type) {
    case ValueType::flag:
    case ValueType::toggle:
      return "true or false";
    case ValueType::integer:
      return "a whole number";
    case ValueType::number:
      return "a number";
    case ValueType::bytes:
      return "a number of bytes or a text such as \"4G\"";
    default:
      return "a text in quotes";
  }
}

Error error_at(const std::filesystem::path& path, size_t line, const std::string& message) {
  return {ErrorCode::invalid_argument, path.string() + ":" + std::to_string(line) + ": " + message};
}

Error unknown_key(const std::filesystem::path& path, size_t line, std::string_view key) {
  std::vector<std::string_view> names;
  for (const Option& option : all_settings()) names.push_back(option.name);
  const std::string_view near = nearest(key, names);
  return error_at(path, line,
                  "unknown key '" + std::string(key) + "'; " +
                      (near.empty() ? "see 'ingle config' for the keys" : "did you mean '" + std::string(near) + "'?"));
}

/// One key's values. Errors: as read_config_file.
Result<FileValue> read_value(const std::filesystem::path& path, const Option& option, const toml::node& node) {
  FileValue value;
  value.line = node.source().begin.line;
  const auto add = [&](const toml::node& item) {
    auto text = type_fits(option, item) ? scalar_text(item) : std::nullopt;
    if (text) value.texts.push_back(std::move(*text));
    return text.has_value();
  };
  const std::string name(option.name);
  if (const auto* array = node.as_array(); array != nullptr && option.repeatable) {
    for (const toml::node& item : *array) {
      if (!add(item)) {
        return error_at(path, value.line, "'" + name + "' takes a list of texts in quotes");
      }
    }
    return value;
  }
  if (!add(node)) {
    return error_at(
        path, value.line,
        "'" + name + "' takes " + std::string(expected_type(option)) + (option.repeatable ? " or a list of them" : ""));
  }
  return value;
}

}  // namespace

Result<std::map<std::string, FileValue>> read_config_file(const std::filesystem::path& path) {
  std::map<std::string, FileValue> out;
  auto text = base::read_file(path, max_file_bytes);
  if (!text) {
    if (text.error().code == ErrorCode::not_found) return out;
    return std::move(text).error();
  }
  if (const size_t line = line_of_endless_key(*text); line != 0) {
    return error_at(path, line, "a key has too many parts");
  }
  toml::table table;
  try {
    table = toml::parse(*text, path.string());
  } catch (const toml::parse_error& error) {
    return error_at(path, error.source().begin.line, std::string(error.description()));
  }
  for (const auto& [key, node] : table) {
    const Option* option = find_setting(key.str());
    if (option == nullptr) return unknown_key(path, node.source().begin.line, key.str());
    INGLE_TRY(FileValue value, read_value(path, *option, node));
    out.emplace(key.str(), std::move(value));
  }
  return out;
}

}  // namespace ingle::cli
