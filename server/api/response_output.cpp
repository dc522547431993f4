#include "server/api/response_output.h"

#include <utility>

#include "server/api/answer.h"
#include "server/api/openai.h"

namespace ingle::server {

using assistant::Delta;

std::string ResponseOutput::event(std::string_view type, base::Json members) {
  members["type"] = type;
  members["sequence_number"] = sequence_++;
  return "event: " + std::string(type) + "\n" + sse(members);
}

std::string ResponseOutput::push(const Delta& piece) {
  switch (piece.kind) {
    case Delta::Kind::reasoning: {
      if (piece.text.empty()) return {};
      std::string out = open_text(Open::reasoning);
      reasoning_ += piece.text;
      return out + delta("response.reasoning_text.delta", piece.text);
    }
    case Delta::Kind::content: {
      if (piece.text.empty()) return {};
      std::string out = open_text(Open::message);
      return out + delta("response.output_text.delta", piece.text);
    }
    case Delta::Kind::call_begin:
      return open(Open::call, {{"type", "function_call"},
                               {"id", new_id("fc_")},
                               {"call_id", new_id("call_")},
                               {"name", piece.text},
                               {"arguments", ""}});
    case Delta::Kind::call_arguments:
      return delta("response.function_call_arguments.delta", piece.text);
    case Delta::Kind::call_end:
      return close("completed");
    case Delta::Kind::call_cut:
    case Delta::Kind::call_invalid:
      return close("incomplete");
    case Delta::Kind::note:
      break;
  }
  return {};
}

std::string ResponseOutput::finish(bool whole) {
  std::string out;
  if (open_ == Open::nothing && items_.empty()) out += open_text(Open::message);
  return out + close(whole ? "completed" : "incomplete");
}

std::string ResponseOutput::open_text(Open kind) {
  if (open_ == kind) return {};
  base::Json item = {{"content", base::Json::array()}};
  if (kind == Open::message) {
    item.update({{"type", "message"}, {"id", new_id("msg_")}, {"role", "assistant"}});
  } else {
    item.update({{"type", "reasoning"}, {"id", new_id("rs_")}, {"summary", base::Json::array()}});
  }
  std::string out = open(kind, std::move(item));
  base::Json members = place();
  members["part"] = part();
  return out + event("response.content_part.added", std::move(members));
}

std::string ResponseOutput::open(Open kind, base::Json item) {
  std::string out = close("completed");
  open_ = kind;
  item_ = std::move(item);
  item_["status"] = "in_progress";
  return out + event("response.output_item.added", {{"output_index", items_.size()}, {"item", item_}});
}

std::string ResponseOutput::delta(std::string_view type, const std::string& text) {
  text_ += text;
  base::Json members = place();
  members["delta"] = text;
  if (open_ == Open::message) members["logprobs"] = base::Json::array();
  return event(type, std::move(members));
}

std::string ResponseOutput::close(std::string_view status) {
  if (open_ == Open::nothing) return {};
  std::string out;
  base::Json done = place();
  if (open_ == Open::call) {
    item_["arguments"] = done["arguments"] = text_;
    done["name"] = item_["name"];
    out += event("response.function_call_arguments.done", std::move(done));
  } else {
    base::Json whole = part();
    done["text"] = text_;
    if (open_ == Open::message) done["logprobs"] = whole["logprobs"] = logprobs_(text_);
    out +=
        event(open_ == Open::message ? "response.output_text.done" : "response.reasoning_text.done", std::move(done));
    base::Json members = place();
    members["part"] = whole;
    out += event("response.content_part.done", std::move(members));
    item_["content"] = base::Json::array({std::move(whole)});
  }
  item_["status"] = status;
  out += event("response.output_item.done", {{"output_index", items_.size()}, {"item", item_}});
  items_.push_back(std::exchange(item_, nullptr));
  open_ = Open::nothing;
  text_.clear();
  return out;
}

base::Json ResponseOutput::place() const {
  base::Json members = {{"item_id", item_.value("id", std::string())}, {"output_index", items_.size()}};
  if (open_ != Open::call) members["content_index"] = 0;
  return members;
}

base::Json ResponseOutput::part() const {
  if (open_ == Open::reasoning) return {{"type", "reasoning_text"}, {"text", text_}};
  return {{"type", "output_text"},
          {"text", text_},
          {"annotations", base::Json::array()},
          {"logprobs", base::Json::array()}};
}

}  // namespace ingle::server
