// Model names, addresses and paths.
#include "cli/models.h"

#include <algorithm>

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/system.h"
#include "store/address.h"
#include "store/url.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
namespace fs = std::filesystem;

bool ends_like_model_file(std::string_view text) {
  return text.ends_with(".gguf") || text.ends_with(".safetensors");
}

store::InstalledModel model_at(const std::string& path) {
  store::InstalledModel model;
  model.name = path;
  model.path = path;
  return model;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds);
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

void show_progress(ProgressLine& line, const std::string& name, const store::Progress& progress) {
  std::string what = name + ": " + progress.message;
  double fraction = -1;
  std::string detail;
  if (progress.bytes_total > 0) {
    fraction = static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes_total);
    detail = show_bytes(progress.bytes_done) + " of " + show_bytes(progress.bytes_total);
    if (progress.bytes_per_second > 0 && progress.stage == store::Stage::downloading) {
      detail += "  " + show_bytes(static_cast<uint64_t>(progress.bytes_per_second)) + "/s";
      const double left =
          static_cast<double>(progress.bytes_total - std::min(progress.bytes_done, progress.bytes_total));
      detail += "  " + duration_text(left / progress.bytes_per_second) + " left";
    }
  }
  line.update(what, fraction, detail);
}

/// What the licence asks a person to be told before the model is used.
void show_licence(const Session& session, const store::Store& store, const std::string& model) {
  const store::CatalogueEntry* entry = store.catalogue().find(model);
  if (entry == nullptr) return;
  if (!entry->licence.acceptance.empty()) session.terminal.notice("ingle: " + entry->licence.acceptance);
}

Error unknown_model(const store::Store& store, const std::string& model, Error error) {
  if (error.code != ErrorCode::not_found || error.message.find("did you mean") != std::string::npos) return error;
  const std::string near = store.catalogue().suggest(model);
  if (!near.empty() && error.message.find(near) == std::string::npos) error.message += "; did you mean '" + near + "'?";
  return error;
}

}  // namespace

fs::path store_folder(const Session& session) {
  const std::string folder = session.values.text("store");
  return folder.empty() ? session.paths.data : expand_home(folder, session.environment);
}

store::StoreOptions store_options(const Session& session) {
  store::StoreOptions options;
  options.root = store_folder(session);
  options.offline = session.values.flag("offline");
  for (const std::string& file : session.values.list("catalogue")) {
    options.catalogues.push_back(expand_home(file, session.environment));
  }
  store::apply_environment(options, session.environment.strings());
  return options;
}

Result<store::Store> open_store(const Session& session) {
  return store::Store::open(store_options(session));
}

Result<store::InstalledModel> pull_model(const Session& session, store::Store& store, const std::string& model) {
  const std::string shown = store::redact_url(model);  // an address may hold a password
  ProgressLine line(session.terminal);
  bool licence_shown = false;
  auto pulled = store.pull(
      model,
      [&](const store::Progress& progress) {
        if (!licence_shown && progress.stage != store::Stage::done) show_licence(session, store, model);
        licence_shown = true;
        if (progress.stage != store::Stage::done) show_progress(line, shown, progress);
      },
      interrupted);
  line.clear();
  if (pulled) return pulled;
  Error error = std::move(pulled).error();
  if (error.code == ErrorCode::cancelled) {
    return Error{ErrorCode::cancelled, "stopped; 'ingle pull " + shown + "' continues where it was"};
  }
  if (error.code == ErrorCode::network) {
    error.message += "; check the connection and the proxy; 'ingle pull " + shown + "' continues then";
  }
  return unknown_model(store, model, std::move(error));
}

Result<store::InstalledModel> ensure_model(const Session& session, const std::string& model) {
  if (is_plain_path(model)) return model_at(model);
  INGLE_TRY(auto store, open_store(session));
  if (auto found = store.resolve(model); found || found.error().code != ErrorCode::not_found) return found;
  return pull_model(session, store, model);
}

Result<store::InstalledModel> local_model(const Session& session, const std::string& model) {
  if (is_plain_path(model)) return model_at(model);
  INGLE_TRY(auto store, open_store(session));
  auto found = store.resolve(model);
  if (!found) return unknown_model(store, model, std::move(found).error());
  return found;
}

std::string name_to_show(const store::InstalledModel& model) {
  return model.sha256.empty() ? model.path.string() : model.name;
}

Result<ModelChoice> default_model(const Session& session, const store::Store& store) {
  if (const std::string named = session.values.text("model"); !named.empty()) {
    const Value& value = session.values.at("model");
    return ModelChoice{named, "named by " + (value.where.empty() ? std::string("default") : value.where)};
  }
  uint64_t free = free_memory_bytes();
  if (const uint64_t limit = session.values.bytes("memory"); limit > 0) free = std::min(free, limit);
  INGLE_TRY(const store::DefaultChoice choice, store::choose_default(free, store.catalogue()));
  return ModelChoice{choice.entry->name, choice.reason};
}

Result<std::string> model_or_default(const Session& session) {
  if (std::string named = session.argument(0); !named.empty()) return named;
  INGLE_TRY(const auto store, open_store(session));
  INGLE_TRY(const ModelChoice choice, default_model(session, store));
  return choice.model;
}

bool is_plain_path(const std::string& text) {
  if (text.find('/') == std::string::npos && !ends_like_model_file(text)) return false;
  std::error_code failure;
  return fs::exists(text, failure);
}

bool is_address(std::string_view text) {
  return store::looks_like_address(text);
}

WordVerdict judge_word(const store::Store& store, const std::string& word) {
  if (word.empty()) return {};
  std::error_code failure;
  if (store.catalogue().find(word) != nullptr || is_address(word) || is_plain_path(word)) return {WordKind::model, {}};
  const bool one_word = word.find_first_of(" \t\n") == std::string::npos;
  if (!one_word || word.size() > 4096) return {};
  std::vector<std::string> names;
  if (const auto installed = store.list()) {
    for (const store::InstalledModel& model : *installed) names.push_back(model.name);
  }
  if (std::find(names.begin(), names.end(), word) != names.end()) return {WordKind::model, {}};
  // A folder of safetensors in the current folder, named without a slash.
  if (fs::exists(fs::path(word) / "config.json", failure)) return {WordKind::model, {}};
  if (ends_like_model_file(word) || word.starts_with("./") || word.starts_with("../") || word.starts_with("/")) {
    return {WordKind::mistyped, {}};
  }
  for (const store::CatalogueEntry& entry : store.catalogue().entries()) {
    names.push_back(entry.name);
    names.insert(names.end(), entry.aliases.begin(), entry.aliases.end());
  }
  // A word like "qwen" or "smollm2-135" is a name not quite remembered; "hello" is not.
  for (const std::string& name : names) {
    if (word.size() >= 4 && name.starts_with(word)) return {WordKind::mistyped, name};
  }
  const std::string_view near = nearest(word, names);
  if (!near.empty()) return {WordKind::mistyped, std::string(near)};
  return {};
}

}  // namespace ingle::cli
