// str() and repr(), iteration, length, subscripts and slices.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/template/methods.h"
#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {

// Python prints the shortest digits that read back, in exponent form below 1e-4 and from 1e16 on.
std::string format_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  std::string out(buffer, static_cast<size_t>(fixed - buffer));
  if (out.find('.') == out.npos) out += ".0";
  return out;
}

void append_text(Heap& heap, std::string& out, const Value& value) {
  if (value.is_string()) {
    const std::string& text = value.get<Text>().text;
    grow(heap, out, text.size());
    out += text;
  } else if (!value.is_undefined()) {
    append_repr(heap, out, value);
  }
}

namespace {

void append_items(Heap& heap, std::string& out, const Values& items, int depth) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(heap, out, items[i], depth);
  }
}

void append_dict(Heap& heap, std::string& out, const Dict& dict, int depth) {
  out += '{';
  for (size_t i = 0; i < dict.entries.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(heap, out, dict.entries[i].key, depth);
    out += ": ";
    append_repr(heap, out, dict.entries[i].value, depth);
  }
  out += '}';
}

void append_view(Heap& heap, std::string& out, const View& view, int depth) {
  out += view.kind == ViewKind::keys ? "dict_keys([" : view.kind == ViewKind::values ? "dict_values([" : "dict_items([";
  bool first = true;
  for (const auto& entry : view.dict.get<Dict>().entries) {
    if (!first) out += ", ";
    first = false;
    if (view.kind == ViewKind::items) out += '(';
    if (view.kind != ViewKind::values) append_repr(heap, out, entry.key, depth);
    if (view.kind == ViewKind::items) out += ", ";
    if (view.kind != ViewKind::keys) append_repr(heap, out, entry.value, depth);
    if (view.kind == ViewKind::items) out += ')';
  }
  out += "])";
}

void append_range(std::string& out, const Range& range) {
  out += "range(" + std::to_string(range.start) + ", " + std::to_string(range.stop);
  if (range.step != 1) out += ", " + std::to_string(range.step);
  out += ')';
}

void append_array(Heap& heap, std::string& out, const Value& value, int depth) {
  const Values& items = value.get<Array>().items;
  const bool is_list = value.is(Type::list);
  out += is_list ? '[' : '(';
  append_items(heap, out, items, depth);
  if (!is_list && items.size() == 1) out += ',';
  out += is_list ? ']' : ')';
}

}  // namespace

void append_repr(Heap& heap, std::string& out, const Value& value, int depth) {
  if (depth > kMaxValueDepth) fail_limit("a value is nested too deep to print");
  grow(heap, out, 16);
  switch (value.type()) {
    case Type::undefined:
      out += "Undefined";
      return;
    case Type::none:
      out += "None";
      return;
    case Type::boolean:
      out += value.as_int() != 0 ? "True" : "False";
      return;
    case Type::integer:
      out += std::to_string(value.as_int());
      return;
    case Type::real:
      out += format_real(value.as_real());
      return;
    case Type::string: {
      const auto& text = value.get<Text>();
      grow(heap, out, text.text.size() * 4);
      if (text.markup) out += "Markup(";
      append_repr(out, text.text);
      if (text.markup) out += ')';
      return;
    }
    case Type::list:
    case Type::tuple:
      append_array(heap, out, value, depth + 1);
      return;
    case Type::dict:
      append_dict(heap, out, value.get<Dict>(), depth + 1);
      return;
    case Type::view:
      append_view(heap, out, value.get<View>(), depth + 1);
      return;
    case Type::range:
      append_range(out, value.get<Range>());
      return;
    case Type::space:
      out += "<Namespace ";
      append_repr(heap, out, value.get<Space>().attributes, depth + 1);
      out += '>';
      return;
    case Type::callable:
      out += value.get<Callable>().name;
      return;
    case Type::loop: {
      auto& loop = value.get<Loop>();
      out += "<LoopContext " + std::to_string(loop.index0 + 1) + "/" + std::to_string(loop.length()) + ">";
      return;
    }
    case Type::iterator:
    case Type::cycler:
      out += "<" + std::string(type_name(value)) + " object>";
      return;
  }
}

