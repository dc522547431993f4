// Attributes: the table lookup, and the methods of dict, list, tuple, range, numbers, loop and cycler.
#include "core/template/methods.h"

#include <algorithm>
#include <cmath>

#include "core/template/arguments.h"
#include "core/template/operations.h"

namespace ingle::jinja {
namespace {

void take_none(std::string_view name, const Arguments& args) {
  Bound(name, args, {}, 0);
}

// --- dict ------------------------------------------------------------------------------------------------------------
Value make_view(Heap& heap, const Value& dict, ViewKind kind) {
  return Value::of(Type::view, new View(heap, dict, kind));
}
Value dict_items(Heap& heap, const Value& self, const Arguments& args) {
  take_none("items", args);
  return make_view(heap, self, ViewKind::items);
}
Value dict_keys(Heap& heap, const Value& self, const Arguments& args) {
  take_none("keys", args);
  return make_view(heap, self, ViewKind::keys);
}
Value dict_values(Heap& heap, const Value& self, const Arguments& args) {
  take_none("values", args);
  return make_view(heap, self, ViewKind::values);
}
Value dict_get(Heap&, const Value& self, const Arguments& args) {
  const Bound bound("get", args, {"key", "default"}, 1, 2);
  const Value* found = self.get<Dict>().find(bound[0]);
  return found != nullptr ? *found : bound.value_or(1, Value::none());
}
Value dict_copy(Heap& heap, const Value& self, const Arguments& args) {
  take_none("copy", args);
  Value out = make_dict(heap);
  for (const auto& entry : self.get<Dict>().entries) {
    heap.step();
    out.get<Dict>().set(entry.key, entry.value);
  }
  return out;
}
Value dict_fromkeys(Heap& heap, const Value&, const Arguments& args) {
  const Bound bound("fromkeys", args, {"iterable", "value"}, 1, 2);
  Value out = make_dict(heap);
  const Next next = iterate(heap, bound[0]);
  Value key;
  while (next(key)) {
    heap.step();
    out.get<Dict>().set(key, bound.value_or(1, Value::none()));
  }
  return out;
}
constexpr MethodRow kDictMethods[] = {{"items", dict_items}, {"keys", dict_keys}, {"values", dict_values},
                                      {"get", dict_get},     {"copy", dict_copy}, {"fromkeys", dict_fromkeys}};

// --- list, tuple, range
// ------------------------------------------------------------------------------------------------
Value sequence_count(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("count", args, {"value"}, 1, 1);
  int64_t count = 0;
  Value item;
  for (const Next next = iterate(heap, self); next(item);) {
    heap.step();
    count += item.same_as(bound[0]) || equals(item, bound[0]) ? 1 : 0;
  }
  return Value::integer(count);
}
Value sequence_index(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("index", args, {"value", "start", "stop"}, 1, 3);
  const int64_t size = length(self);
  const auto place = [&](int64_t at) { return at < 0 ? std::max<int64_t>(at + size, 0) : at; };
  const int64_t start = place(bound.int_or(1, 0)), stop = place(bound.int_or(2, INT64_MAX));
  Value item;
  int64_t i = 0;
  for (const Next next = iterate(heap, self); next(item); ++i) {
    heap.step();
    if (i >= start && i < stop && (item.same_as(bound[0]) || equals(item, bound[0]))) return Value::integer(i);
  }
  fail(repr(heap, bound[0]) + " is not in " + std::string(type_name(self)));
}
Value list_copy(Heap& heap, const Value& self, const Arguments& args) {
  take_none("copy", args);
  return make_list(heap, to_values(heap, self));
}
constexpr MethodRow kListMethods[] = {{"count", sequence_count}, {"index", sequence_index}, {"copy", list_copy}};
constexpr MethodRow kTupleMethods[] = {{"count", sequence_count}, {"index", sequence_index}};

// --- numbers
// -----------------------------------------------------------------------------------------------------------
Value int_bit_length(Heap&, const Value& self, const Arguments& args) {
  take_none("bit_length", args);
  const int64_t v = self.as_int();
  uint64_t magnitude = v < 0 ? ~static_cast<uint64_t>(v) + 1 : static_cast<uint64_t>(v);
  int64_t bits = 0;
  for (; magnitude != 0; magnitude >>= 1) ++bits;
  return Value::integer(bits);
}
Value int_bit_count(Heap&, const Value& self, const Arguments& args) {
  take_none("bit_count", args);
  const int64_t v = self.as_int();
  return Value::integer(__builtin_popcountll(v < 0 ? ~static_cast<uint64_t>(v) + 1 : static_cast<uint64_t>(v)));
}
Value number_conjugate(Heap&, const Value& self, const Arguments& args) {
  take_none("conjugate", args);
  return plus(self);
}
Value real_is_integer(Heap&, const Value& self, const Arguments& args) {
  take_none("is_integer", args);
  const double v = self.as_real();
  return Value::boolean(std::isfinite(v) && v == std::floor(v));
}
constexpr MethodRow kIntMethods[] = {
    {"bit_length", int_bit_length}, {"bit_count", int_bit_count}, {"conjugate", number_conjugate}};
constexpr MethodRow kRealMethods[] = {{"is_integer", real_is_integer}, {"conjugate", number_conjugate}};

// --- loop, cycler
// --------------------------------------------------------------------------------------------------------
Value loop_cycle(Heap&, const Value& self, const Arguments& args) {
  if (args.positional.empty()) fail("no items for cycling given");
  if (!args.named.empty()) fail("cycle() takes no keyword arguments");
  return args.positional[static_cast<size_t>(self.get<Loop>().index0) % args.positional.size()];
}
Value loop_changed(Heap& heap, const Value& self, const Arguments& args) {
  if (!args.named.empty()) fail("changed() takes no keyword arguments");
  auto& loop = self.get<Loop>();
  Value now = make_tuple(heap, args.positional);
  if (loop.has_changed && equals(loop.changed, now)) return Value::boolean(false);
  loop.changed = std::move(now);
  loop.has_changed = true;
  return Value::boolean(true);
}
Value cycler_next(Heap&, const Value& self, const Arguments& args) {
  take_none("next", args);
  auto& cycler = self.get<Cycler>();
  const Value out = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return out;
}
Value cycler_reset(Heap&, const Value& self, const Arguments& args) {
  take_none("reset", args);
  self.get<Cycler>().position = 0;
  return Value::none();
}
constexpr MethodRow kLoopMethods[] = {{"cycle", loop_cycle}, {"changed", loop_changed}};
constexpr MethodRow kCyclerMethods[] = {{"next", cycler_next}, {"reset", cycler_reset}};

std::span<const MethodRow> methods_of(const Value& self) {
  switch (self.type()) {
    case Type::dict:
      return kDictMethods;
    case Type::list:
      return kListMethods;
    case Type::tuple:
    case Type::range:
      return kTupleMethods;
    case Type::boolean:
    case Type::integer:
      return kIntMethods;
    case Type::real:
      return kRealMethods;
    case Type::loop:
      return kLoopMethods;
    case Type::cycler:
      return kCyclerMethods;
    default:
      return {};
  }
}

Method lookup(std::span<const MethodRow> rows, std::string_view name) {
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const MethodRow& row) { return row.name == name; });
  return at == rows.end() ? nullptr : at->call;
}

