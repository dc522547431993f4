#include "server/api/reader.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace ingle::server {
namespace {

std::string show(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

/// For messages: what a client wrote may be long.
std::string shortened(std::string_view name) {
  constexpr size_t kMost = 64;
  return std::string(name.substr(0, kMost)) + (name.size() > kMost ? "…" : "");
}

}  // namespace

Reader::Reader(const base::Json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object_.is_object()) fail({}, (path_.empty() ? "the body" : "'" + path_ + "'") + " must be a JSON object");
}

void Reader::check(std::span<const Field> fields, std::vector<std::string>* unused) {
  if (!object_.is_object()) return;
  for (const auto& [name, value] : object_.items()) {
    const auto field = std::ranges::find(fields, std::string_view(name), &Field::name);
    if (field == fields.end()) return fail(name, "there is no field '" + shortened(name) + "' here", "unknown_field");
    if (value.is_null()) continue;
    if (field->use == Use::refused)
      return fail(name, "'" + name + "' is not supported: " + std::string(field->help), "unsupported_field");
    if (field->use == Use::hint && unused != nullptr) unused->push_back(path_of(name));
  }
}

const base::Json* Reader::find(std::string_view name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(std::string(name));
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<double> Reader::number(std::string_view name, double least, double most) {
  const base::Json* value = find(name);
  if (value == nullptr || error_) return std::nullopt;
  if (value->is_number()) {
    const double number = value->get<double>();
    if (number >= least && number <= most) return number;
  }
  fail(name, "'" + path_of(name) + "' must be a number from " + show(least) + " to " + show(most));
  return std::nullopt;
}

std::optional<int64_t> Reader::integer(std::string_view name, int64_t least, int64_t most) {
  const base::Json* value = find(name);
  if (value == nullptr || error_) return std::nullopt;
  // 3.0 is an integer, as JSON knows only numbers.
  const bool whole = value->is_number_integer() || (value->is_number_float() && std::abs(value->get<double>()) < 1e15 &&
                                                    std::floor(value->get<double>()) == value->get<double>());
  const bool too_large = value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (whole && !too_large) {
    const int64_t number = value->get<int64_t>();
    if (number >= least && number <= most) return number;
  }
  fail(name,
       "'" + path_of(name) + "' must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<bool> Reader::boolean(std::string_view name) {
  const base::Json* value = find(name);
  if (value == nullptr || error_) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  fail(name, "'" + path_of(name) + "' must be true or false");
  return std::nullopt;
}

std::optional<std::string> Reader::text(std::string_view name) {
  const base::Json* value = find(name);
  if (value == nullptr || error_) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  fail(name, "'" + path_of(name) + "' must be a string");
  return std::nullopt;
}

std::vector<std::string> Reader::texts(std::string_view name, size_t most) {
  const base::Json* value = find(name);
  if (value == nullptr || error_) return {};
  if (value->is_string()) return {value->get<std::string>()};
  if (value->is_array() && value->size() <= most &&
      std::ranges::all_of(*value, [](const base::Json& item) { return item.is_string(); }))
    return value->get<std::vector<std::string>>();
  fail(name, "'" + path_of(name) + "' must be a string or an array of at most " + std::to_string(most) + " strings");
  return {};
}

const base::Json* Reader::array(std::string_view name) {
  const base::Json* value = find(name);
  if (value == nullptr || error_) return nullptr;
  if (value->is_array()) return value;
  fail(name, "'" + path_of(name) + "' must be an array");
  return nullptr;
}

const base::Json* Reader::object(std::string_view name) {
  const base::Json* value = find(name);
  if (value == nullptr || error_) return nullptr;
  if (value->is_object()) return value;
  fail(name, "'" + path_of(name) + "' must be an object");
  return nullptr;
}

void Reader::require(std::string_view name) {
  if (!has(name)) fail(name, "'" + path_of(name) + "' is missing", "missing_field");
}

void Reader::fail(std::string_view name, const std::string& message, std::string code) {
  if (!error_) error_ = ApiError{400, message, name.empty() ? path_ : path_of(name), std::move(code), {}};
}

std::string Reader::path_of(std::string_view name) const {
  return path_.empty() ? shortened(name) : path_ + "." + shortened(name);
}

}  // namespace ingle::server
