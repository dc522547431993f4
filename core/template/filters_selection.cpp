// map, select and their kin: lazy, as Python's generators, and the lookup of filters by name.
#include <algorithm>
#include <memory>

#include "core/template/arguments.h"
#include "core/template/attribute_path.h"
#include "core/template/filters.h"
#include "core/template/interpreter.h"
#include "core/template/operations.h"

namespace ingle::jinja {
namespace {

using Transform = std::function<Value(const Value&)>;
using Ask = std::function<bool(const Value&)>;

Transform make_map(Interpreter& in, const Arguments& args) {
  Heap& heap = in.heap();
  const auto named = [&](std::string_view name) {
    return std::find_if(args.named.begin(), args.named.end(), [&](const Keyword& k) { return k.name == name; });
  };
  if (args.positional.empty() && named("attribute") != args.named.end()) {
    for (const Keyword& keyword : args.named)
      if (keyword.name != "attribute" && keyword.name != "default")
        fail("Unexpected keyword argument '" + keyword.name + "'");
    auto path = std::make_shared<AttributePath>(heap, named("attribute")->value);
    const auto fallback = named("default");
    if (fallback != args.named.end() && !fallback->value.is_none()) path->set_default(fallback->value);
    return [&heap, path](const Value& item) { return path->get(heap, item); };
  }
  if (args.positional.empty()) fail("map requires a filter argument");
  if (args.positional[0].is_undefined()) fail_undefined(args.positional[0]);
  const std::string name = to_text(heap, args.positional[0]);
  const FilterRow* row = args.positional[0].is_string() ? find_filter(name) : nullptr;
  if (row == nullptr) fail("No filter named '" + name + "'.");
  Arguments rest = args;
  rest.positional.erase(rest.positional.begin());
  return [&in, row, rest](const Value& item) { return row->call(in, item, rest); };
}

Value filter_map(Interpreter& in, const Value& value, const Arguments& args) {
  Heap& heap = in.heap();
  return make_iterator(heap, [&in, &heap, value, args, next = Next(), transform = Transform()](Value& out) mutable {
    if (!next) {
      if (!truthy(value)) return false;
      transform = make_map(in, args);
      next = iterate(heap, value);
    }
    Value item;
    if (!next(item)) return false;
    heap.step();
    out = transform(item);
    return true;
  });
}

Ask make_ask(Interpreter& in, const Arguments& args, bool by_attribute, bool wanted) {
  Heap& heap = in.heap();
  Transform pick = [](const Value& item) { return item; };
  if (by_attribute) {
    if (args.positional.empty()) fail("Missing parameter for attribute name");
    auto path = std::make_shared<AttributePath>(heap, args.positional[0]);
    pick = [&heap, path](const Value& item) { return path->get(heap, item); };
  }
  const size_t offset = by_attribute ? 1 : 0;
  if (args.positional.size() <= offset)
    return [pick, wanted](const Value& item) { return truthy(pick(item)) == wanted; };
  const Value& name = args.positional[offset];
  if (name.is_undefined()) fail_undefined(name);
  const TestRow* row = name.is_string() ? find_test(name.get<Text>().text) : nullptr;
  if (row == nullptr) fail("No test named '" + to_text(heap, name) + "'.");
  Arguments rest = args;
  rest.positional.erase(rest.positional.begin(), rest.positional.begin() + static_cast<ptrdiff_t>(offset) + 1);
  return [&in, pick, row, rest, wanted](const Value& item) { return row->call(in, pick(item), rest) == wanted; };
}

template <bool kByAttribute, bool kWanted>
Value filter_choose(Interpreter& in, const Value& value, const Arguments& args) {
  Heap& heap = in.heap();
  return make_iterator(heap, [&in, &heap, value, args, next = Next(), ask = Ask()](Value& out) mutable {
    if (!next) {
      if (!truthy(value)) return false;
      ask = make_ask(in, args, kByAttribute, kWanted);
      next = iterate(heap, value);
    }
    while (next(out)) {
      heap.step();
      if (ask(out)) return true;
    }
    return false;
  });
}

constexpr FilterRow kRows[] = {
    {"map", filter_map},
    {"select", filter_choose<false, true>},
    {"reject", filter_choose<false, false>},
    {"selectattr", filter_choose<true, true>},
    {"rejectattr", filter_choose<true, false>},
};

}  // namespace

std::span<const FilterRow> selection_filters() {
  return kRows;
}

const FilterRow* find_filter(std::string_view name) {
  for (const auto rows : {text_filters(), number_filters(), sequence_filters(), selection_filters()})
    for (const FilterRow& row : rows)
      if (row.name == name) return &row;
  return nullptr;
}

const TestRow* find_test(std::string_view name) {
  for (const TestRow& row : all_tests())
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace ingle::jinja
