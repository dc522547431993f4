#include "base/utf8.h"

#include <algorithm>

namespace ingle::base {
namespace {

struct LeadByte {
  uint32_t length = 0;  // 0: cannot start a sequence
  uint8_t second_min = 0x80, second_max = 0xBF;
};

LeadByte classify(uint8_t lead) {
  if (lead < 0x80) return {1};
  if (lead >= 0xC2 && lead <= 0xDF) return {2};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {3};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {4};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

bool continues(const LeadByte& lead, uint32_t index, uint8_t byte) {
  if (index == 1) return byte >= lead.second_min && byte <= lead.second_max;
  return (byte & 0xC0) == 0x80;
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  if (text.empty()) return {};
  const auto first = static_cast<uint8_t>(text[0]);
  const LeadByte lead = classify(first);
  if (lead.length == 0 || lead.length > text.size()) return {};
  if (lead.length == 1) return {first, 1};
  uint32_t value = first & (0x7Fu >> lead.length);
  for (uint32_t i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (!continues(lead, i, byte)) return {};
    value = value << 6 | (byte & 0x3Fu);
  }
  return {value, lead.length};
}

void append_utf8(std::string& out, uint32_t cp) {
  if (cp < 0x80) {
    out += static_cast<char>(cp);
  } else if (cp < 0x800) {
    out += static_cast<char>(0xC0 | cp >> 6);
    out += static_cast<char>(0x80 | (cp & 0x3F));
  } else if (cp < 0x10000) {
    out += static_cast<char>(0xE0 | cp >> 12);
    out += static_cast<char>(0x80 | (cp >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (cp & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | cp >> 18);
    out += static_cast<char>(0x80 | (cp >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (cp >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (cp & 0x3F));
  }
}

size_t find_invalid_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const CodePoint cp = decode_utf8(text.substr(i));
    if (cp.length == 0) return i;
    i += cp.length;
  }
  return i;
}

size_t count_code_points(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

size_t complete_utf8_prefix(std::string_view text) {
  const size_t look_back = text.size() < 3 ? text.size() : 3;
  for (size_t back = 1; back <= look_back; ++back) {
    const size_t start = text.size() - back;
    const LeadByte lead = classify(static_cast<uint8_t>(text[start]));
    if (lead.length == 0) continue;
    if (lead.length <= back) return text.size();
    for (uint32_t i = 1; i < back; ++i)
      if (!continues(lead, i, static_cast<uint8_t>(text[start + i]))) return text.size();
    return start;
  }
  return text.size();
}

bool is_control(uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c || point == 0x200e || point == 0x200f ||
         (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

std::string escape_controls(std::string_view text, std::string_view kept) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const std::string_view bytes = text.substr(0, point.length == 0 ? 1 : point.length);
    if ((point.length != 0 && !is_control(point.value)) || kept.find(bytes) != std::string_view::npos) {
      out += bytes;
    } else {
      for (const char c : bytes) {
        const auto byte = static_cast<uint8_t>(c);
        out += "\\x";
        out += digits[byte >> 4];
        out += digits[byte & 15];
      }
    }
    text.remove_prefix(bytes.size());
  }
  return out;
}

}  // namespace ingle::base
