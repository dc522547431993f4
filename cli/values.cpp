// Values of options with their origin.
#include "cli/values.h"

#include <cassert>

namespace ingle::cli {

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::fallback:
      return "default";
    case Origin::config_file:
      return "config file";
    case Origin::environment:
      return "environment";
    case Origin::flag:
      return "flag";
  }
  return "";
}

Values::Values(const std::vector<const Option*>& options) {
  for (const Option* option : options) {
    Value value;
    value.option = option;
    if (!option->fallback.empty()) value.texts.emplace_back(option->fallback);
    values_.emplace(option->name, std::move(value));
  }
}

base::Status Values::set(const Option& option, std::vector<std::string> texts, Origin origin, std::string where) {
  for (const std::string& text : texts) INGLE_CHECK(check_value(option, text, where));
  if (!option.repeatable && texts.size() > 1) texts.erase(texts.begin(), texts.end() - 1);  // the last one wins
  Value& value = values_[std::string(option.name)];
  value.option = &option;
  value.texts = std::move(texts);
  value.origin = origin;
  value.where = std::move(where);
  return {};
}

const Value& Values::at(std::string_view name) const {
  const auto found = values_.find(name);
  assert(found != values_.end() && "the command does not take this option");
  static const Value none;
  return found == values_.end() ? none : found->second;
}

std::string Values::text(std::string_view name) const {
  const Value& value = at(name);
  return value.texts.empty() ? std::string() : value.texts.back();
}

bool Values::flag(std::string_view name) const {
  const auto value = parse_bool(text(name));
  return value.ok() && *value;
}

int64_t Values::integer(std::string_view name) const {
  const auto value = parse_integer(text(name));
  return value.ok() ? *value : 0;
}

double Values::number(std::string_view name) const {
  const auto value = parse_number(text(name));
  return value.ok() ? *value : 0;
}

uint64_t Values::bytes(std::string_view name) const {
  const auto value = parse_bytes(text(name));
  return value.ok() ? *value : 0;
}

}  // namespace ingle::cli
