// A field of a request's body: its name, what its value may be, what it does. Tables of fields are all that bodies are
// checked by (Reader::check) and what the API's document is made of (openapi.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace ingle::server {

enum class Use : uint8_t {
  honoured,
  required,  ///< honoured, and nothing works without it
  hint,      ///< has no effect here; the response's header x-ingle-unused lists it
  refused,   ///< ignoring it would change the answer
};

struct Field;

/// What a value may be. Null is as if the field were not there.
struct Type {
  enum class Kind : uint8_t {
    anything,
    text,
    choice,
    texts,
    integer,
    number,
    boolean,
    array,
    object,
    schema,
    described
  };
  Kind kind = Kind::anything;
  int64_t least = 0, most = 0;                ///< of an integer; of items in an array
  double lowest = 0, highest = 0;             ///< of a number
  std::span<const std::string_view> names{};  ///< of a choice
  const Field* fields = nullptr;              ///< of an object, or of each object in an array; nullptr: any
  size_t field_count = 0;
  std::string_view schema{};  ///< JSON Schema of what is described, or of an array's items
};

inline constexpr int64_t kMany = std::numeric_limits<int32_t>::max();

inline constexpr Type kAnything{}, kText{.kind = Type::Kind::text}, kBoolean{.kind = Type::Kind::boolean},
    kObject{.kind = Type::Kind::object}, kSchema{.kind = Type::Kind::schema};  ///< a JSON Schema
constexpr Type integer(int64_t least, int64_t most = kMany) {
  return {.kind = Type::Kind::integer, .least = least, .most = most};
}
constexpr Type number(double lowest, double highest) {
  return {.kind = Type::Kind::number, .lowest = lowest, .highest = highest};
}
/// One of these strings. They outlive it.
constexpr Type one_of(std::span<const std::string_view> names) {
  return {.kind = Type::Kind::choice, .names = names};
}
/// A string, or an array of at most so many.
constexpr Type texts(int64_t most) {
  return {.kind = Type::Kind::texts, .most = most};
}
/// An array whose items' schema is only told: who reads it checks them.
constexpr Type array(std::string_view items, int64_t least = 0, int64_t most = kMany) {
  return {.kind = Type::Kind::array, .least = least, .most = most, .schema = items};
}
/// An array of objects with these fields. A table of fields is static.
template <size_t N>
constexpr Type array_of(const Field (&fields)[N], int64_t least = 0, int64_t most = kMany) {
  return {.kind = Type::Kind::array, .least = least, .most = most, .fields = fields, .field_count = N};
}
template <size_t N>
constexpr Type object_of(const Field (&fields)[N]) {
  return {.kind = Type::Kind::object, .fields = fields, .field_count = N};
}
/// What has several forms, by its JSON Schema, which is only told: who reads it checks it.
constexpr Type described(std::string_view schema) {
  return {.kind = Type::Kind::described, .schema = schema};
}

struct Field {
  std::string_view name;
  Type type;
  std::string_view help;  ///< what it does here, or why it is refused
  Use use = Use::honoured;

  constexpr Field(std::string_view its_name, const Type& its_type, std::string_view its_help,
                  Use its_use = Use::honoured)
      : name(its_name), type(its_type), help(its_help), use(its_use) {}
  /// A hint, or what is refused: no matter what its value is.
  constexpr Field(std::string_view its_name, std::string_view its_help, Use its_use)
      : Field(its_name, kAnything, its_help, its_use) {}
};

inline std::span<const Field> fields_of(const Type& type) {
  return {type.fields, type.field_count};
}

}  // namespace ingle::server
