// Reads little-endian numbers and length-prefixed strings from untrusted bytes; never past their end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace ingle::core {

class ByteReader {
 public:
  static_assert(std::endian::native == std::endian::little, "the files are mapped as they are: little-endian");

  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint64_t offset() const { return offset_; }
  uint64_t remaining() const { return bytes_.size() - offset_; }

  /// The next number, or nothing where the bytes end before it does.
  template <typename T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  std::optional<T> read() {
    if (remaining() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    return value;
  }

  /// A 64-bit length and that many bytes; the view points into the input.
  std::optional<std::string_view> read_string() {
    if (remaining() < sizeof(uint64_t)) return std::nullopt;
    uint64_t length = 0;
    std::memcpy(&length, bytes_.data() + offset_, sizeof(length));
    if (length > remaining() - sizeof(length)) return std::nullopt;
    const auto* text = reinterpret_cast<const char*>(bytes_.data() + offset_ + sizeof(length));
    offset_ += sizeof(length) + length;
    return std::string_view(text, length);
  }

 private:
  std::span<const std::byte> bytes_;
  size_t offset_ = 0;  // never more than bytes_.size()
};

}  // namespace ingle::core
