// POST /tokenize: {content} to {tokens}.
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  const std::string content = reader.text("content").value_or("");
  const bool add = reader.boolean("add_special").value_or(false),
             parse = reader.boolean("parse_special").value_or(false);
  if (reader.error()) return call.fail(*reader.error());
  const auto tokens = model->tokenize(content, add, parse);
  if (!tokens) return call.fail(api_error(tokens.error(), "content"));
  call.respond({{"tokens", *tokens}});
}

constexpr Field kFields[] = {
    {"model", kText, "a name of GET /v1/models; may be left out where there is one"},
    {"content", kText, "the text", Use::required},
    {"add_special", kBoolean, "add what the model begins and ends with"},
    {"parse_special", kBoolean, "special tokens in the text are such"},
};

}  // namespace

extern const Route tokenize_record;
const Route tokenize_record{
    .method = "POST", .path = "/tokenize", .summary = "turn text into token ids", .fields = kFields, .handle = handle};

}  // namespace ingle::server
