// tojson: json.dumps of Python's standard library, byte for byte.
#include <algorithm>
#include <cmath>

#include "core/template/format.h"
#include "core/template/merge_sort.h"
#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {
namespace {

class Dumper {
 public:
  Dumper(Heap& heap, const JsonStyle& style) : heap_(heap), style_(style) {}

  std::string run(const Value& value) {
    write(value, 0);
    return std::move(out_);
  }

 private:
  void write(const Value& value, int depth) {
    if (depth > kMaxValueDepth) fail_limit("a value is nested too deep for tojson");
    grow(heap_, out_, 16 + style_.indent.size() * static_cast<size_t>(depth));
    switch (value.type()) {
      case Type::none:
        out_ += "null";
        return;
      case Type::boolean:
        out_ += value.as_int() != 0 ? "true" : "false";
        return;
      case Type::integer:
        out_ += std::to_string(value.as_int());
        return;
      case Type::real:
        out_ += number(value.as_real());
        return;
      case Type::string:
        write_text(value.get<Text>().text);
        return;
      case Type::list:
      case Type::tuple:
        write_array(value.get<Array>(), depth);
        return;
      case Type::dict:
        write_dict(value.get<Dict>(), depth);
        return;
      default:
        fail("Object of type " + std::string(type_name(value)) + " is not JSON serializable");
    }
  }

  static std::string number(double v) {
    if (std::isnan(v)) return "NaN";
    if (std::isinf(v)) return v > 0 ? "Infinity" : "-Infinity";
    return format_real(v);
  }

  void new_line(int depth) {
    if (!style_.indented) return;
    out_ += '\n';
    for (int i = 0; i < depth; ++i) out_ += style_.indent;
  }

  void write_array(const Array& array, int depth) {
    if (array.items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    for (size_t i = 0; i < array.items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line(depth + 1);
      write(array.items[i], depth + 1);
    }
    new_line(depth);
    out_ += ']';
  }

  void write_dict(const Dict& dict, int depth) {
    if (dict.entries.empty()) {
      out_ += "{}";
      return;
    }
    std::vector<const Dict::Entry*> entries;
    for (const auto& entry : dict.entries) entries.push_back(&entry);
    if (style_.sort_keys) merge_sort(entries, [](const auto* a, const auto* b) { return less(b->key, a->key); });
    out_ += '{';
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line(depth + 1);
      write_key(entries[i]->key);
      out_ += style_.key_separator;
      write(entries[i]->value, depth + 1);
    }
    new_line(depth);
    out_ += '}';
  }

  void write_key(const Value& key) {
    switch (key.type()) {
      case Type::string:
        write_text(key.get<Text>().text);
        return;
      case Type::none:
        write_text("null");
        return;
      case Type::boolean:
        write_text(key.as_int() != 0 ? "true" : "false");
        return;
      case Type::integer:
        write_text(std::to_string(key.as_int()));
        return;
      case Type::real:
        write_text(number(key.as_real()));
        return;
      default:
        fail("keys must be str, int, float, bool or None, not " + std::string(type_name(key)));
    }
  }

  void write_text(std::string_view text) {
    grow(heap_, out_, text.size() * (style_.ensure_ascii ? 6 : 2));
    out_ += '"';
    if (style_.ensure_ascii) {
      for (const uint32_t c : code_points(text)) write_ascii(c);
    } else {
      for (const char c : text) write_byte(c);
    }
    out_ += '"';
  }

  // Everything but quotes, backslashes and control characters stands for itself.
  void write_byte(char c) {
    switch (c) {
      case '"':
        out_ += "\\\"";
        return;
      case '\\':
        out_ += "\\\\";
        return;
      case '\n':
        out_ += "\\n";
        return;
      case '\r':
        out_ += "\\r";
        return;
      case '\t':
        out_ += "\\t";
        return;
      case '\b':
        out_ += "\\b";
        return;
      case '\f':
        out_ += "\\f";
        return;
      default:
        break;
    }
    if (static_cast<unsigned char>(c) < 0x20) {
      write_unit(static_cast<unsigned char>(c));
    } else {
      out_ += c;
    }
  }

  void write_ascii(uint32_t c) {
    if (c < 0x7f) {
      write_byte(static_cast<char>(c));
    } else if (c < 0x10000) {
      write_unit(c);
    } else {
      write_unit(0xd800 + ((c - 0x10000) >> 10));
      write_unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }

  void write_unit(uint32_t unit) {
    static constexpr char kHex[] = "0123456789abcdef";
    out_ += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out_ += kHex[(unit >> shift) & 15];
  }

  Heap& heap_;
  const JsonStyle& style_;
  std::string out_;
};

}  // namespace

std::string dump_json(Heap& heap, const Value& value, const JsonStyle& style) {
  return Dumper(heap, style).run(value);
}

}  // namespace ingle::jinja
