// Attribute paths of filters.
#include "core/template/attribute_path.h"

#include <algorithm>

#include "core/template/numbers.h"
#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {
namespace {

std::vector<std::string_view> cut(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (size_t at = text.find(separator); at != text.npos; at = text.find(separator)) {
    out.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  out.push_back(text);
  return out;
}

}  // namespace

AttributePath::AttributePath(Heap& heap, const Value& attribute, bool lower_case) : lower_case_(lower_case) {
  if (attribute.is_none()) return;
  if (!attribute.is_string()) {
    parts_.push_back(attribute);
    return;
  }
  for (const std::string_view part : cut(attribute.get<Text>().text, '.')) {
    const auto points = code_points(part);
    const bool digits = !points.empty() && std::all_of(points.begin(), points.end(), is_digit);
    if (!digits) {
      parts_.push_back(make_text(heap, std::string(part)));
      continue;
    }
    const auto index = parse_integer(part, 10);
    if (!index) fail("invalid literal for int() with base 10: '" + std::string(part) + "'");
    parts_.push_back(Value::integer(*index));
  }
}

std::vector<AttributePath> AttributePath::several(Heap& heap, const Value& attribute, bool lower_case) {
  std::vector<AttributePath> out;
  if (!attribute.is_string()) {
    out.emplace_back(heap, attribute, lower_case);
    return out;
  }
  for (const std::string_view path : cut(attribute.get<Text>().text, ','))
    out.emplace_back(heap, make_text(heap, std::string(path)), lower_case);
  return out;
}

Value AttributePath::get(Heap& heap, Value item) const {
  for (const Value& part : parts_) {
    heap.step();
    item = get_item(heap, item, part);
    if (item.is_undefined() && !fallback_.is_undefined()) item = fallback_;
  }
  if (lower_case_ && item.is_string()) return make_text(heap, to_lower(item.get<Text>().text), item.get<Text>().markup);
  return item;
}

}  // namespace ingle::jinja
