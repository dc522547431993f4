#include "server/api/chat_answer.h"

#include <algorithm>

#include "server/api/openai.h"
#include "server/api/overflow.h"

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

uint32_t ChatAnswer::reasoning_tokens(const Choice& choice) const {
  assistant::ReplyParser parser(model_.dialect(), setup_.offered_tools(), parsing());
  uint32_t tokens = 0;
  size_t begin = 0;
  for (const Choice::Step& step : choice.steps) {
    const auto deltas = parser.push(std::string_view(choice.text).substr(begin, step.end - begin));
    begin = step.end;
    if (std::ranges::any_of(deltas, [](const Delta& delta) { return delta.kind == Delta::Kind::reasoning; }))
      tokens += step.tokens;
  }
  return tokens;
}

void ChatAnswer::add_report(base::Json& json, const core::GenerationStats& stats) const {
  json["timings"] = timings_json(model_, stats);
  if (setup_.dropped) json["ingle"] = dropped_json(*setup_.dropped);
}

void answer_chat(Call& call, assistant::ModelService& model, ChatJob job, const FormatMaker& make) {
  if (const auto error = prepare_chat(model, job.setup, job.request, job.form)) return call.fail(*error);
  const auto go_on = [&model, make, choices = job.choices, stream = job.stream](Call& asked, Unsummarised chat) {
    if (chat.setup.dropped) asked.headers.emplace_back("x-ingle-dropped", dropped_header(*chat.setup.dropped));
    answer(asked, model, copies(chat.request, choices), make(std::move(chat.setup)), stream);
  };
  const bool first_summarise = needs_summary(job.setup);
  Unsummarised chat{std::move(job.setup), std::move(job.request)};
  if (first_summarise) return summarise(call, model, std::move(chat), go_on);
  go_on(call, std::move(chat));
}

}  // namespace ingle::server
