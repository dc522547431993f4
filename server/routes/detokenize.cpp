// POST /detokenize: {tokens} to {content}.
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  const base::Json* tokens = reader.array("tokens");
  std::vector<core::TokenId> ids;
  if (tokens != nullptr)
    for (const base::Json& token : *tokens) {
      if (!token.is_number_unsigned() || token.get<uint64_t>() >= model->info().vocabulary_size) {
        reader.fail("tokens", "'tokens' has an item that is no token's id");
        break;
      }
      ids.push_back(static_cast<core::TokenId>(token.get<uint64_t>()));
    }
  const bool special = reader.boolean("show_special").value_or(false);
  if (reader.error()) return call.fail(*reader.error());
  const auto text = model->detokenize(ids, special);
  if (!text) return call.fail(api_error(text.error(), "tokens"));
  call.respond({{"content", *text}});
}

constexpr Field kFields[] = {
    {"model", kText, "a name of GET /v1/models; may be left out where there is one"},
    {"tokens", array(R"({"type": "integer", "minimum": 0})"), "their ids", Use::required},
    {"show_special", kBoolean, "print special tokens"},
};

}  // namespace

extern const Route detokenize_record;
const Route detokenize_record{.method = "POST",
                              .path = "/detokenize",
                              .summary = "turn token ids into text",
                              .fields = kFields,
                              .handle = handle};

}  // namespace ingle::server
