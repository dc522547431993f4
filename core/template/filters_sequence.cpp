// Filters that order, group, join and cut sequences.
#include <algorithm>
#include <memory>

#include "core/template/arguments.h"
#include "core/template/attribute_path.h"
#include "core/template/filters.h"
#include "core/template/interpreter.h"
#include "core/template/merge_sort.h"
#include "core/template/operations.h"

namespace ingle::jinja {
namespace {

Value filter_first(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("first", args, {}, 0);
  Value out;
  if (iterate(in.heap(), value)(out)) return out;
  return make_undefined(in.heap(), "No first item, sequence was empty.");
}

Value filter_last(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("last", args, {}, 0);
  const Next next = iterate_reversed(in.heap(), value);
  if (!next) fail("'" + std::string(type_name(value)) + "' object is not reversible");
  Value out;
  if (next(out)) return out;
  return make_undefined(in.heap(), "No last item, sequence was empty.");
}

Value filter_list(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("list", args, {}, 0);
  return make_list(in.heap(), to_values(in.heap(), value));
}

Value filter_reverse(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("reverse", args, {}, 0);
  Heap& heap = in.heap();
  if (value.is_string()) return slice(heap, value, Value::none(), Value::none(), Value::integer(-1));
  if (Next next = iterate_reversed(heap, value)) return make_iterator(heap, std::move(next), "list_reverseiterator");
  if (!iterable(value)) fail("argument must be iterable");
  Values items = to_values(heap, value);
  std::reverse(items.begin(), items.end());
  return make_list(heap, std::move(items));
}

Value filter_join(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("join", args, {"d", "attribute"}, 0);
  Heap& heap = in.heap();
  const std::string joint = bound.has(0) ? to_text(heap, bound[0]) : "";
  const AttributePath path(heap, bound.value_or(1, Value::none()));
  std::string out;
  Value item;
  bool first = true;
  for (const Next next = iterate(heap, value); next(item); first = false) {
    heap.step();
    if (!first) {
      grow(heap, out, joint.size());
      out += joint;
    }
    append_text(heap, out, bound.given(1) ? path.get(heap, item) : item);
  }
  return make_text(heap, std::move(out));
}

Value filter_items(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("items", args, {}, 0);
  Heap& heap = in.heap();
  return make_iterator(heap, [&heap, value, next = Next()](Value& out) mutable {
    if (!next) {
      if (value.is_undefined()) return false;
      if (!value.is(Type::dict)) fail("Can only get item pairs from a mapping.");
      next = iterate(heap, Value::of(Type::view, new View(heap, value, ViewKind::items)));
    }
    return next(out);
  });
}

// --- order -----------------------------------------------------------------------------------------------------------
struct Keyed {
  Value key, item;
};

Values sorted(Heap& heap, std::vector<Keyed> items, bool reverse) {
  check_growth(heap, items.size() * 2 * sizeof(Keyed));
  size_t log = 1;
  for (size_t n = items.size(); n > 1; n /= 2) ++log;
  heap.step(items.size() * log / 4);
  merge_sort(items,
             [reverse](const Keyed& a, const Keyed& b) { return reverse ? less(a.key, b.key) : less(b.key, a.key); });
  Values out;
  out.reserve(items.size());
  for (Keyed& each : items) out.push_back(std::move(each.item));
  return out;
}

Value filter_sort(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("sort", args, {"reverse", "case_sensitive", "attribute"}, 0);
  Heap& heap = in.heap();
  const auto paths = AttributePath::several(heap, bound.value_or(2, Value::none()), !bound.flag(1));
  std::vector<Keyed> items;
  for (Value& item : to_values(heap, value)) {
    Values keys;
    for (const AttributePath& path : paths) keys.push_back(path.get(heap, item));
    items.push_back({make_list(heap, std::move(keys)), std::move(item)});
  }
  return make_list(heap, sorted(heap, std::move(items), bound.flag(0)));
}

Value filter_dictsort(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("dictsort", args, {"case_sensitive", "by", "reverse"}, 0);
  Heap& heap = in.heap();
  const std::string by = bound.has(1) ? to_text(heap, bound[1]) : "key";
  if (by != "key" && by != "value") fail("You can only sort by either \"key\" or \"value\"");
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is(Type::dict)) fail("dictsort needs a mapping, not '" + std::string(type_name(value)) + "'");
  const AttributePath path(heap, Value::none(), !bound.flag(0));
  std::vector<Keyed> items;
  for (const auto& entry : value.get<Dict>().entries)
    items.push_back(
        {path.get(heap, by == "key" ? entry.key : entry.value), make_tuple(heap, {entry.key, entry.value})});
  return make_list(heap, sorted(heap, std::move(items), bound.flag(2)));
}

Value extreme(Interpreter& in, const Value& value, const Arguments& args, bool smallest) {
  const Bound bound(smallest ? "min" : "max", args, {"case_sensitive", "attribute"}, 0);
  Heap& heap = in.heap();
  const AttributePath path(heap, bound.value_or(1, Value::none()), !bound.flag(0));
  const Next next = iterate(heap, value);
  Value best, item;
  if (!next(best)) return make_undefined(heap, "No aggregated item, sequence was empty.");
  Value best_key = path.get(heap, best);
  while (next(item)) {
    heap.step();
    Value key = path.get(heap, item);
    const bool better = smallest ? less(key, best_key) : compare(key, best_key, ">") == 1;
    if (!better) continue;
    best = item;
    best_key = std::move(key);
  }
  return best;
}
Value filter_min(Interpreter& in, const Value& value, const Arguments& args) {
  return extreme(in, value, args, true);
}
Value filter_max(Interpreter& in, const Value& value, const Arguments& args) {
  return extreme(in, value, args, false);
}

Value filter_sum(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("sum", args, {"attribute", "start"}, 0);
  Heap& heap = in.heap();
  const AttributePath path(heap, bound.value_or(0, Value::none()));
  Value total = bound.value_or(1, Value::integer(0));
  if (total.is_string()) fail("sum() can't sum strings [use ''.join(seq) instead]");
  Value item;
  for (const Next next = iterate(heap, value); next(item);) {
    heap.step();
    total = arithmetic(heap, Arithmetic::add, total, path.get(heap, item));
  }
  return total;
}

Value filter_unique(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("unique", args, {"case_sensitive", "attribute"}, 0);
  Heap& heap = in.heap();
  auto path = std::make_shared<AttributePath>(heap, bound.value_or(1, Value::none()), !bound.flag(0));
  return make_iterator(heap, [&heap, value, path, next = Next(), seen = make_dict(heap)](Value& out) mutable {
    if (!next) next = iterate(heap, value);
    while (next(out)) {
      heap.step();
      const Value key = path->get(heap, out);
      if (seen.get<Dict>().find(key) != nullptr) continue;
      seen.get<Dict>().set(key, Value::none());
      return true;
    }
    return false;
  });
}

Value filter_groupby(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("groupby", args, {"attribute", "default", "case_sensitive"}, 1);
  Heap& heap = in.heap();
  AttributePath path(heap, bound[0], !bound.flag(2)), plain(heap, bound[0]);
  if (bound.given(1)) {
    path.set_default(bound[1]);
    plain.set_default(bound[1]);
  }
  std::vector<Keyed> items;
  for (Value& item : to_values(heap, value)) items.push_back({path.get(heap, item), std::move(item)});
  Values groups, members;
  Value key;
  const auto close = [&] {
    if (members.empty()) return;
    Value name = plain.get(heap, members[0]);
    Value group = make_tuple(heap, {std::move(name), make_list(heap, std::exchange(members, {}))});
    group.get<Array>().is_group = true;
    groups.push_back(std::move(group));
  };
  for (Value& item : sorted(heap, std::move(items), false)) {
    Value own = path.get(heap, item);
    if (!members.empty() && !equals(own, key)) close();
    key = std::move(own);
    members.push_back(std::move(item));
  }
  close();
  return make_list(heap, std::move(groups));
}

// --- cutting
// -----------------------------------------------------------------------------------------------------------
Value filter_batch(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("batch", args, {"linecount", "fill_with"}, 1);
  Heap& heap = in.heap();
  const Value& count = bound[0];
  const Value fill = bound.value_or(1, Value::none());
  return make_iterator(
      heap, [&heap, value, count, fill, next = Next(), held = Value(), has_held = false](Value& out) mutable {
        if (!next) next = iterate(heap, value);
        Values row;
        Value item;
        if (has_held) row.push_back(std::move(held));
        has_held = false;
        while (next(item)) {
          heap.step();
          if (equals(Value::integer(static_cast<int64_t>(row.size())), count)) {
            held = std::move(item);
            has_held = true;
            out = make_list(heap, std::move(row));
            return true;
          }
          check_growth(heap, sizeof(Value) * (row.size() + 1));
          row.push_back(std::move(item));
        }
        if (row.empty()) return false;
        if (!fill.is_none()) {
          const auto wanted = static_cast<uint64_t>(std::max<int64_t>(expect_index(count, "linecount"), 0));
          if (row.size() < wanted) {
            if (wanted > (uint64_t{1} << 40)) fail_limit("a batch is too long");
            check_growth(heap, wanted * sizeof(Value));
            row.resize(wanted, fill);
          }
        }
        out = make_list(heap, std::move(row));
        return true;
      });
}

Value filter_slice(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("slice", args, {"slices", "fill_with"}, 1);
  Heap& heap = in.heap();
  const Value& slices = bound[0];
  const Value fill = bound.value_or(1, Value::none());
  return make_iterator(
      heap, [&heap, value, slices, fill, items = Values(), at = int64_t{-1}, used = size_t{0}](Value& out) mutable {
        const int64_t count = expect_index(slices, "slices");
        if (at < 0) {
          items = to_values(heap, value);
          at = 0;
          if (count == 0) fail("integer division or modulo by zero");
        }
        if (at >= count) return false;
        const auto parts = static_cast<size_t>(count);
        const size_t extra = items.size() % parts;
        const bool has_extra = static_cast<size_t>(at) < extra;
        const size_t size = items.size() / parts + (has_extra ? 1 : 0);
        Values part(items.begin() + static_cast<ptrdiff_t>(used), items.begin() + static_cast<ptrdiff_t>(used + size));
        used += size;
        if (!fill.is_none() && !has_extra) part.push_back(fill);
        ++at;
        out = make_list(heap, std::move(part));
        return true;
      });
}

constexpr FilterRow kRows[] = {
    {"first", filter_first},     {"last", filter_last},   {"list", filter_list},   {"reverse", filter_reverse},
    {"join", filter_join},       {"items", filter_items}, {"sort", filter_sort},   {"dictsort", filter_dictsort},
    {"min", filter_min},         {"max", filter_max},     {"sum", filter_sum},     {"unique", filter_unique},
    {"groupby", filter_groupby}, {"batch", filter_batch}, {"slice", filter_slice},
};

}  // namespace

std::span<const FilterRow> sequence_filters() {
  return kRows;
}

}  // namespace ingle::jinja