bool is_mutator(const Value& self, std::string_view name) {
  static constexpr std::string_view kList[] = {"append", "clear", "pop",    "reverse",
                                               "insert", "sort",  "extend", "remove"};
  static constexpr std::string_view kDict[] = {"clear", "pop", "popitem", "setdefault", "update"};
  if (self.is(Type::list)) return std::find(std::begin(kList), std::end(kList), name) != std::end(kList);
  return self.is(Type::dict) && std::find(std::begin(kDict), std::end(kDict), name) != std::end(kDict);
}

bool loop_attribute(Heap& heap, const Value& self, std::string_view name, Value& out) {
  auto& loop = self.get<Loop>();
  if (name == "index0")
    out = Value::integer(loop.index0);
  else if (name == "index")
    out = Value::integer(loop.index0 + 1);
  else if (name == "first")
    out = Value::boolean(loop.index0 == 0);
  else if (name == "last")
    out = Value::boolean(!loop.peek());
  else if (name == "length")
    out = Value::integer(loop.length());
  else if (name == "revindex")
    out = Value::integer(loop.length() - loop.index0);
  else if (name == "revindex0")
    out = Value::integer(loop.length() - loop.index0 - 1);
  else if (name == "depth")
    out = Value::integer(loop.depth0 + 1);
  else if (name == "depth0")
    out = Value::integer(loop.depth0);
  else if (name == "previtem")
    out = loop.index0 > 0 ? loop.before : make_undefined(heap, "there is no previous item");
  else if (name == "nextitem")
    out = loop.peek() ? loop.after : make_undefined(heap, "there is no next item");
  else
    return false;
  return true;
}

