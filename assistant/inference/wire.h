// Plain data as bytes, between processes of the same program. A type is written once, as the list of its members:
//
//   template <typename Wire> void members(Wire& wire, Point& point) { wire(point.x, point.y); }
//
// and WireWriter and WireReader do the rest. The reader bounds everything: the other end may be run by a hostile file.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"

namespace ingle::assistant {

/// The last value of an enumeration that is sent: `template <> constexpr auto kLast<Colour> = Colour::blue;`
template <typename T>
constexpr T kLast = T{};

template <typename T>
concept Number = std::is_arithmetic_v<T>;
template <typename T>
concept Enumeration = std::is_enum_v<T>;

class WireWriter {
 public:
  static constexpr bool writes = true;

  template <typename... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  template <Number T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <Enumeration T>
  void put(T value) {
    put(static_cast<uint8_t>(value));
  }
  void put(const std::string& text) {
    put(uint64_t{text.size()});
    bytes_.append(text);
  }
  void put(const std::filesystem::path& path) { put(path.string()); }
  void put(const base::Json& json) { put(json.dump(-1, ' ', false, base::Json::error_handler_t::replace)); }
  template <typename T>
  void put(const std::vector<T>& list) {
    put(uint64_t{list.size()});
    for (const T& item : list) put(item);
  }
  template <typename A, typename B>
  void put(const std::pair<A, B>& pair) {
    put(pair.first);
    put(pair.second);
  }
  template <typename T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <typename... T>
  void put(const std::variant<T...>& value) {
    put(static_cast<uint8_t>(value.index()));
    std::visit([&](const auto& held) { put(held); }, value);
  }
  template <typename T>
    requires std::is_class_v<T>
  void put(const T& value) {
    members(*this, const_cast<T&>(value));  // which only reads it here
  }

  std::string bytes_;
};

class WireReader {
 public:
  static constexpr bool writes = false;

  /// The bytes outlive it.
  explicit WireReader(std::string_view bytes) : left_(bytes) {}

  template <typename... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  /// Whether all that was read was there and valid, and nothing is left. What was read otherwise means nothing.
  bool done() const { return valid_ && left_.empty(); }

 private:
  template <Number T>
  void get(T& value) {
    if (left_.size() < sizeof value) return refuse();
    left_.copy(reinterpret_cast<char*>(&value), sizeof value);
    left_.remove_prefix(sizeof value);
  }
  void get(bool& value) {
    uint8_t byte = 0;
    get(byte);
    if (byte > 1) refuse();
    value = byte == 1;
  }
  template <Enumeration T>
  void get(T& value) {
    uint8_t byte = 0;
    get(byte);
    if (byte > static_cast<uint8_t>(kLast<T>)) return refuse();
    value = static_cast<T>(byte);
  }
  void get(std::string& text) {
    const uint64_t size = count();
    text.assign(left_.substr(0, size));
    left_.remove_prefix(size);
  }
  void get(std::filesystem::path& path) {
    std::string text;
    get(text);
    path = text;
  }
  void get(base::Json& json) {
    std::string text;
    get(text);
    auto parsed = valid_ ? base::parse_json(text) : base::Result<base::Json>(base::Json());
    if (!parsed) return refuse();
    json = std::move(parsed).value();
  }
  template <typename T>
  void get(std::vector<T>& list) {
    list.clear();
    for (uint64_t left = count(); left > 0 && valid_; --left) get(list.emplace_back());
  }
  template <typename A, typename B>
  void get(std::pair<A, B>& pair) {
    get(pair.first);
    get(pair.second);
  }
  template <typename T>
  void get(std::optional<T>& value) {
    bool there = false;
    get(there);
    value.reset();
    if (there) get(value.emplace());
  }
  template <typename... T>
  void get(std::variant<T...>& value) {
    uint8_t index = 0;
    get(index);
    if (index >= sizeof...(T)) return refuse();
    size_t at = 0;
    ((at++ == index ? get(value.template emplace<T>()) : void()), ...);
  }
  template <typename T>
    requires std::is_class_v<T>
  void get(T& value) {
    members(*this, value);
  }

  /// Of bytes or items, each of which takes a byte at least.
  uint64_t count() {
    uint64_t size = 0;
    get(size);
    if (size > left_.size()) {
      refuse();
      return 0;
    }
    return size;
  }
  void refuse() {
    valid_ = false;
    left_ = {};
  }

  std::string_view left_;
  bool valid_ = true;
};

}  // namespace ingle::assistant
