// A GGUF file carries its chat template as metadata; a safetensors folder has it in chat_template.jinja or inside
// tokenizer_config.json, as a text or as a list of {name, template}.
#include "cli/templates.h"

#include "base/files.h"
#include "base/json.h"
#include "cli/models.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr uint64_t max_template_bytes = uint64_t{4} << 20;
constexpr uint64_t max_config_bytes = uint64_t{64} << 20;

Result<std::string> template_of_folder(const std::filesystem::path& folder) {
  auto own_file = base::read_file(folder / "chat_template.jinja", max_template_bytes);
  if (own_file || own_file.error().code != ErrorCode::not_found) return own_file;
  auto text = base::read_file(folder / "tokenizer_config.json", max_config_bytes);
  if (!text) {
    if (text.error().code == ErrorCode::not_found) return std::string();
    return std::move(text).error();
  }
  INGLE_TRY(const base::Json config, base::parse_json(*text));
  if (!config.is_object() || !config.contains("chat_template")) return std::string();
  const base::Json& entry = config["chat_template"];
  if (entry.is_string()) return entry.get<std::string>();
  if (!entry.is_array()) return std::string();
  std::string first;
  for (const base::Json& item : entry) {
    if (!item.is_object() || !item.contains("name") || !item.contains("template") || !item["template"].is_string())
      continue;
    if (item["name"] == "default") return item["template"].get<std::string>();
    if (first.empty()) first = item["template"].get<std::string>();
  }
  return first;
}

}  // namespace

Result<std::string> template_of(const core::ModelFile& file) {
  if (const std::string* text = file.metadata.find_string("tokenizer.chat_template")) return *text;
  if (!file.folder.empty()) return template_of_folder(file.folder);
  return std::string();
}

Result<std::string> read_template(const Session& session, const std::string& model_or_file) {
  if (model_or_file.ends_with(".jinja") || model_or_file.ends_with(".jinja2") || model_or_file.ends_with(".j2")) {
    return base::read_file(model_or_file, max_template_bytes);
  }
  INGLE_TRY(const auto model, ensure_model(session, model_or_file));
  INGLE_TRY(const core::ModelFile file, core::ModelFile::open(model.path));
  INGLE_TRY(std::string text, template_of(file));
  if (text.empty()) {
    return Error{ErrorCode::not_found, model_or_file + " has no chat template; give a FILE.jinja instead"};
  }
  return text;
}

}  // namespace ingle::cli
