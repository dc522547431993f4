// Reads a request's body by its table of fields: each is honoured, a hint, or refused by name, and what the table does
// not have is refused by name, too, since ignoring a field could change the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "server/api/errors.h"
#include "server/api/field.h"

namespace ingle::server {

/// The first thing that is wrong stays; after it, all reading gives defaults.
class Reader {
 public:
  /// `object` outlives it. `path`: where it is in the body, "" or "response_format". `hints` (may be null): where
  /// check() and that of readers inside() note what has no effect.
  explicit Reader(const base::Json& object, std::string path = {}, std::vector<std::string>* hints = nullptr);
  /// Of an object in this one's.
  Reader inside(const base::Json& object, std::string path) const { return Reader(object, std::move(path), hints_); }

  /// Looks at every member, and into objects and arrays as far as the table tells of them: names, types, bounds, what
  /// is missing. Hints that are there are noted once each: "messages[].name".
  void check(std::span<const Field> fields);

  /// Null counts as absent.
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const base::Json* find(std::string_view name) const;

  // Values of a type. Bounds and choices are check()'s.
  std::optional<double> number(std::string_view name);
  std::optional<int64_t> integer(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::string> text(std::string_view name);
  /// A string or an array of strings.
  std::vector<std::string> texts(std::string_view name);
  const base::Json* array(std::string_view name);
  const base::Json* object(std::string_view name);
  void require(std::string_view name);

  void fail(std::string_view name, const std::string& message, std::string code = {});
  /// A request that came with a wrong value.
  const std::optional<ApiError>& error() const { return error_; }
  void adopt(const std::optional<ApiError>& error) {
    if (!error_) error_ = error;
  }
  std::string path_of(std::string_view name) const;

 private:
  void check_value(const Field& field, const base::Json& value);
  const base::Json* of_type(std::string_view name, const Type& type);

  const base::Json& object_;
  const std::string path_;
  std::vector<std::string>* const hints_;
  std::optional<ApiError> error_;
};

}  // namespace ingle::server
