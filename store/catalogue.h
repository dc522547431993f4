// The catalogue: names, licences, checksums and sources of the models that can be fetched by name.
// Format: store/catalogue.schema.json, explained in docs/models.md. The built-in one is store/catalogue.json.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ingle::store {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

struct Licence {
  std::string name;  ///< SPDX identifier, or the licence's own name ("Gemma")
  std::string url;
  std::string notes;       ///< one line on what it asks; may be empty
  std::string acceptance;  ///< text that a person must be shown before use; empty where none is asked for
};

/// Sources of a lower rank are tried first; those of equal rank are raced. Address syntax: store/address.h
struct CatalogueSource {
  std::string address;
  int rank = 1;
};

struct CatalogueEntry {
  std::string name;  ///< lower case: letters, digits, '.', '-', '_'
  std::vector<std::string> aliases;
  std::string description;   ///< one line
  std::string architecture;  ///< "llama", "qwen2", ...
  uint64_t parameters = 0;
  std::string quantisation;  ///< "Q4_K_M"
  std::string shape;         ///< of core/synth/shapes.h; may be empty
  Licence licence;
  std::string file_name;
  uint64_t size_bytes = 0;
  std::string sha256;                    ///< 64 lower-case hex digits
  uint64_t memory_bytes = 0;             ///< needed to run with a modest context
  uint32_t context_length = 0;           ///< the model's own
  bool chat = true;                      ///< has a chat template
  std::vector<CatalogueSource> sources;  ///< sorted by rank
};

class Catalogue {
 public:
  /// The one compiled in.
  static Result<Catalogue> builtin();
  /// Parses untrusted text. `origin` (a file name) starts every error. Errors: corrupt, unsupported (version).
  static Result<Catalogue> parse(std::string_view json, std::string_view origin);

  /// Entries of `other` replace those of the same name and are added otherwise.
  /// Errors: corrupt where an alias then means two models.
  Status merge(Catalogue other);

  /// By name or alias, whatever the case; nullptr where there is none.
  const CatalogueEntry* find(std::string_view name) const;
  std::span<const CatalogueEntry> entries() const { return entries_; }
  /// The name nearest to a mistyped one, or empty.
  std::string suggest(std::string_view name) const;

 private:
  std::vector<CatalogueEntry> entries_;
};

/// The catalogue's model that runs when the user names none, and why, as `ingle doctor` prints it.
struct DefaultChoice {
  const CatalogueEntry* entry = nullptr;
  std::string reason;
};
/// qwen2.5-coder-0.5b from 4 GB (10^9) of free memory, else smollm2-135m. Errors: not_found where the catalogue lacks
/// both.
Result<DefaultChoice> choose_default(uint64_t free_memory_bytes, const Catalogue& catalogue);

/// Entries whose memory need fits, largest first.
std::vector<const CatalogueEntry*> models_that_fit(uint64_t free_memory_bytes, const Catalogue& catalogue);

}  // namespace ingle::store