std::string to_text(Heap& heap, const Value& value) {
  std::string out;
  append_text(heap, out, value);
  return out;
}

std::string repr(Heap& heap, const Value& value) {
  std::string out;
  append_repr(heap, out, value);
  return out;
}

Value char_at(Heap& heap, const Text& text, size_t index) {
  if (text.ascii()) return make_text(heap, std::string(1, text.text[index]), text.markup);
  heap.touch(text.text.size());
  const size_t begin = byte_offset(text.text, index);
  const std::string_view rest = std::string_view(text.text).substr(begin);
  return make_text(heap, std::string(rest.substr(0, byte_offset(rest, 1))), text.markup);
}

namespace {

Value view_item(Heap& heap, ViewKind kind, const Dict::Entry& entry) {
  if (kind == ViewKind::keys) return entry.key;
  if (kind == ViewKind::values) return entry.value;
  return make_tuple(heap, {entry.key, entry.value});
}

Next iterate_dict(Heap& heap, const Value& dict, ViewKind kind) {
  return [&heap, dict, kind, i = size_t{0}](Value& out) mutable {
    const auto& entries = dict.get<Dict>().entries;
    if (i >= entries.size()) return false;
    out = view_item(heap, kind, entries[i++]);
    return true;
  };
}

Next iterate_text(Heap& heap, const Value& value) {
  return [&heap, value, at = size_t{0}](Value& out) mutable {
    const std::string_view rest = std::string_view(value.get<Text>().text).substr(at);
    if (rest.empty()) return false;
    const size_t size = byte_offset(rest, 1);
    out = make_text(heap, std::string(rest.substr(0, size)));
    at += size;
    return true;
  };
}

}  // namespace

bool iterable(const Value& value) {
  switch (value.type()) {
    case Type::undefined:
    case Type::string:
    case Type::list:
    case Type::tuple:
    case Type::dict:
    case Type::view:
    case Type::range:
    case Type::iterator:
    case Type::loop:
      return true;
    default:
      return false;
  }
}

Next iterate(Heap& heap, const Value& value) {
  switch (value.type()) {
    case Type::undefined:
      return [](Value&) { return false; };
    case Type::string:
      return iterate_text(heap, value);
    case Type::list:
    case Type::tuple:
      return [value, i = size_t{0}](Value& out) mutable {
        const auto& items = value.get<Array>().items;
        if (i >= items.size()) return false;
        out = items[i++];
        return true;
      };
    case Type::dict:
      return iterate_dict(heap, value, ViewKind::keys);
    case Type::view:
      return iterate_dict(heap, value.get<View>().dict, value.get<View>().kind);
    case Type::range:
      return [value, i = int64_t{0}](Value& out) mutable {
        const auto& r = value.get<Range>();
        if (i >= r.size()) return false;
        out = Value::integer(r.start + i++ * r.step);
        return true;
      };
    case Type::iterator:
      return [value](Value& out) { return value.get<Iterator>().advance(out); };
    case Type::loop:
      return [value, &heap](Value& out) {
        auto& loop = value.get<Loop>();
        if (!loop.advance()) return false;
        out = make_tuple(heap, {loop.current, value});
        return true;
      };
    default:
      fail("'" + std::string(type_name(value)) + "' object is not iterable");
  }
}

Values to_values(Heap& heap, const Value& value) {
  if (value.is_sequence()) {
    heap.step(value.get<Array>().items.size() / 8 + 1);
    check_growth(heap, value.get<Array>().items.size() * sizeof(Value));
    return value.get<Array>().items;
  }
  Values out;
  const Next next = iterate(heap, value);
  Value item;
  while (next(item)) {
    heap.step();
    if (out.size() == out.capacity()) check_growth(heap, out.size() * 2 * sizeof(Value));
    out.push_back(std::move(item));
  }
  return out;
}

