// From settings to an engine and to sampling parameters; shared by run, chat, eval and bench.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/session.h"
#include "core/engine/engine.h"
#include "core/engine/generate.h"
#include "store/store.h"

namespace ingle::cli {

struct LoadedModel {
  store::InstalledModel installed;
  std::unique_ptr<core::Engine> engine;
  std::unique_ptr<core::Engine> draft_engine;
  std::unique_ptr<core::DraftModel> draft;  ///< null: none is set
};

/// The engine's options as the settings say.
core::EngineOptions engine_options(const Session& session);

/// engine_options(), and what this machine adds to them: what is free of its memory, what `ingle tune` found.
core::EngineOptions engine_options_here(const Session& session);
/// Notices of what a person should know of a model that has been loaded.
void report_loaded(const Session& session, const core::EngineInfo& info);

/// Whether what --require names is here; it is forced then, or an error. Errors: unsupported (says what is there),
/// invalid_argument (--isa names something else).
base::Status check_requirement(const Session& session);

/// Finds (fetches) and loads; a bar on stderr where that takes time. Errors: as ensure_model and Engine::load.
base::Result<LoadedModel> load_model(const Session& session, const std::string& model,
                                     const core::EngineOptions& options);

/// The same for a model that will generate, and its draft model where one is set. Errors: also as DraftModel::create.
base::Result<LoadedModel> load_generating_model(const Session& session, const std::string& model);

/// A notice where the packed copy of the weights turned out damaged. To be called when the engine has answered.
void report_damaged_copy(const Session& session, const core::Engine& engine);

/// The settings that somebody named, over what the model's file recommends, over the defaults. Without a seed one is
/// drawn. Errors: invalid_argument.
base::Result<core::GenerateOptions> generate_options(const Session& session, const LoadedModel& loaded);

/// "stop token", "length", …
std::string_view reason_text(core::StopReason reason);
/// "stop", "length", "cancelled": for --json.
std::string_view reason_name(core::StopReason reason);

/// Lines for --verbose.
std::string statistics_text(const core::Engine& engine, const core::GenerateResult& result, uint64_t seed);
base::Json statistics_json(const core::Engine& engine, const core::GenerateResult& result, uint64_t seed);

}  // namespace ingle::cli
