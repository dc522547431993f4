#include "server/api/turns.h"

#include <algorithm>
#include <utility>

namespace ingle::server {
namespace {

bool has_role(const base::Json& message, std::string_view role) {
  const auto found = message.find("role");
  return found != message.end() && found->is_string() && found->get_ref<const std::string&>() == role;
}

std::vector<Turn> turns_of(const base::Json& messages) {
  std::vector<Turn> turns;
  for (size_t i = 0; i < messages.size(); ++i) {
    if (has_role(messages[i], "system")) continue;
    if (turns.empty() || has_role(messages[i], "user")) turns.emplace_back();
    turns.back().push_back(i);
  }
  return turns;
}

Cut without(const base::Json& messages, const std::vector<Turn>& turns, size_t count) {
  std::vector<bool> goes(messages.size(), false);
  for (size_t t = 0; t < count; ++t)
    for (const size_t i : turns[t]) goes[i] = true;
  Cut cut;
  for (size_t i = 0; i < messages.size(); ++i) (goes[i] ? cut.dropped : cut.kept).push_back(messages[i]);
  return cut;
}

}  // namespace

std::string_view overflow_name(Overflow policy) {
  return kOverflows[static_cast<size_t>(policy)];
}

std::optional<Overflow> find_overflow(std::string_view name) {
  const auto found = std::ranges::find(kOverflows, name);
  return found == std::end(kOverflows) ? std::nullopt : std::optional(static_cast<Overflow>(found - kOverflows));
}

std::vector<Turn> droppable_turns(const base::Json& messages, Overflow policy) {
  std::vector<Turn> turns = turns_of(messages);
  if (turns.empty() || policy == Overflow::error) return {};
  turns.pop_back();
  if (policy == Overflow::drop_middle) {
    const auto first =
        std::ranges::find_if(turns, [&](const Turn& turn) { return has_role(messages[turn.front()], "user"); });
    turns.erase(turns.begin(), first == turns.end() ? first : std::next(first));
  }
  return turns;
}

base::Result<Cut> cut_turns(const base::Json& messages, const std::vector<Turn>& turns, size_t most_tokens,
                            const TokenCounter& count) {
  Cut best = without(messages, turns, turns.size());
  INGLE_TRY(best.tokens, count(best.kept));
  size_t too_few = 0, enough = turns.size();  // none were dropped in vain, or nobody would ask
  while (best.tokens <= most_tokens && enough - too_few > 1) {
    const size_t middle = too_few + (enough - too_few) / 2;
    Cut cut = without(messages, turns, middle);
    INGLE_TRY(cut.tokens, count(cut.kept));
    if (cut.tokens <= most_tokens) {
      enough = middle;
      best = std::move(cut);
    } else {
      too_few = middle;
    }
  }
  return best;
}

}  // namespace ingle::server