bool number_attribute(const Value& self, std::string_view name, Value& out) {
  const bool whole = self.is_int();
  if (name == "real" || (whole && name == "numerator"))
    out = plus(self);
  else if (name == "imag")
    out = whole ? Value::integer(0) : Value::real(0);
  else if (whole && name == "denominator")
    out = Value::integer(1);
  else
    return false;
  return true;
}

bool data_attribute(Heap& heap, const Value& self, std::string_view name, Value& out) {
  switch (self.type()) {
    case Type::boolean:
    case Type::integer:
    case Type::real:
      return number_attribute(self, name, out);
    case Type::loop:
      return loop_attribute(heap, self, name, out);
    case Type::cycler: {
      const auto& cycler = self.get<Cycler>();
      if (name == "current") out = cycler.items[cycler.position];
      if (name == "pos") out = Value::integer(static_cast<int64_t>(cycler.position));
      if (name == "items") out = make_tuple(heap, cycler.items);
      return name == "current" || name == "pos" || name == "items";
    }
    case Type::range: {
      const auto& r = self.get<Range>();
      if (name != "start" && name != "stop" && name != "step") return false;
      out = Value::integer(name == "start" ? r.start : name == "stop" ? r.stop : r.step);
      return true;
    }
    case Type::tuple:
      if (!self.get<Array>().is_group || (name != "grouper" && name != "list")) return false;
      out = self.get<Array>().items[name == "list" ? 1 : 0];
      return true;
    default:
      return false;
  }
}

}  // namespace

Method find_method(const Value& self, std::string_view name) {
  if (!self.is_string()) return lookup(methods_of(self), name);
  const Method found = lookup(text_search_methods(), name);
  return found != nullptr ? found : lookup(text_transform_methods(), name);
}

bool find_attribute(Heap& heap, const Value& value, std::string_view name, Value& out) {
  if (value.is(Type::space)) {
    const Value* found = value.get<Space>().attributes.get<Dict>().find(name);
    if (found != nullptr) out = *found;
    return found != nullptr;
  }
  if (is_mutator(value, name)) {
    out = make_undefined(heap, "access to attribute '" + std::string(name) + "' of '" + std::string(type_name(value)) +
                                   "' object is unsafe.");
    return true;
  }
  if (const Method method = find_method(value, name)) {
    out = make_callable(
        heap, "<built-in method " + std::string(name) + " of " + std::string(type_name(value)) + " object>",
        [&heap, self = value, method](Interpreter&, Arguments& args) { return method(heap, self, args); });
    return true;
  }
  return data_attribute(heap, value, name, out);
}

}  // namespace ingle::jinja
