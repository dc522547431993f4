#include "server/api/chat_answer.h"

namespace ingle::server {

using assistant::Delta;

assistant::ReplyOptions ChatAnswer::parsing() const {
  // A call that turns out to be none can't be taken back from a client. So calls come when they are whole, unless the
  // grammar lets nothing but calls look like one.
  const bool certain = setup_.constrained && setup_.calls.answer.empty();
  return {.starts_in_reasoning = setup_.starts_in_reasoning, .stream_arguments = certain};
}

std::string ChatAnswer::piece(const Choice& choice, const core::GenerationEvent& event) {
  auto parser = parsers_.find(choice.index);
  if (parser == parsers_.end())
    parser = parsers_.emplace(choice.index, assistant::ReplyParser(model_.dialect(), setup_.offered_tools(), parsing()))
                 .first;
  std::vector<Delta> deltas = parser->second.push(event.text);
  if (event.finished)
    for (Delta& delta : parser->second.finish()) deltas.push_back(std::move(delta));
  for (const Delta& delta : deltas)
    if (delta.kind == Delta::Kind::call_begin) called_[choice.index] = true;
  return write(choice, deltas, event);
}

assistant::Reply ChatAnswer::reply_of(const Choice& choice) const {
  return assistant::parse_reply(model_.dialect(), setup_.offered_tools(), choice.text, parsing());
}

}  // namespace ingle::server
