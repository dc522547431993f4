// Global functions of a template.
#include <memory>

#include "core/template/arguments.h"
#include "core/template/filters.h"
#include "core/template/format.h"
#include "core/template/interpreter.h"
#include "core/template/operations.h"

namespace ingle::jinja {
namespace {

constexpr int64_t kMaxRange = 100'000;  // jinja2.sandbox.MAX_RANGE

Value make_range(Interpreter& in, Arguments& args) {
  const Bound bound("range", args, {"start", "stop", "step"}, 1, 3);
  const auto at = [&](size_t i) { return expect_index(bound[i], "a bound of range()"); };
  const int64_t start = bound.has(1) ? at(0) : 0, stop = bound.has(1) ? at(1) : at(0), step = bound.has(2) ? at(2) : 1;
  if (step == 0) fail("range() arg 3 must not be zero");
  Value out = Value::of(Type::range, new Range(in.heap(), start, stop, step));
  if (out.get<Range>().size() > kMaxRange)
    fail("Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + std::to_string(kMaxRange) + ").");
  return out;
}

// dict(mapping or pairs, **more)
Value build_dict(Interpreter& in, Arguments& args) {
  Heap& heap = in.heap();
  if (args.positional.size() > 1)
    fail("dict expected at most 1 argument, got " + std::to_string(args.positional.size()));
  Value out = make_dict(heap);
  auto& dict = out.get<Dict>();
  if (!args.positional.empty()) {
    const Value& from = args.positional[0];
    if (from.is(Type::dict)) {
      for (const auto& entry : from.get<Dict>().entries) {
        heap.step();
        dict.set(entry.key, entry.value);
      }
    } else {
      Value item;
      for (const Next next = iterate(heap, from); next(item);) {
        heap.step();
        const Values pair = to_values(heap, item);
        if (pair.size() != 2)
          fail("dictionary update sequence element has length " + std::to_string(pair.size()) + "; 2 is required");
        dict.set(pair[0], pair[1]);
      }
    }
  }
  for (const Keyword& keyword : args.named) dict.set(make_text(heap, keyword.name), keyword.value);
  return out;
}

Value make_namespace(Interpreter& in, Arguments& args) {
  Value attributes = build_dict(in, args);
  for (const auto& entry : attributes.get<Dict>().entries)
    if (entry.key.is_string() && entry.key.get<Text>().text.starts_with('_'))
      fail("a namespace cannot hold the underscore-prefixed attribute '" + entry.key.get<Text>().text + "'");
  return Value::of(Type::space, new Space(in.heap(), attributes));
}

Value make_cycler(Interpreter& in, Arguments& args) {
  if (!args.named.empty()) fail("cycler() takes no keyword arguments");
  if (args.positional.empty()) fail("at least one item has to be provided");
  return Value::of(Type::cycler, new Cycler(in.heap(), args.positional));
}

Value make_joiner(Interpreter& in, Arguments& args) {
  const Bound bound("joiner", args, {"sep"}, 0);
  Value text = bound.value_or(0, make_text(in.heap(), ", "));
  return make_callable(in.heap(), "<joiner>",
                       [separator = std::move(text), used = false](Interpreter& inner, Arguments& none) mutable {
                         const Bound nothing("joiner", none, {}, 0);
                         if (used) return separator;
                         used = true;
                         return make_text(inner.heap(), "");
                       });
}

Value raise_exception(Interpreter& in, Arguments& args) {
  const Bound bound("raise_exception", args, {"message"}, 1);
  fail(to_text(in.heap(), bound[0]));
}

Value strftime_now(Interpreter& in, Arguments& args) {
  const Bound bound("strftime_now", args, {"format"}, 1);
  return make_text(in.heap(), format_time(in.heap(), expect_text(bound[0], "the format"), in.now()));
}

struct Row {
  std::string_view name;
  Value (*call)(Interpreter&, Arguments&);
};
constexpr Row kRows[] = {
    {"range", make_range},          {"dict", build_dict},    {"namespace", make_namespace},
    {"cycler", make_cycler},        {"joiner", make_joiner}, {"raise_exception", raise_exception},
    {"strftime_now", strftime_now},
};

}  // namespace

Value find_global(Interpreter& interpreter, std::string_view name) {
  for (const Row& row : kRows)
    if (row.name == name) return make_callable(interpreter.heap(), "<function " + std::string(name) + ">", row.call);
  return {};
}

}  // namespace ingle::jinja
