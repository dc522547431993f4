// The values a template computes with: Python's, as far as Jinja reaches them.
// A Value is a tagged word; everything larger is a reference-counted Object that belongs to the Heap of one render. The
// heap accounts every byte and every step, so that no template can use unbounded memory or time, and frees everything
// at the end, cycles included. Inside this folder failure is an exception (Failure); ChatTemplate turns it into a
// Result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ingle::jinja {

/// For intermediate results that 64 bits may not hold.
__extension__ typedef __int128 Wide;

/// Thrown by everything in this folder below ChatTemplate. `line` is 0 until the interpreter knows it.
struct Failure {
  base::ErrorCode code = base::ErrorCode::invalid_argument;
  std::string message;
  uint32_t line = 0;
};

[[noreturn]] void fail(std::string message);
[[noreturn]] void fail_limit(std::string message);

enum class Type : uint8_t {
  undefined,  ///< Jinja's default Undefined; the object (may be absent) says what was missing
  none,
  boolean,
  integer,
  real,
  string,
  list,
  tuple,
  dict,
  view,  ///< dict.keys(), .values(), .items()
  range,
  iterator,  ///< a generator: lazily computed, consumed once
  space,     ///< namespace()
  callable,  ///< function, method, macro, joiner
  loop,      ///< the `loop` of a for
  cycler,
};

class Heap;

/// What all reference-counted values share. Deleted through Heap::bury, never recursively.
struct Object {
  Object(Heap& owner, size_t size);
  virtual ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  /// Drops references to other objects, to break cycles at the end of a render.
  virtual void clear() {}

  Heap& heap;
  uint32_t refs = 0;
  size_t bytes;  ///< what this object is charged with
  Object* next = nullptr;
  Object* prev = nullptr;
};

class Value {
 public:
  Value() = default;  // undefined, without a message
  Value(const Value& other) noexcept : type_(other.type_), word_(other.word_) { retain(); }
  Value(Value&& other) noexcept : type_(other.type_), word_(other.word_) {
    other.type_ = Type::undefined;
    other.word_.object = nullptr;
  }
  Value& operator=(Value other) noexcept {
    std::swap(type_, other.type_);
    std::swap(word_, other.word_);
    return *this;
  }
  ~Value() { release(); }

  static Value none() { return Value(Type::none); }
  static Value boolean(bool v) {
    Value r(Type::boolean);
    r.word_.integer = v ? 1 : 0;
    return r;
  }
  static Value integer(int64_t v) {
    Value r(Type::integer);
    r.word_.integer = v;
    return r;
  }
  static Value real(double v) {
    Value r(Type::real);
    r.word_.real = v;
    return r;
  }
  static Value of(Type type, Object* object) {
    Value r(type);
    r.word_.object = object;
    ++object->refs;
    return r;
  }

  Type type() const { return type_; }
  bool is(Type type) const { return type_ == type; }
  bool is_undefined() const { return type_ == Type::undefined; }
  bool is_none() const { return type_ == Type::none; }
  bool is_string() const { return type_ == Type::string; }
  /// bool counts as an int, as in Python.
  bool is_int() const { return type_ == Type::integer || type_ == Type::boolean; }
  bool is_number() const { return is_int() || type_ == Type::real; }
  bool is_sequence() const { return type_ == Type::list || type_ == Type::tuple; }
  bool is_true() const { return type_ == Type::boolean && word_.integer != 0; }
  bool is_false() const { return type_ == Type::boolean && word_.integer == 0; }

  int64_t as_int() const { return word_.integer; }
  double as_real() const { return type_ == Type::real ? word_.real : static_cast<double>(word_.integer); }
  Object* object() const { return has_object() ? word_.object : nullptr; }
  template <typename T>
  T& get() const {
    return static_cast<T&>(*word_.object);
  }
  /// Whether both are the same object, or equal plain words: Python's `is`.
  bool same_as(const Value& other) const {
    return type_ == other.type_ && (type_ == Type::none || word_.integer == other.word_.integer);
  }

 private:
  explicit Value(Type type) : type_(type) {}
  bool has_object() const { return (type_ == Type::undefined || type_ >= Type::string) && word_.object != nullptr; }
  void retain() const noexcept {
    if (has_object()) ++word_.object->refs;
  }
  inline void release() noexcept;

  Type type_ = Type::undefined;
  union Word {
    int64_t integer;
    double real;
    Object* object;
  } word_ = {.object = nullptr};
};

/// Accounts and owns all objects of one render. Not shared between threads.
class Heap {
 public:
  Heap(uint64_t max_bytes, uint64_t max_steps) : max_bytes_(max_bytes), max_steps_(max_steps) {}
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  void charge(size_t bytes) {
    if (bytes > max_bytes_ - used_) fail_limit("the template needs more memory than the limit allows");
    used_ += bytes;
  }
  void refund(size_t bytes) { used_ -= bytes; }
  /// One unit is a node evaluated, an item visited or 64 bytes of text touched.
  void step(uint64_t count = 1) {
    if (count > max_steps_ - steps_) fail_limit("the template takes more steps than the limit allows; does it loop?");
    steps_ += count;
  }
  void touch(size_t bytes) { step(bytes / 64 + 1); }
  uint64_t steps() const { return steps_; }

