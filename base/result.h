// Expected failure as a value: Result<T> is a T or an Error. Libraries return it; only the CLI and the server print it.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ingle::base {

/// What kind of failure it was. The CLI maps each to an exit code and the server to a status; see docs/errors.md.
enum class ErrorCode {
  invalid_argument,  ///< the caller's input is wrong (flag, prompt, request)
  not_found,         ///< a file, model or name does not exist
  corrupt,           ///< outside bytes break their format, or a checksum differs
  unsupported,       ///< well-formed, but a type, architecture or version we do not have
  limit_exceeded,    ///< too long, too deep, too large: a bound was reached
  out_of_memory,
  no_space,
  io_error,
  network,
  offline,  ///< a download was needed and --offline forbids it
  permission_denied,
  busy,         ///< somebody else holds the lock
  unavailable,  ///< what does this has ended, and is being started again
  cancelled,
  internal,  ///< our fault
};

/// The name of a code, as --json prints it: "not_found".
std::string_view error_code_name(ErrorCode code);

/// One line for a person: what went wrong with which thing, and, after "; ", what to do about it.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

  const Error& error() const& {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    assert(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    assert(!ok());
    return *error_;
  }
  Error&& error() && {
    assert(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace ingle::base

// INGLE_TRY(auto x, f()): x = the value of f(), or return its error from this function.
// INGLE_CHECK(f()): return the error of f(), if any.
#define INGLE_CONCAT_(a, b) a##b
#define INGLE_CONCAT(a, b) INGLE_CONCAT_(a, b)
#define INGLE_TRY_(tmp, declaration, expression) \
  auto tmp = (expression);                       \
  if (!tmp.ok()) return std::move(tmp).error();  \
  declaration = std::move(tmp).value()
#define INGLE_TRY(declaration, expression) INGLE_TRY_(INGLE_CONCAT(ingle_try_, __LINE__), declaration, expression)
#define INGLE_CHECK(expression)                                     \
  do {                                                              \
    auto ingle_check_ = (expression);                               \
    if (!ingle_check_.ok()) return std::move(ingle_check_).error(); \
  } while (false)
