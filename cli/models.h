// From what a person typed as MODEL to a file on disk.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "cli/session.h"
#include "core/files/model_file.h"
#include "store/store.h"

namespace ingle::cli {

/// The store as the settings and the environment describe it.
store::StoreOptions store_options(const Session& session);
base::Result<store::Store> open_store(const Session& session);
/// Its folder: --store, or $XDG_DATA_HOME/ingle.
std::filesystem::path store_folder(const Session& session);

/// The local file for MODEL: an existing path as it is, else what the store has; fetched with progress on stderr where
/// it is missing. Errors: as Store::pull; not_found suggests the nearest name.
base::Result<store::InstalledModel> ensure_model(const Session& session, const std::string& model);
/// As ensure_model, but never fetches: what is missing is not_found, and the message says how to get it.
base::Result<store::InstalledModel> local_model(const Session& session, const std::string& model);
/// Fetches even where a file of that name lies in the current folder.
base::Result<store::InstalledModel> pull_model(const Session& session, store::Store& store, const std::string& model);

/// What 'ingle show' takes for that model: its name, or the path of a file of the person's own.
std::string name_to_show(const store::InstalledModel& model);

struct ModelChoice {
  std::string model;
  std::string reason;  ///< for notices and doctor
};
/// The model that runs where none is named: the setting `model`, or what fits the free memory.
base::Result<ModelChoice> default_model(const Session& session, const store::Store& store);

/// The first argument, or default_model().
base::Result<std::string> model_or_default(const Session& session);

enum class WordKind {
  model,     ///< a known name, an installed one, an existing path or an address
  mistyped,  ///< a single word next to a known name, or one that looks like a path to a model file
  text,      ///< anything else
};
struct WordVerdict {
  WordKind kind = WordKind::text;
  std::string suggestion;  ///< for mistyped; may be empty
};
/// Whether the first argument of `run` names a model or is already the prompt.
WordVerdict judge_word(const store::Store& store, const std::string& word);

/// A path beyond doubt: it exists, and it is written as a path or as a model file. The store is not asked, so that a
/// read-only home or a broken catalogue does not matter.
bool is_plain_path(const std::string& text);

/// "hf:org/repo", "https://…": something that a pull understands without a catalogue.
bool is_address(std::string_view text);

}  // namespace ingle::cli
