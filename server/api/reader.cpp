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

std::optional<int64_t> whole_number(const base::Json& value) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  if (value.is_number_integer()) return value.get<int64_t>();
  // 3.0 is an integer, as JSON knows only numbers.
  const double number = value.is_number_float() ? value.get<double>() : 0.5;
  return std::abs(number) < 1e15 && std::floor(number) == number ? std::optional(static_cast<int64_t>(number))
                                                                 : std::nullopt;
}

bool is_text(const base::Json& value) {
  return value.is_string();
}

bool has_size(const Type& type, const base::Json& value) {
  return std::cmp_greater_equal(value.size(), type.least) && std::cmp_less_equal(value.size(), type.most);
}

/// Objects' and arrays' insides are no matter here.
bool is_of_type(const Type& type, const base::Json& value) {
  switch (type.kind) {
    case Type::Kind::text:
      return value.is_string();
    case Type::Kind::choice:
      return value.is_string() &&
             std::ranges::find(type.names, value.get_ref<const std::string&>()) != type.names.end();
    case Type::Kind::texts:
      return value.is_string() || (value.is_array() && has_size(type, value) && std::ranges::all_of(value, is_text));
    case Type::Kind::integer: {
      const auto number = whole_number(value);
      return number && *number >= type.least && *number <= type.most;
    }
    case Type::Kind::number:
      return value.is_number() && value.get<double>() >= type.lowest && value.get<double>() <= type.highest;
    case Type::Kind::boolean:
      return value.is_boolean();
    case Type::Kind::array:
      return value.is_array() && has_size(type, value);
    case Type::Kind::object:
      return value.is_object();
    case Type::Kind::schema:
      return value.is_object() || value.is_boolean();
    case Type::Kind::anything:
    case Type::Kind::described:
      break;
  }
  return true;
}

std::string names_of(const Type& type) {
  std::string names;
  for (size_t i = 0; i < type.names.size(); ++i) {
    if (i > 0) names += i + 1 == type.names.size() ? " or " : ", ";
    names += type.names[i];
  }
  return names;
}

/// For messages: "a whole number from 1 to 16".
std::string wanted(const Type& type) {
  const auto range = [](const auto& least, const auto& most) { return " from " + least + " to " + most; };
  switch (type.kind) {
    case Type::Kind::text:
      return "a string";
    case Type::Kind::choice:
      return names_of(type);
    case Type::Kind::texts:
      return "a string or an array of at most " + std::to_string(type.most) + " strings";
    case Type::Kind::integer:
      return "a whole number" + range(std::to_string(type.least), std::to_string(type.most));
    case Type::Kind::number:
      return "a number" + range(show(type.lowest), show(type.highest));
    case Type::Kind::boolean:
      return "true or false";
    case Type::Kind::array:
      if (type.least == 0 && type.most == kMany) return "an array";
      return "an array with " + std::to_string(type.least) + " to " + std::to_string(type.most) + " items";
    case Type::Kind::object:
      return "an object";
    case Type::Kind::schema:
      return "a JSON Schema";
    case Type::Kind::anything:
    case Type::Kind::described:
      break;
  }
  return "something else";
}

/// "messages[3].name" is "messages[].name" in a list of what had no effect.
std::string without_indices(const std::string& path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    if (c == ']') inside = false;
    if (!inside) out += c;
    if (c == '[') inside = true;
  }
  return out;
}

}  // namespace

Reader::Reader(const base::Json& object, std::string path, std::vector<std::string>* hints)
    : object_(object), path_(std::move(path)), hints_(hints) {
  if (!object_.is_object()) fail({}, (path_.empty() ? "the body" : "'" + path_ + "'") + " must be a JSON object");
}

void Reader::check(std::span<const Field> fields) {
  if (!object_.is_object()) return;
  for (const auto& [name, value] : object_.items()) {
    const auto field = std::ranges::find(fields, std::string_view(name), &Field::name);
    if (field == fields.end()) return fail(name, "there is no field '" + shortened(name) + "' here", "unknown_field");
    if (value.is_null()) continue;
    check_value(*field, value);
    if (error_) return;
  }
  for (const Field& field : fields)
    if (field.use == Use::required) require(field.name);
}

void Reader::check_value(const Field& field, const base::Json& value) {
  const std::string path = path_of(field.name);
  if (field.use == Use::refused)
    return fail(field.name, "'" + path + "' is not supported: " + std::string(field.help), "unsupported_field");
  if (field.use == Use::hint && hints_ != nullptr) {
    std::string hint = without_indices(path);
    if (std::ranges::find(*hints_, hint) == hints_->end()) hints_->push_back(std::move(hint));
  }
  if (!is_of_type(field.type, value)) return fail(field.name, "'" + path + "' must be " + wanted(field.type));
  if (field.type.fields == nullptr) return;
  const auto check_inside = [&](const base::Json& object, const std::string& at) {
    Reader inner = inside(object, at);
    inner.check(fields_of(field.type));
    adopt(inner.error());
  };
  if (field.type.kind == Type::Kind::object) return check_inside(value, path);
  for (size_t i = 0; i < value.size() && !error_; ++i) check_inside(value[i], path + "[" + std::to_string(i) + "]");
}

const base::Json* Reader::find(std::string_view name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(std::string(name));
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

/// The value, where there is one and nothing was wrong before.
const base::Json* Reader::of_type(std::string_view name, const Type& type) {
  const base::Json* value = find(name);
  if (value == nullptr || error_) return nullptr;
  if (is_of_type(type, *value)) return value;
  fail(name, "'" + path_of(name) + "' must be " + wanted(type));
  return nullptr;
}

std::optional<double> Reader::number(std::string_view name) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  const base::Json* value = of_type(name, server::number(-kLargest, kLargest));
  return value == nullptr ? std::nullopt : std::optional(value->get<double>());
}

std::optional<int64_t> Reader::integer(std::string_view name) {
  const base::Json* value = of_type(name, server::integer(INT64_MIN, INT64_MAX));
  return value == nullptr ? std::nullopt : whole_number(*value);
}

std::optional<bool> Reader::boolean(std::string_view name) {
  const base::Json* value = of_type(name, kBoolean);
  return value == nullptr ? std::nullopt : std::optional(value->get<bool>());
}

std::optional<std::string> Reader::text(std::string_view name) {
  const base::Json* value = of_type(name, kText);
  return value == nullptr ? std::nullopt : std::optional(value->get<std::string>());
}

std::vector<std::string> Reader::texts(std::string_view name) {
  const base::Json* value = of_type(name, server::texts(kMany));
  if (value == nullptr) return {};
  return value->is_string() ? std::vector{value->get<std::string>()} : value->get<std::vector<std::string>>();
}

const base::Json* Reader::array(std::string_view name) {
  return of_type(name, server::array({}));
}

const base::Json* Reader::object(std::string_view name) {
  return of_type(name, kObject);
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
