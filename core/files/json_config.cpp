#include "core/files/json_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/files/error_text.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
// Keeps members in a std::map: base::Json finds a member by linear search, which hostile input could make quadratic.
using Json = nlohmann::json;

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr size_t kMaxPathBytes = 1024;
constexpr size_t kMaxEntries = 65536;
constexpr int kMaxDepth = 32;

class Flattener {
 public:
  Flattener(std::string_view prefix, std::string_view file, Metadata& out) : prefix_(prefix), file_(file), out_(out) {}

  // Recursion is bounded by kMaxDepth, which the parser has checked.
  Status flatten(const std::string& path, const Json& value) {
    if (value.is_object()) {
      for (const auto& [name, member] : value.items()) INGLE_CHECK(flatten(join(path, name), member));
      return {};
    }
    if (value.is_array()) return flatten_array(path, value);
    if (value.is_null()) return {};
    return add(path, scalar(value));
  }

 private:
  static std::string join(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  }

  static MetadataValue scalar(const Json& value) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_unsigned()) return value.get<uint64_t>();
    if (value.is_number_integer()) return value.get<int64_t>();
    return value.get<double>();
  }

  Status flatten_array(const std::string& path, const Json& array) {
    const auto all = [&](auto test) { return std::all_of(array.begin(), array.end(), test); };
    if (all([](const Json& v) { return v.is_number_unsigned(); })) return add_array<uint64_t>(path, array);
    if (all([](const Json& v) { return is_int64(v); })) return add_array<int64_t>(path, array);
    if (all([](const Json& v) { return v.is_number(); })) return add_array<double>(path, array);
    if (all([](const Json& v) { return v.is_string(); })) return add_array<std::string>(path, array);
    if (all([](const Json& v) { return v.is_boolean(); })) return add_array<bool>(path, array);
    size_t position = 0;
    for (const Json& item : array) INGLE_CHECK(flatten(join(path, std::to_string(position++)), item));
    return {};
  }

  static bool is_int64(const Json& value) {
    if (value.is_number_unsigned()) return value.get<uint64_t>() <= uint64_t{INT64_MAX};
    return value.is_number_integer();
  }

  template <typename T>
  Status add_array(const std::string& path, const Json& array) {
    std::vector<T> items;
    items.reserve(array.size());
    for (const Json& item : array) items.push_back(item.get<T>());
    return add(path, std::move(items));
  }

  Status add(const std::string& path, MetadataValue value) {
    if (path.size() > kMaxPathBytes || out_.values.size() >= kMaxEntries) {
      return Error{ErrorCode::limit_exceeded, std::string(file_) + ": too many or too long names at " + quote(path)};
    }
    if (out_.values.emplace(std::string(prefix_) + path, std::move(value)).second) return {};
    return Error{ErrorCode::corrupt, std::string(file_) + ": " + quote(path) + " occurs twice"};
  }

  std::string_view prefix_;
  std::string_view file_;
  Metadata& out_;
};

}  // namespace

Status flatten_json(std::string_view text, std::string_view prefix, std::string_view file, Metadata& out) {
  if (text.size() > kMaxBytes) {
    return Error{ErrorCode::limit_exceeded, std::string(file) + ": its " + std::to_string(text.size()) +
                                                " bytes are over the limit of " + std::to_string(kMaxBytes)};
  }
  // The parser would take a NUL byte for the end and let anything follow.
  if (text.find('\0') != std::string_view::npos) {
    return Error{ErrorCode::corrupt, std::string(file) + ": invalid JSON: it holds a NUL byte"};
  }
  bool too_deep = false;
  const auto watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  try {
    const Json root = Json::parse(text.begin(), text.end(), watch_depth);
    if (too_deep) {
      return Error{ErrorCode::limit_exceeded,
                   std::string(file) + ": JSON is nested deeper than " + std::to_string(kMaxDepth)};
    }
    if (!root.is_object()) return Error{ErrorCode::corrupt, std::string(file) + ": it is not a JSON object"};
    return Flattener(prefix, file, out).flatten("", root);
  } catch (const Json::parse_error& e) {
    return Error{ErrorCode::corrupt, std::string(file) + ": invalid JSON at byte " + std::to_string(e.byte)};
  } catch (const Json::exception&) {
    return Error{ErrorCode::corrupt, std::string(file) + ": invalid JSON: a number out of range or a bad string"};
  }
}

}  // namespace ingle::core
