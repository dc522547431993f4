// POST /app/pulls: fetches a model, or goes on with it; the page need not stay.
#include "server/app/app.h"
#include "server/app/catalogue.h"
#include "server/app/routes.h"
#include "store/address.h"

namespace ingle::server {
namespace {

/// Whether the catalogue, or what lies in the store, has a model of that name.
bool is_known(Call& call, const std::string& name) {
  const auto store = call.stored->open();
  return store && store::is_valid_model_name(name) && store->catalogue().find(name) != nullptr;
}

void handle(Call& call) {
  Reader reader(call.body);
  const std::string name = reader.text("model").value_or("");
  // A path or any web address would let whoever asks look at files and machines that are none of his business.
  const bool address = name.starts_with("hf:") || name.starts_with("modelscope:");
  if (!reader.error() && !address && !is_known(call, name))
    return call.fail(
        {404,
         "the catalogue has no model '" + name.substr(0, 128) + "'; an address begins with hf: or modelscope:",
         "model",
         "model_not_found",
         {}});
  if (reader.error()) return call.fail(*reader.error());
  if (const auto offline = offline_error(call)) return call.fail(*offline);
  call.app->pulls().start(name);
  call.respond({{"pulls", call.app->pulls().list()}});
}

constexpr Field kFields[] = {
    {"model", kText, "a name of the catalogue, or hf:OWNER/REPO/FILE, modelscope:OWNER/REPO/FILE", Use::required},
};

}  // namespace

extern const Route pull_new_record;
const Route pull_new_record{.method = "POST",
                            .path = "/app/pulls",
                            .scope = Scope::person,
                            .summary = "fetch a model, or go on with it",
                            .fields = kFields,
                            .asks_model = false,
                            .handle = handle};

}  // namespace ingle::server
