// GET /app/models/{model}/statistics: what the numbers of one tensor are like.
#include "server/app/model_answers.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"tensor", kText, "its name in the file", Use::required},
};

void handle(Call& call) {
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  answer_of_model(call, [tensor = Reader(*query).text("tensor").value_or("")](const auto& viewer, const auto& model,
                                                                              const auto& stop) {
    return viewer.statistics(model, tensor, stop);
  });
}

}  // namespace

extern const Route model_statistics_record;
const Route model_statistics_record{.method = "GET",
                                    .path = "/app/models/{model}/statistics",
                                    .scope = Scope::person,
                                    .summary = "what the numbers of a tensor are like, with their histogram",
                                    .parameter = "the model's name",
                                    .handle = handle};

}  // namespace ingle::server