  void enlist(Object& object) noexcept;
  void unlist(Object& object) noexcept;
  void bury(Object* object) noexcept;

 private:
  uint64_t max_bytes_;
  uint64_t used_ = 0;
  uint64_t max_steps_;
  uint64_t steps_ = 0;
  Object* objects_ = nullptr;
  Object* dead_ = nullptr;
  bool burying_ = false;
};

inline void Value::release() noexcept {
  if (has_object() && --word_.object->refs == 0) word_.object->heap.bury(word_.object);
}

struct Undefined : Object {
  Undefined(Heap& h, std::string text) : Object(h, sizeof(Undefined) + text.size()), message(std::move(text)) {}
  std::string message;  ///< what an operation on it reports
};

/// UTF-8 text; indices in templates count code points.
struct Text : Object {
  Text(Heap& h, std::string s, bool safe);
  std::string text;
  size_t chars;  ///< code points; equal to text.size() for ASCII
  bool markup;   ///< MarkupSafe's Markup: combining it escapes the other side
  bool ascii() const { return chars == text.size(); }
};

using Values = std::vector<Value>;

/// list and tuple
struct Array : Object {
  Array(Heap& h, Values v) : Object(h, sizeof(Array) + v.size() * sizeof(Value)), items(std::move(v)) {}
  void clear() override { items.clear(); }
  Values items;
  bool is_group = false;  ///< a tuple of |groupby, with attributes grouper and list
};

/// Insertion-ordered. Only ever grows: the sandbox forbids every method that would change a dict.
struct Dict : Object {
  explicit Dict(Heap& h) : Object(h, sizeof(Dict)) {}
  void clear() override;
  struct Entry {
    uint64_t hash;
    Value key, value;
  };
  /// nullptr where absent.
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  void set(Value key, Value value);

  std::vector<Entry> entries;

 private:
  template <typename Same>
  const Entry* lookup(uint64_t hash, Same&& same) const;
  void rebuild_index();
  std::vector<uint32_t> slots_;  // open addressing, entry + 1; empty while the dict is small
};

enum class ViewKind : uint8_t { keys, values, items };

struct View : Object {
  View(Heap& h, Value d, ViewKind k) : Object(h, sizeof(View)), dict(std::move(d)), kind(k) {}
  void clear() override { dict = Value(); }
  Value dict;
  ViewKind kind;
};

struct Range : Object {
  Range(Heap& h, int64_t a, int64_t b, int64_t c) : Object(h, sizeof(Range)), start(a), stop(b), step(c) {}
  int64_t size() const;
  int64_t start, stop, step;
};

/// Fills `out` and says true, or says false at the end.
using Next = std::function<bool(Value& out)>;

struct Iterator : Object {
  Iterator(Heap& h, Next n, std::string_view python_name)
      : Object(h, sizeof(Iterator) + 64), next_item(std::move(n)), name(python_name) {}
  void clear() override { next_item = nullptr; }
  bool advance(Value& out) { return next_item && next_item(out); }
  Next next_item;
  std::string_view name;
};

struct Space : Object {
  explicit Space(Heap& h, Value d) : Object(h, sizeof(Space)), attributes(std::move(d)) {}
  void clear() override { attributes = Value(); }
  Value attributes;  ///< a dict
};

struct Keyword {
  std::string name;
  Value value;
};

struct Arguments {
  Values positional;
  std::vector<Keyword> named;
};

class Interpreter;
using Function = std::function<Value(Interpreter&, Arguments&)>;

struct Callable : Object {
  Callable(Heap& h, std::string description, Function f)
      : Object(h, sizeof(Callable) + 64 + description.size()), name(std::move(description)), function(std::move(f)) {}
  void clear() override { function = nullptr; }
  std::string name;  ///< what printing it shows
  Function function;
};

struct Cycler : Object {
  Cycler(Heap& h, Values v) : Object(h, sizeof(Cycler) + v.size() * sizeof(Value)), items(std::move(v)) {}
  void clear() override { items.clear(); }
  Values items;
  size_t position = 0;
};

/// The `loop` variable: one step ahead of the body only where the body asks for it, as Jinja's LoopContext.
struct Loop : Object {
  explicit Loop(Heap& h) : Object(h, sizeof(Loop)) {}
  void clear() override;
  bool advance();  ///< to the next item; false at the end
  bool peek();     ///< whether there is a next item, which is then in `after`
  int64_t length();

  Next source;
  int64_t known_length = -1;  ///< -1: found out by reading everything
  int64_t index0 = -1;
  int64_t depth0 = 0;
  bool has_after = false, has_before = false, has_changed = false;
  Value current, before, after, changed;
  std::function<Value(const Value&, int64_t)> recurse;  ///< set for `recursive` loops
};

Value make_undefined(Heap& heap, std::string message);
Value make_text(Heap& heap, std::string text, bool markup = false);
Value make_list(Heap& heap, Values items);
Value make_tuple(Heap& heap, Values items);
Value make_dict(Heap& heap);
Value make_iterator(Heap& heap, Next next, std::string_view python_name = "generator");
Value make_callable(Heap& heap, std::string description, Function function);

/// Python's hash rule: equal values hash alike (1, 1.0 and True). Fails for lists and dicts.
uint64_t hash_value(const Value& value, int depth = 0);
uint64_t hash_text(std::string_view text);

}  // namespace ingle::jinja
