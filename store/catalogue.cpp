// Reads the catalogue's JSON by a table of fields: a field that the table lacks is an error that names it, so that a
// misspelt one is never silently ignored.
#include "store/catalogue.h"

#include <algorithm>
#include <functional>
#include <map>

#include "base/json.h"
#include "base/utf8.h"
#include "store/address.h"
#include "store/builtin_catalogue.h"

namespace ingle::store {
namespace {

using base::Json;

constexpr size_t max_models = 10000;

/// Where in a document we are, for messages: `FILE: models[3] (name)`.
struct Context {
  std::string place;
  Error error(std::string_view what) const { return Error{ErrorCode::corrupt, place + ": " + std::string(what)}; }
};

Result<std::string> read_text(const Json& value, std::string_view field, const Context& context, size_t max_length) {
  if (!value.is_string()) return context.error("'" + std::string(field) + "' must be a string");
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > max_length) return context.error("'" + std::string(field) + "' is too long");
  for (const char c : text) {
    // Text of a catalogue is printed in a terminal: no escape sequences.
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return context.error("'" + std::string(field) + "' holds a control character");
  }
  return text;
}

Result<uint64_t> read_number(const Json& value, std::string_view field, const Context& context, uint64_t max) {
  if (!value.is_number_unsigned()) return context.error("'" + std::string(field) + "' must be a whole number");
  const auto number = value.get<uint64_t>();
  if (number > max) return context.error("'" + std::string(field) + "' is too large");
  return number;
}

template <typename Target>
struct Field {
  bool required;
  std::function<Status(const Json&, Target&, std::string_view name, const Context&)> read;
};
template <typename Target>
using Fields = std::map<std::string_view, Field<Target>>;

template <typename Target>
Field<Target> text_field(std::string Target::* member, bool required, size_t max_length = 500) {
  return {required, [=](const Json& value, Target& out, std::string_view name, const Context& context) -> Status {
            INGLE_TRY(out.*member, read_text(value, name, context, max_length));
            if (required && (out.*member).empty()) return context.error("'" + std::string(name) + "' is empty");
            return {};
          }};
}

template <typename Target, typename Number>
Field<Target> number_field(Number Target::* member, bool required, uint64_t max) {
  return {required, [=](const Json& value, Target& out, std::string_view name, const Context& context) -> Status {
            INGLE_TRY(const uint64_t number, read_number(value, name, context, max));
            out.*member = static_cast<Number>(number);
            return {};
          }};
}

template <typename Target>
Status read_object(const Json& json, const Fields<Target>& fields, Target& out, const Context& context) {
  if (!json.is_object()) return context.error("must be an object");
  for (const auto& [key, value] : json.items()) {
    const auto field = fields.find(key);
    if (field == fields.end()) return context.error("unknown field '" + key.substr(0, 60) + "'");
    INGLE_CHECK(field->second.read(value, out, key, context));
  }
  for (const auto& [name, field] : fields) {
    if (field.required && !json.contains(name)) return context.error("'" + std::string(name) + "' is missing");
  }
  return {};
}

Status read_source(const Json& json, CatalogueEntry& entry, const Context& context) {
  static const Fields<CatalogueSource> fields = {
      {"address", text_field(&CatalogueSource::address, true, 1000)},
      {"rank", number_field(&CatalogueSource::rank, false, 100)},
  };
  CatalogueSource source;
  INGLE_CHECK(read_object(json, fields, source, context));
  const Result<Address> address = parse_address(source.address);
  if (!address.ok()) return context.error(address.error().message);
  // In order of rank; those of equal rank as they are listed.
  const auto after =
      std::upper_bound(entry.sources.begin(), entry.sources.end(), source,
                       [](const CatalogueSource& a, const CatalogueSource& b) { return a.rank < b.rank; });
  entry.sources.insert(after, std::move(source));
  return {};
}

template <typename Each>
Status read_array(const Json& value, std::string_view name, const Context& context, size_t max_size, Each each) {
  if (!value.is_array() || value.size() > max_size)
    return context.error("'" + std::string(name) + "' must be an array of at most " + std::to_string(max_size));
  for (const Json& item : value) INGLE_CHECK(each(item));
  return {};
}

const Fields<Licence>& licence_fields() {
  static const Fields<Licence> fields = {
      {"name", text_field(&Licence::name, true, 100)},
      {"url", text_field(&Licence::url, true)},
      {"notes", text_field(&Licence::notes, false)},
      {"acceptance", text_field(&Licence::acceptance, false, 4000)},
  };
  return fields;
}

const Fields<CatalogueEntry>& entry_fields() {
  using Entry = CatalogueEntry;
  constexpr uint64_t petabyte = 1'000'000'000'000'000;
  static const Fields<Entry> fields = {
      {"name", text_field(&Entry::name, true, 100)},
      {"aliases",
       {false,
        [](const Json& value, Entry& out, std::string_view name, const Context& context) {
          return read_array(value, name, context, 20, [&](const Json& item) -> Status {
            INGLE_TRY(std::string alias, read_text(item, name, context, 100));
            out.aliases.push_back(to_lower(alias));
            return {};
          });
        }}},
      {"description", text_field(&Entry::description, true)},
      {"architecture", text_field(&Entry::architecture, true, 60)},
      {"parameters", number_field(&Entry::parameters, true, petabyte)},
      {"quantisation", text_field(&Entry::quantisation, true, 60)},
      {"shape", text_field(&Entry::shape, false, 60)},
      {"licence",
       {true,
        [](const Json& value, Entry& out, std::string_view, const Context& context) {
          return read_object(value, licence_fields(), out.licence, Context{context.place + ", licence"});
        }}},
      {"file_name", text_field(&Entry::file_name, true, 200)},
      {"size_bytes", number_field(&Entry::size_bytes, true, petabyte)},
      {"sha256", text_field(&Entry::sha256, true, 64)},
      {"memory_bytes", number_field(&Entry::memory_bytes, true, petabyte)},
      {"context_length", number_field(&Entry::context_length, true, 1u << 30)},
      {"chat",
       {true,
        [](const Json& value, Entry& out, std::string_view, const Context& context) -> Status {
          if (!value.is_boolean()) return context.error("'chat' must be true or false");
          out.chat = value.get<bool>();
          return {};
        }}},
      {"sources",
       {true,
        [](const Json& value, Entry& out, std::string_view name, const Context& context) {
          return read_array(value, name, context, 50,
                            [&](const Json& item) { return read_source(item, out, context); });
        }}},
  };
  return fields;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What the fields mean together.
Status check_entry(const CatalogueEntry& entry, const Context& context) {
  if (!is_valid_model_name(entry.name))
    return context.error("'name' must be lower-case letters, digits, '.', '-' and '_'");
  for (const std::string& alias : entry.aliases) {
    std::string plain = alias;
    std::replace(plain.begin(), plain.end(), ':', '-');
    if (!is_valid_model_name(plain)) return context.error("alias '" + alias + "' is not a name");
  }
  if (!is_sha256(entry.sha256)) return context.error("'sha256' must be 64 lower-case hex digits");
  if (entry.file_name.find('/') != std::string::npos || entry.file_name.starts_with('.'))
    return context.error("'file_name' must be a plain file name");
  if (entry.size_bytes == 0) return context.error("'size_bytes' must be positive");
  if (entry.sources.empty()) return context.error("'sources' is empty");
  return {};
}

Result<CatalogueEntry> read_entry(const Json& json, Context context) {
  if (json.is_object() && json.contains("name") && json["name"].is_string()) {
    const auto& name = json["name"].get_ref<const std::string&>();
    if (is_valid_model_name(name)) context.place += " (" + name + ")";
  }
  CatalogueEntry entry;
  INGLE_CHECK(read_object(json, entry_fields(), entry, context));
  INGLE_CHECK(check_entry(entry, context));

  return entry;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

Result<Catalogue> Catalogue::builtin() {
  return parse(builtin_catalogue_json(), "built-in catalogue");
}

Result<Catalogue> Catalogue::parse(std::string_view json, std::string_view origin) {
  const Context context{std::string(origin)};
  if (!base::is_valid_utf8(json)) return context.error("not UTF-8");
  Result<Json> parsed = base::parse_json(json, {.max_bytes = size_t{16} << 20, .max_depth = 16});
  if (!parsed.ok()) return Error{parsed.error().code, context.place + ": " + parsed.error().message};
  const Json& document = *parsed;
  if (!document.is_object() || !document.contains("version") || !document["version"].is_number_unsigned())
    return context.error("expected an object with 'version' and 'models'");
  if (document["version"].get<uint64_t>() != 1)
    return Error{ErrorCode::unsupported, context.place + ": catalogue version " + document["version"].dump() +
                                             " is not known; this program reads version 1"};
  for (const auto& [key, value] : document.items()) {
    if (key != "version" && key != "models" && key != "$schema")
      return context.error("unknown field '" + key.substr(0, 60) + "'");
  }
  if (!document.contains("models")) return context.error("'models' is missing");
  Catalogue incoming;
  size_t index = 0;
  INGLE_CHECK(read_array(document["models"], "models", context, max_models, [&](const Json& item) -> Status {
    const Context place{context.place + ": models[" + std::to_string(index++) + "]"};
    INGLE_TRY(CatalogueEntry entry, read_entry(item, place));
    incoming.entries_.push_back(std::move(entry));
    return {};
  }));
  // Merging into an empty catalogue finds names and aliases that are there twice.
  Catalogue out;
  std::map<std::string_view, int> names;
  for (const CatalogueEntry& entry : incoming.entries_) {
    if (++names[entry.name] > 1) return context.error("'" + entry.name + "' is listed twice");
  }
  const Status merged = out.merge(std::move(incoming));
  if (!merged.ok()) return context.error(merged.error().message);
  return out;
}

Status Catalogue::merge(Catalogue other) {
  std::vector<CatalogueEntry> merged = entries_;
  for (CatalogueEntry& entry : other.entries_) {
    const auto same =
        std::find_if(merged.begin(), merged.end(), [&](const CatalogueEntry& e) { return e.name == entry.name; });
    if (same != merged.end()) {
      *same = std::move(entry);
    } else {
      merged.push_back(std::move(entry));
    }
  }
  std::map<std::string_view, std::string_view> meanings;
  const auto add = [&](std::string_view name, std::string_view meaning) -> Status {
    const auto [at, added] = meanings.emplace(name, meaning);
    if (added || at->second == meaning) return {};
    return Error{ErrorCode::corrupt, "the name '" + std::string(name) + "' would mean both '" +
                                         std::string(at->second) + "' and '" + std::string(meaning) + "'"};
  };
  for (const CatalogueEntry& entry : merged) INGLE_CHECK(add(entry.name, entry.name));
  for (const CatalogueEntry& entry : merged) {
    for (const std::string& alias : entry.aliases) INGLE_CHECK(add(alias, entry.name));
  }
  entries_ = std::move(merged);
  return {};
}

const CatalogueEntry* Catalogue::find(std::string_view name) const {
  const std::string wanted = to_lower(name);
  for (const CatalogueEntry& entry : entries_) {
    if (entry.name == wanted || std::find(entry.aliases.begin(), entry.aliases.end(), wanted) != entry.aliases.end())
      return &entry;
  }
  return nullptr;
}

std::string Catalogue::suggest(std::string_view name) const {
  const std::string wanted = to_lower(name.substr(0, 100));
  std::string best;
  size_t best_distance = std::max<size_t>(2, wanted.size() / 3) + 1;
  for (const CatalogueEntry& entry : entries_) {
    std::vector<std::string_view> spellings(entry.aliases.begin(), entry.aliases.end());
    spellings.push_back(entry.name);
    for (const std::string_view spelling : spellings) {
      // What somebody types first is often a model's family: "qwen2.5-coder" suggests its smallest.
      const size_t distance = wanted.size() >= 4 && spelling.starts_with(wanted) ? 1 : edit_distance(wanted, spelling);
      if (distance < best_distance) {
        best_distance = distance;
        best = entry.name;
      }
    }
  }
  return best;
}

namespace {

/// Rounded down: what is less than a limit must not read as the limit.
std::string gigabytes(uint64_t bytes) {
  const uint64_t tenths = bytes / 100'000'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

}  // namespace

Result<DefaultChoice> choose_default(uint64_t free_memory_bytes, const Catalogue& catalogue) {
  constexpr uint64_t enough_for_the_larger = 4'000'000'000;
  const CatalogueEntry* small = catalogue.find("smollm2-135m");
  const CatalogueEntry* large = catalogue.find("qwen2.5-coder-0.5b");
  const std::string free = gigabytes(free_memory_bytes) + " of memory are free";
  if (large != nullptr && free_memory_bytes >= enough_for_the_larger)
    return DefaultChoice{large, free + ", at least the 4 GB from which " + large->name + " is the default"};
  if (small != nullptr && large != nullptr)
    return DefaultChoice{small, free + ", less than the 4 GB from which " + large->name + " is the default"};
  if (const CatalogueEntry* only = small != nullptr ? small : large; only != nullptr)
    return DefaultChoice{only, "the catalogue has no other default model"};
  return Error{ErrorCode::not_found, "the catalogue has no default model; name one"};
}

std::vector<const CatalogueEntry*> models_that_fit(uint64_t free_memory_bytes, const Catalogue& catalogue) {
  std::vector<const CatalogueEntry*> out;
  for (const CatalogueEntry& entry : catalogue.entries()) {
    if (entry.memory_bytes <= free_memory_bytes) out.push_back(&entry);
  }
  std::sort(out.begin(), out.end(), [](const CatalogueEntry* a, const CatalogueEntry* b) {
    return a->memory_bytes != b->memory_bytes ? a->memory_bytes > b->memory_bytes : a->name < b->name;
  });
  return out;
}

}  // namespace ingle::store