Next iterate_reversed(Heap& heap, const Value& value) {
  switch (value.type()) {
    case Type::undefined:
      return [](Value&) { return false; };
    case Type::string:
      return [&heap, value, i = value.get<Text>().chars](Value& out) mutable {
        if (i == 0) return false;
        out = char_at(heap, value.get<Text>(), --i);
        return true;
      };
    case Type::list:
    case Type::tuple:
      return [value, i = value.get<Array>().items.size()](Value& out) mutable {
        if (i == 0) return false;
        out = value.get<Array>().items[--i];
        return true;
      };
    case Type::dict:
    case Type::view: {
      const bool is_dict = value.is(Type::dict);
      const Value dict = is_dict ? value : value.get<View>().dict;
      const ViewKind kind = is_dict ? ViewKind::keys : value.get<View>().kind;
      return [&heap, dict, kind, i = dict.get<Dict>().entries.size()](Value& out) mutable {
        if (i == 0) return false;
        out = view_item(heap, kind, dict.get<Dict>().entries[--i]);
        return true;
      };
    }
    case Type::range:
      return [value, i = value.get<Range>().size()](Value& out) mutable {
        if (i == 0) return false;
        out = Value::integer(value.get<Range>().start + --i * value.get<Range>().step);
        return true;
      };
    default:
      return nullptr;
  }
}

int64_t length_or_none(const Value& value) {
  switch (value.type()) {
    case Type::undefined:
      return 0;
    case Type::string:
      return static_cast<int64_t>(value.get<Text>().chars);
    case Type::list:
    case Type::tuple:
      return static_cast<int64_t>(value.get<Array>().items.size());
    case Type::dict:
      return static_cast<int64_t>(value.get<Dict>().entries.size());
    case Type::view:
      return static_cast<int64_t>(value.get<View>().dict.get<Dict>().entries.size());
    case Type::range:
      return value.get<Range>().size();
    case Type::loop:
      return value.get<Loop>().length();
    default:
      return -1;
  }
}

int64_t length(const Value& value) {
  const int64_t n = length_or_none(value);
  if (n < 0) fail("object of type '" + std::string(type_name(value)) + "' has no len()");
  return n;
}

namespace {

Value missing(Heap& heap, const Value& owner, const Value& key) {
  const std::string object = owner.is_none() ? "None" : std::string(type_name(owner)) + " object";
  if (key.is_string()) return make_undefined(heap, "'" + object + "' has no attribute " + repr(heap, key));
  return make_undefined(heap, object + " has no element " + repr(heap, key));
}

// obj[key] where that succeeds; false for TypeError and LookupError.
bool subscript(Heap& heap, const Value& value, const Value& key, Value& out) {
  if (value.is(Type::dict)) {
    if (key.is(Type::list) || key.is(Type::dict)) return false;
    const Value* found =
        key.is_string() ? value.get<Dict>().find(std::string_view(key.get<Text>().text)) : value.get<Dict>().find(key);
    if (found == nullptr) return false;
    out = *found;
    return true;
  }
  const bool indexed = value.is_string() || value.is_sequence() || value.is(Type::range);
  if (!indexed || !key.is_int()) return false;
  const int64_t size = length(value);
  int64_t index = key.as_int();
  if (index < 0) index += size;
  if (index < 0 || index >= size) return false;
  if (value.is_string()) {
    out = char_at(heap, value.get<Text>(), static_cast<size_t>(index));
  } else if (value.is(Type::range)) {
    out = Value::integer(value.get<Range>().start + index * value.get<Range>().step);
  } else {
    out = value.get<Array>().items[static_cast<size_t>(index)];
  }
  return true;
}

}  // namespace

Value get_item(Heap& heap, const Value& value, const Value& key) {
  if (value.is_undefined()) fail_undefined(value);
  Value out;
  if (subscript(heap, value, key, out)) return out;
  if (key.is_string() && find_attribute(heap, value, key.get<Text>().text, out)) return out;
  return missing(heap, value, key);
}

Value get_attribute(Heap& heap, const Value& value, std::string_view name) {
  if (value.is_undefined()) fail_undefined(value);
  Value out;
  if (find_attribute(heap, value, name, out)) return out;
  if (value.is(Type::dict)) {
    if (const Value* found = value.get<Dict>().find(name)) return *found;
  }
  return missing(heap, value, make_text(heap, std::string(name)));
}

