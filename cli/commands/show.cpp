// ingle show MODEL: what the catalogue and the file say about a model. Reads the file's header, loads nothing.
#include "base/utf8.h"
#include "cli/models.h"
#include "cli/templates.h"
#include "core/anatomy/anatomy.h"
#include "core/engine/engine.h"
#include "core/models/model.h"
#include "store/known_templates.h"

namespace ingle::cli {
namespace {

using base::Json;
using base::Result;
using base::Status;

struct ValueJson {
  Json operator()(const std::string& text) const { return text; }
  template <typename T>
  Json operator()(const T& value) const {
    return Json(value);
  }
  template <typename T>
  Json operator()(const std::vector<T>& values) const {
    if (values.size() > 16) return "(" + std::to_string(values.size()) + " values)";
    Json out = Json::array();
    for (const auto& value : values) out.push_back(static_cast<T>(value));
    return out;
  }
};

bool is_encoder(const core::ModelFile& file) {
  const auto architecture = core::find_architecture(file);
  if (!architecture) return false;
  const auto config = (*architecture)->configure(file);
  return config && config->pooling != core::Pooling::none;
}

Json describe_file(const Session& session, const core::ModelFile& file) {
  const std::string* architecture = core::architecture_name(file);
  const auto formats = core::format_shares(file);
  Json out;
  out["container"] = file.container == core::ContainerFormat::gguf ? "gguf" : "safetensors";
  if (architecture != nullptr) out["architecture"] = *architecture;
  out["tensors"] = file.tensors.size();
  out["tensor_bytes"] = file.tensor_bytes();
  out["parameters"] = file.parameters();
  out["format"] = formats.empty() ? "" : formats.front().name;
  const auto chat_template = template_of(file);
  const bool has_template = chat_template.ok() && !chat_template->empty();
  out["chat_template"] = has_template;
  if (has_template) out["template_known"] = !store::publisher_of_template(*chat_template).empty();
  const bool encoder = is_encoder(file);
  out["encoder"] = encoder;
  // An encoder's context is its own.
  const uint32_t context = encoder ? 0 : 4096;
  if (const auto plan = core::plan_memory(file, {.context_length = context, .cache_folder = session.paths.cache})) {
    out["trained_context_length"] = plan->trained_context_length;
    out["memory"] = {{"weight_bytes", plan->weight_bytes},
                     {"context_length", plan->context_length},
                     {"state_bytes", plan->state_bytes},
                     {"activation_bytes", plan->activation_bytes},
                     {"total_bytes", plan->total_bytes()}};
  } else {
    out["cannot_run"] = plan.error().message;
  }
  return out;
}

Json describe_entry(const store::CatalogueEntry& entry) {
  Json sources = Json::array();
  for (const store::CatalogueSource& source : entry.sources) sources.push_back(source.address);
  return {{"name", entry.name},
          {"aliases", entry.aliases},
          {"description", entry.description},
          {"licence", {{"name", entry.licence.name}, {"url", entry.licence.url}, {"notes", entry.licence.notes}}},
          {"quantisation", entry.quantisation},
          {"size_bytes", entry.size_bytes},
          {"sha256", entry.sha256},
          {"memory_bytes", entry.memory_bytes},
          {"context_length", entry.context_length},
          {"sources", sources}};
}

/// A file's texts may hold anything, also what a terminal obeys.
class Page {
 public:
  void line(std::string_view label, const std::string& value) {
    if (!value.empty()) text_ += "  " + pad(base::escape_controls(label), 16) + base::escape_controls(value) + "\n";
  }
  void heading(const std::string& text) { text_ += (text_.empty() ? "" : "\n") + text + "\n"; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string number(const Json& object, const char* key) {
  return object.contains(key) ? object[key].dump() : std::string();
}

/// Where the file is here, its own memory plan says more than the catalogue's estimate.
void print_entry(Page& page, const Terminal& terminal, const store::CatalogueEntry& entry, bool installed) {
  page.heading(terminal.styled_out(Style::bold, entry.name));
  page.line("", entry.description);
  page.line("Licence", entry.licence.name + (entry.licence.notes.empty() ? "" : ": " + entry.licence.notes));
  page.line("", entry.licence.url);
  page.line("Download", show_bytes(entry.size_bytes) + ", " + entry.quantisation);
  if (!installed) {
    page.line("Memory", "about " + show_bytes(entry.memory_bytes) + " with a full context of 4096 (an estimate)");
  }
  page.line("SHA-256", entry.sha256);
  for (size_t i = 0; i < entry.sources.size(); ++i) page.line(i == 0 ? "Sources" : "", entry.sources[i].address);
}

std::string template_line(const store::InstalledModel& model, const Json& file) {
  if (!file["chat_template"].get<bool>())
    return file.value("encoder", false) ? "no: an encoder, which makes embeddings" : "no: continues text";
  if (file["template_known"].get<bool>()) return "yes, a published one";
  return "yes, none of the published ones that Ingle knows; 'ingle show " + name_to_show(model) +
         " --template' prints it";
}

void print_file(Page& page, const Terminal& terminal, const store::InstalledModel& model, const Json& file) {
  page.heading(terminal.styled_out(Style::bold, "File"));
  page.line("Path", model.path.string());
  page.line("Architecture", file.value("architecture", ""));
  page.line("Parameters", number(file, "parameters"));
  const std::string format = file.value("format", "");
  page.line("Tensors", format.empty() ? "none: a vocabulary only"
                                      : number(file, "tensors") + ", mostly " + format + ", " +
                                            show_bytes(file["tensor_bytes"].get<uint64_t>()));
  page.line("Context", number(file, "trained_context_length"));
  page.line("Chat template", template_line(model, file));
  if (file.contains("memory")) {
    page.line("Memory", show_bytes(file["memory"]["total_bytes"].get<uint64_t>()) + " at a context of " +
                            number(file["memory"], "context_length") +
                            ", besides the embeddings, which are read from the file");
  }
  page.line("Cannot run", file.value("cannot_run", ""));
}

Status print_template(const Session& session, const std::string& name, const store::ModelInfo& info) {
  if (!info.installed)
    return base::Error{base::ErrorCode::not_found, name + " is not installed; 'ingle pull " + name + "' fetches it"};
  INGLE_TRY(const core::ModelFile file, core::ModelFile::open(info.installed->path));
  INGLE_TRY(const std::string text, template_of(file));
  if (text.empty()) return base::Error{base::ErrorCode::not_found, name + " has no chat template"};
  if (session.json()) {
    return session.out_json({{"template", text}, {"template_known", !store::publisher_of_template(text).empty()}});
  }
  INGLE_CHECK(session.terminal.out_foreign(text));
  return text.ends_with('\n') ? Status() : session.terminal.out("\n");
}

Status run(Session& session) {
  const std::string name = session.argument(0);
  store::ModelInfo info;
  if (auto path = local_model(session, name); path && path->sha256.empty()) {
    info.installed = *path;  // a file or folder of the person's own
  } else {
    INGLE_TRY(const auto store, open_store(session));
    auto found = store.show(name);
    if (!found) return path ? std::move(found).error() : path.error();
    info = std::move(*found);
  }
  if (session.values.flag("template")) return print_template(session, name, info);
  Json out;
  Page page;
  if (info.entry) {
    out["catalogue"] = describe_entry(*info.entry);
    print_entry(page, session.terminal, *info.entry, info.installed.has_value());
  }
  if (info.installed) {
    INGLE_TRY(const core::ModelFile file, core::ModelFile::open(info.installed->path));
    Json described = describe_file(session, file);
    print_file(page, session.terminal, *info.installed, described);
    described["path"] = info.installed->path.string();
    if (session.values.flag("metadata")) {
      page.heading(session.terminal.styled_out(Style::bold, "Metadata"));
      for (const auto& [key, value] : file.metadata.values) {
        const Json json = std::visit(ValueJson{}, value);
        described["metadata"][key] = json;
        std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
        if (text.size() > 200) text = text.substr(0, base::complete_utf8_prefix(text.substr(0, 200))) + "…";
        page.line(key, " " + text);
      }
    }
    out["file"] = std::move(described);
  } else {
    page.line("Installed", "no; 'ingle pull " + name + "' fetches it");
  }
  return session.json() ? session.out_json(out) : session.terminal.out(page.text());
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "a model's name or path", .type = ValueType::model, .required = true}};
constexpr Option options[] = {{.name = "metadata", .help = "every metadata key of the file, too"},
                              {.name = "template", .help = "the chat template alone"},
                              json_option};

}  // namespace

extern const Command show_record;
const Command show_record{
    .name = "show",
    .summary = "tell what is known about a model: licence, size, sources, memory",
    .arguments = arguments,
    .options = options,
    .order = 22,
    .run = run,
};

}  // namespace ingle::cli
