// Heap and objects: accounting, destruction without recursion, the dict's index.
#include "core/template/value.h"

#include <cmath>

#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {

void fail(std::string message) {
  throw Failure{base::ErrorCode::invalid_argument, std::move(message), 0};
}
void fail_limit(std::string message) {
  throw Failure{base::ErrorCode::limit_exceeded, std::move(message), 0};
}

Object::Object(Heap& owner, size_t size) : heap(owner), bytes(size) {
  heap.charge(size);
  heap.enlist(*this);
}

Object::~Object() {
  heap.unlist(*this);
  heap.refund(bytes);
}

void Heap::enlist(Object& object) noexcept {
  object.next = objects_;
  if (objects_ != nullptr) objects_->prev = &object;
  objects_ = &object;
}

void Heap::unlist(Object& object) noexcept {
  if (object.prev != nullptr) object.prev->next = object.next;
  if (object.next != nullptr) object.next->prev = object.prev;
  if (objects_ == &object) objects_ = object.next;
  object.prev = object.next = nullptr;
}

// A list nested a million deep must not recurse a million deep when it dies: what dies meanwhile waits in a queue,
// linked through `next` (a dead object has left the list of the living).
void Heap::bury(Object* object) noexcept {
  unlist(*object);
  object->next = dead_;
  dead_ = object;
  if (burying_) return;
  burying_ = true;
  while (dead_ != nullptr) {
    Object* first = dead_;
    dead_ = first->next;
    first->next = nullptr;
    delete first;
  }
  burying_ = false;
}

// What is still alive now is part of a cycle (a namespace that holds itself, a macro and its scope).
Heap::~Heap() {
  Object* object = objects_;
  if (object != nullptr) ++object->refs;
  while (object != nullptr) {
    object->clear();
    Object* following = object->next;
    if (following != nullptr) ++following->refs;
    if (--object->refs == 0) bury(object);
    object = following;
  }
}

Text::Text(Heap& h, std::string s, bool safe)
    : Object(h, sizeof(Text) + s.size()), text(std::move(s)), chars(count_chars(text)), markup(safe) {}

void Dict::clear() {
  entries.clear();
  slots_.clear();
}

template <typename Same>
const Dict::Entry* Dict::lookup(uint64_t hash, Same&& same) const {
  if (slots_.empty()) {
    for (const Entry& entry : entries)
      if (entry.hash == hash && same(entry.key)) return &entry;
    return nullptr;
  }
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const Entry& entry = entries[slots_[at] - 1];
    if (entry.hash == hash && same(entry.key)) return &entry;
    heap.step();  // collisions, which crafted keys could pile up
  }
  return nullptr;
}

const Value* Dict::find(const Value& key) const {
  const Entry* entry = lookup(hash_value(key), [&](const Value& other) { return equals(other, key); });
  return entry == nullptr ? nullptr : &entry->value;
}

const Value* Dict::find(std::string_view key) const {
  const Entry* entry =
      lookup(hash_text(key), [&](const Value& other) { return other.is_string() && other.get<Text>().text == key; });
  return entry == nullptr ? nullptr : &entry->value;
}

void Dict::set(Value key, Value value) {
  const uint64_t hash = hash_value(key);
  if (const Entry* found = lookup(hash, [&](const Value& other) { return equals(other, key); })) {
    const_cast<Entry*>(found)->value = std::move(value);
    return;
  }
  constexpr size_t kCost = sizeof(Entry) + 2 * sizeof(uint32_t);
  heap.charge(kCost);
  bytes += kCost;
  entries.push_back({hash, std::move(key), std::move(value)});
  if (entries.size() <= 8) return;
  if (entries.size() * 2 > slots_.size()) return rebuild_index();
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = static_cast<uint32_t>(entries.size());
}

void Dict::rebuild_index() {
  size_t size = 32;
  while (size < entries.size() * 4) size *= 2;
  slots_.assign(size, 0);
  for (size_t i = 0; i < entries.size(); ++i) {
    size_t at = entries[i].hash & (size - 1);
    while (slots_[at] != 0) at = (at + 1) & (size - 1);
    slots_[at] = static_cast<uint32_t>(i + 1);
  }
}

