// Arithmetic on numbers that come from outside: overflow is a value, never a wrap-around.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>

namespace ingle::base {

template <std::integral T>
constexpr std::optional<T> checked_add(T a, T b) {
  T r{};
  if (__builtin_add_overflow(a, b, &r)) return std::nullopt;
  return r;
}

template <std::integral T>
constexpr std::optional<T> checked_mul(T a, T b) {
  T r{};
  if (__builtin_mul_overflow(a, b, &r)) return std::nullopt;
  return r;
}

/// `value` as To, or nothing where it does not fit.
template <std::integral To, std::integral From>
constexpr std::optional<To> checked_cast(From value) {
  To r{};
  if (__builtin_add_overflow(value, From{0}, &r)) return std::nullopt;
  return r;
}

/// Whether [offset, offset + length) lies inside [0, size).
constexpr bool in_range(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

/// The least multiple of `unit` (a power of two) that is at least `value`, or nothing on overflow.
constexpr std::optional<uint64_t> checked_align_up(uint64_t value, uint64_t unit) {
  const auto sum = checked_add<uint64_t>(value, unit - 1);
  if (!sum) return std::nullopt;
  return *sum & ~(unit - 1);
}

}  // namespace ingle::base
