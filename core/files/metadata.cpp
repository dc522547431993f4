// Typed access to metadata: the caller says what it can use, and a key of another type counts as absent.
#include "base/checked.h"
#include "core/files/model_file.h"

namespace ingle::core {
namespace {

template <typename T>
const T* find_as(const Metadata& metadata, std::string_view key) {
  const auto entry = metadata.values.find(key);
  return entry == metadata.values.end() ? nullptr : std::get_if<T>(&entry->second);
}

}  // namespace

const std::string* Metadata::find_string(std::string_view key) const {
  return find_as<std::string>(*this, key);
}

const std::vector<std::string>* Metadata::find_strings(std::string_view key) const {
  return find_as<std::vector<std::string>>(*this, key);
}

const std::vector<double>* Metadata::find_doubles(std::string_view key) const {
  return find_as<std::vector<double>>(*this, key);
}

std::optional<uint64_t> Metadata::find_uint(std::string_view key) const {
  if (const auto* value = find_as<uint64_t>(*this, key)) return *value;
  if (const auto* value = find_as<int64_t>(*this, key)) return base::checked_cast<uint64_t>(*value);
  return std::nullopt;
}

std::optional<double> Metadata::find_double(std::string_view key) const {
  if (const auto* value = find_as<double>(*this, key)) return *value;
  if (const auto* value = find_as<uint64_t>(*this, key)) return static_cast<double>(*value);
  if (const auto* value = find_as<int64_t>(*this, key)) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<bool> Metadata::find_bool(std::string_view key) const {
  if (const auto* value = find_as<bool>(*this, key)) return *value;
  return std::nullopt;
}

std::optional<std::vector<int64_t>> Metadata::find_ints(std::string_view key) const {
  if (const auto* value = find_as<std::vector<int64_t>>(*this, key)) return *value;
  if (const auto* value = find_as<std::vector<bool>>(*this, key)) {
    return std::vector<int64_t>(value->begin(), value->end());
  }
  const auto* value = find_as<std::vector<uint64_t>>(*this, key);
  if (value == nullptr) return std::nullopt;
  std::vector<int64_t> result;
  result.reserve(value->size());
  for (const uint64_t item : *value) {
    const auto fitting = base::checked_cast<int64_t>(item);
    if (!fitting) return std::nullopt;
    result.push_back(*fitting);
  }
  return result;
}

}  // namespace ingle::core
