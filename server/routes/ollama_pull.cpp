// POST /api/pull: fetches a model, with lines that tell how far it is.
#include <atomic>
#include <memory>

#include "server/api/ollama.h"
#include "server/api/route.h"
#include "store/address.h"

namespace ingle::server {
namespace {

/// In Ollama's words, which its clients know.
base::Json line_of(const store::Progress& progress, const std::string& name) {
  switch (progress.stage) {
    case store::Stage::waiting:
    case store::Stage::probing:
      return {{"status", "pulling manifest"}};
    case store::Stage::downloading:
    case store::Stage::extracting:
      return {{"status", "pulling " + name},
              {"digest", name},
              {"total", progress.bytes_total},
              {"completed", progress.bytes_done}};
    case store::Stage::verifying:
      return {{"status", "verifying sha256 digest"}};
    case store::Stage::done:
      break;
  }
  return {{"status", "writing manifest"}};
}

void pull(Call& call, const std::string& name, bool stream) {
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  if (stream) {
    call.exchange->on_gone([gone] { *gone = true; });
    call.exchange->begin(call.response("application/x-ndjson"));
  }
  const auto tell = [&](const base::Json& line) {
    if (stream) call.exchange->write(to_text(line) + "\n");
  };
  std::string last;
  const auto progress = [&](const store::Progress& now) {
    const base::Json line = line_of(now, name);
    if (std::string text = to_text(line); text != last) {
      tell(line);
      last = std::move(text);
    }
  };
  auto store = call.stored->open();
  auto pulled = store ? store->pull(name, progress, [&] { return *gone || call.stored->stopping(); })
                      : base::Result<store::InstalledModel>(std::move(store).error());
  call.stored->changed();
  if (stream) {
    if (pulled) tell({{"status", "success"}});
    if (!pulled) call.exchange->write(to_text(error_json(Family::ollama, api_error(pulled.error()))) + "\n");
    call.exchange->end();
  } else if (pulled) {
    call.respond({{"status", "success"}});
  } else {
    call.fail(api_error(pulled.error(), "model"));
  }
}

void handle(Call& call) {
  Reader reader(call.body);
  const std::string name = read_model_name(reader);
  const bool stream = reader.boolean("stream").value_or(true);
  // A path or any web address would let whoever asks look at files and machines that are none of his business.
  const bool address = store::looks_like_address(name);
  if (!reader.error() &&
      !(address ? name.starts_with("hf:") || name.starts_with("modelscope:") : store::is_valid_model_name(name)))
    reader.fail("model", "'model' is a name of the catalogue, or begins with hf: or modelscope:");
  if (reader.error()) return call.fail(*reader.error());
  call.in_background([call, name, stream]() mutable { pull(call, name, stream); });
}

constexpr Field kFields[] = {
    {"model", kText, "a name of the catalogue, or hf:OWNER/REPO/FILE, modelscope:OWNER/REPO/FILE"},
    {"name", kText, "the same, as older clients say it"},
    {"stream", kBoolean, "lines that tell how far it is (the default), or one answer at the end"},
    {"insecure", "certificates are always checked", Use::refused},
    {"username", "models are fetched without one", Use::refused},
    {"password", "models are fetched without one", Use::refused},
};

}  // namespace

extern const Route ollama_pull_record;
const Route ollama_pull_record{.method = "POST",
                               .path = "/api/pull",
                               .family = Family::ollama,
                               .scope = Scope::models,
                               .summary = "fetch a model, in Ollama's form",
                               .fields = kFields,
                               .asks_model = false,
                               .handle = handle};

}  // namespace ingle::server