namespace {

struct Bounds {
  int64_t start, stop, step, count;
};

// PySlice_AdjustIndices.
Bounds resolve_bounds(const Value& start, const Value& stop, const Value& step, int64_t size) {
  Bounds b{0, size, 1, 0};
  if (!step.is_none()) b.step = expect_index(step, "slice indices");
  if (b.step == 0) fail("slice step cannot be zero");
  if (b.step == INT64_MIN) b.step = -INT64_MAX;
  const int64_t low = b.step < 0 ? -1 : 0;
  const int64_t high = b.step < 0 ? size - 1 : size;
  const auto place = [&](const Value& bound, int64_t fallback) {
    if (bound.is_none()) return fallback;
    int64_t at = expect_index(bound, "slice indices");
    if (at < 0) return std::max(at + size, low);
    return std::min(at, high);
  };
  b.start = place(start, b.step < 0 ? high : low);
  b.stop = place(stop, b.step < 0 ? low : high);
  const int64_t span = b.step < 0 ? b.start - b.stop : b.stop - b.start;
  const uint64_t stride = static_cast<uint64_t>(b.step < 0 ? -b.step : b.step);
  b.count = span <= 0 ? 0 : static_cast<int64_t>((static_cast<uint64_t>(span) - 1) / stride) + 1;
  return b;
}

std::string slice_text(const Text& text, const Bounds& b) {
  if (b.step == 1) {
    if (text.ascii()) return text.text.substr(static_cast<size_t>(b.start), static_cast<size_t>(b.count));
    const size_t begin = byte_offset(text.text, static_cast<size_t>(b.start));
    const std::string_view rest = std::string_view(text.text).substr(begin);
    return std::string(rest.substr(0, byte_offset(rest, static_cast<size_t>(b.count))));
  }
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.text.size(); ++i)
    if ((static_cast<unsigned char>(text.text[i]) & 0xc0) != 0x80) starts.push_back(i);
  starts.push_back(text.text.size());
  std::string out;
  for (int64_t i = 0; i < b.count; ++i) {
    const auto at = static_cast<size_t>(b.start + i * b.step);
    out.append(text.text, starts[at], starts[at + 1] - starts[at]);
  }
  return out;
}

}  // namespace

Value slice(Heap& heap, const Value& value, const Value& start, const Value& stop, const Value& step) {
  if (value.is_undefined()) fail_undefined(value);
  const bool sliceable = value.is_string() || value.is_sequence() || value.is(Type::range);
  if (!sliceable) fail("'" + std::string(type_name(value)) + "' object cannot be sliced");
  const Bounds b = resolve_bounds(start, stop, step, length(value));
  if (value.is_string()) {
    const auto& text = value.get<Text>();
    check_growth(heap, text.text.size() * (text.ascii() ? 1 : 9));
    return make_text(heap, slice_text(text, b), text.markup);
  }
  if (value.is(Type::range)) {
    const auto& r = value.get<Range>();
    const auto at = [&](int64_t i) { return static_cast<Wide>(r.start) + static_cast<Wide>(i) * r.step; };
    const auto bound = [](Wide v) {
      if (v > INT64_MAX || v < INT64_MIN) fail("integer overflow in a range");
      return static_cast<int64_t>(v);
    };
    const auto stride = static_cast<Wide>(b.step) * r.step;
    return Value::of(Type::range, new Range(heap, bound(at(b.start)), bound(at(b.stop)), bound(stride)));
  }
  check_growth(heap, static_cast<size_t>(b.count) * sizeof(Value));
  Values out;
  out.reserve(static_cast<size_t>(b.count));
  for (int64_t i = 0; i < b.count; ++i)
    out.push_back(value.get<Array>().items[static_cast<size_t>(b.start + i * b.step)]);
  return value.is(Type::list) ? make_list(heap, std::move(out)) : make_tuple(heap, std::move(out));
}

}  // namespace ingle::jinja