int64_t Range::size() const {
  const auto span = step > 0 ? static_cast<Wide>(stop) - start : static_cast<Wide>(start) - stop;
  if (span <= 0) return 0;
  const auto stride = step > 0 ? static_cast<Wide>(step) : -static_cast<Wide>(step);
  const auto count = (span + stride - 1) / stride;
  return count > INT64_MAX ? INT64_MAX : static_cast<int64_t>(count);
}

void Loop::clear() {
  source = nullptr;
  recurse = nullptr;
  current = before = after = changed = Value();
}

bool Loop::advance() {
  Value item;
  if (has_after) {
    item = std::move(after);
    after = Value();
    has_after = false;
  } else if (!source || !source(item)) {
    return false;
  }
  has_before = ++index0 > 0;
  before = std::move(current);
  current = std::move(item);
  return true;
}

bool Loop::peek() {
  if (!has_after) has_after = source && source(after);
  return has_after;
}

int64_t Loop::length() {
  if (known_length >= 0) return known_length;
  Values rest;
  Value item;
  while (source && source(item)) {
    heap.charge(sizeof(Value));  // stays charged: the loop keeps the items until its end
    bytes += sizeof(Value);
    heap.step();
    rest.push_back(std::move(item));
  }
  known_length = static_cast<int64_t>(rest.size()) + index0 + 1 + (has_after ? 1 : 0);
  source = [items = std::move(rest), at = size_t{0}](Value& out) mutable {
    if (at == items.size()) return false;
    out = items[at++];
    return true;
  };
  return known_length;
}

Value make_undefined(Heap& heap, std::string message) {
  return Value::of(Type::undefined, new Undefined(heap, std::move(message)));
}
Value make_text(Heap& heap, std::string text, bool markup) {
  heap.touch(text.size());
  return Value::of(Type::string, new Text(heap, std::move(text), markup));
}
Value make_list(Heap& heap, Values items) {
  heap.step(items.size() / 8 + 1);
  return Value::of(Type::list, new Array(heap, std::move(items)));
}
Value make_tuple(Heap& heap, Values items) {
  heap.step(items.size() / 8 + 1);
  return Value::of(Type::tuple, new Array(heap, std::move(items)));
}
Value make_dict(Heap& heap) {
  return Value::of(Type::dict, new Dict(heap));
}
Value make_iterator(Heap& heap, Next next, std::string_view python_name) {
  return Value::of(Type::iterator, new Iterator(heap, std::move(next), python_name));
}
Value make_callable(Heap& heap, std::string description, Function function) {
  return Value::of(Type::callable, new Callable(heap, std::move(description), std::move(function)));
}

namespace {

uint64_t mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  return x;
}

}  // namespace

uint64_t hash_text(std::string_view text) {
  return mix(std::hash<std::string_view>{}(text));
}

uint64_t hash_value(const Value& value, int depth) {
  if (depth > kMaxValueDepth) fail_limit("a value is nested too deep");
  switch (value.type()) {
    case Type::undefined:
      return 1;
    case Type::none:
      return 2;
    case Type::boolean:
    case Type::integer:
      return mix(static_cast<uint64_t>(value.as_int()));
    case Type::real: {
      const double v = value.as_real();
      if (v >= -9.2e18 && v <= 9.2e18 && v == std::floor(v)) return mix(static_cast<uint64_t>(static_cast<int64_t>(v)));
      return mix(std::hash<double>{}(v));
    }
    case Type::string:
      return hash_text(value.get<Text>().text);
    case Type::tuple: {
      uint64_t h = 0x345678;
      for (const Value& item : value.get<Array>().items) h = mix(h ^ hash_value(item, depth + 1)) + 97;
      return h;
    }
    case Type::view:
      if (value.get<View>().kind == ViewKind::values) return mix(reinterpret_cast<uintptr_t>(value.object()));
      [[fallthrough]];
    case Type::list:
    case Type::dict:
      fail(std::string("unhashable type: '") + std::string(type_name(value)) + "'");
    default:
      return mix(reinterpret_cast<uintptr_t>(value.object()));
  }
}

}  // namespace ingle::jinja
