// POST /v1/messages, as Anthropic's API has it.
#include "server/api/anthropic.h"
#include "server/api/chat_answer.h"
#include "server/api/generation.h"
#include "server/api/openai.h"
#include "server/api/overflow.h"

namespace ingle::server {
namespace {

using assistant::Delta;

class MessageFormat final : public ChatAnswer {
 public:
  MessageFormat(const assistant::ModelService& model, ChatSetup setup)
      : ChatAnswer(model, std::move(setup)), id_(new_id("msg_")) {}

  std::string ping() const override { return "event: ping\ndata: {\"type\": \"ping\"}\n\n"; }
  std::string end(const std::vector<Choice>&) override { return event("message_stop", base::Json::object()); }
  std::string failed(const ApiError& error) override {
    return "event: error\n" + sse(error_json(Family::anthropic, error));
  }
  base::Json whole(const std::vector<Choice>& choices) override {
    const Choice& choice = choices.front();
    const assistant::Reply reply = reply_of(choice);
    base::Json message = head();
    if (!reply.reasoning.empty())
      message["content"].push_back({{"type", "thinking"}, {"thinking", reply.reasoning}, {"signature", ""}});
    if (!reply.content.empty()) message["content"].push_back({{"type", "text"}, {"text", reply.content}});
    for (const assistant::Call& call : reply.calls) {
      const auto input = base::parse_json(call.arguments);
      message["content"].push_back({{"type", "tool_use"},
                                    {"id", new_id("toolu_")},
                                    {"name", call.name},
                                    {"input", input ? *input : base::Json::object()}});
    }
    message["stop_reason"] = stop_reason(choice, !reply.calls.empty());
    message["stop_sequence"] = stop_sequence(choice);
    message["usage"] = usage(choice);
    add_report(message, choice.stats);
    return message;
  }

 protected:
  std::string write(const Choice& choice, const std::vector<Delta>& deltas,
                    const core::GenerationEvent& news) override {
    std::string out;
    if (news.started) {
      base::Json message = head();
      message["usage"] = usage(choice);
      message["usage"]["output_tokens"] = 1;
      out += event("message_start", {{"message", std::move(message)}});
    }
    for (const Delta& delta : deltas) out += write(delta);
    if (news.finished) {
      out += close();
      base::Json last = {{"usage", usage(choice)}};
      last["delta"] = {{"stop_reason", stop_reason(choice, has_called(choice))},
                       {"stop_sequence", stop_sequence(choice)}};
      add_report(last, choice.stats);
      out += event("message_delta", last);
    }
    return out;
  }

 private:
  base::Json head() const {
    return {{"id", id_},
            {"type", "message"},
            {"role", "assistant"},
            {"model", model_.name()},
            {"content", base::Json::array()},
            {"stop_reason", nullptr},
            {"stop_sequence", nullptr}};
  }
  static base::Json usage(const Choice& choice) {
    const core::GenerationStats& stats = choice.stats;
    return {{"input_tokens", stats.prompt_tokens - stats.cached_tokens},
            {"cache_read_input_tokens", stats.cached_tokens},
            {"cache_creation_input_tokens", 0},
            {"output_tokens", stats.generated_tokens}};
  }
  static base::Json stop_reason(const Choice& choice, bool called) {
    if (finish_reason(*choice.finished) == "length") return "max_tokens";
    if (called) return "tool_use";
    return choice.finished == core::StopReason::stop_string ? "stop_sequence" : "end_turn";
  }
  static base::Json stop_sequence(const Choice& choice) {
    return choice.stopped_by.empty() ? base::Json() : base::Json(choice.stopped_by);
  }

  // Blocks are opened and closed in this order, so each step is a statement.
  std::string write(const Delta& delta) {
    std::string out;
    switch (delta.kind) {
      case Delta::Kind::reasoning:
        out += open("thinking", {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
        out += block_delta({{"type", "thinking_delta"}, {"thinking", delta.text}});
        break;
      case Delta::Kind::content:
        out += open("text", {{"type", "text"}, {"text", ""}});
        out += block_delta({{"type", "text_delta"}, {"text", delta.text}});
        break;
      case Delta::Kind::call_begin: {
        const base::Json block = {
            {"type", "tool_use"}, {"id", new_id("toolu_")}, {"name", delta.text}, {"input", base::Json::object()}};
        out += close();
        out += open("tool_use", block);
        break;
      }
      case Delta::Kind::call_arguments:
        out += block_delta({{"type", "input_json_delta"}, {"partial_json", delta.text}});
        break;
      case Delta::Kind::call_end:
        out += close();
        break;
      default:
        break;
    }
    return out;
  }
  // A block of that type, unless one is open.
  std::string open(const std::string& type, const base::Json& block) {
    if (open_ == type) return {};
    std::string out = close();
    open_ = type;
    out += event("content_block_start", {{"index", index_}, {"content_block", block}});
    return out;
  }
  std::string close() {
    if (open_.empty()) return {};
    open_.clear();
    return event("content_block_stop", {{"index", index_++}});
  }
  std::string block_delta(const base::Json& delta) const {
    return event("content_block_delta", {{"index", index_}, {"delta", delta}});
  }
  static std::string event(const std::string& type, const base::Json& members) {
    base::Json json = {{"type", type}};
    json.update(members);
    return "event: " + type + "\n" + sse(json);
  }

  const std::string id_;
  std::string open_;  ///< the type of the block that is being written; empty: none
  int index_ = 0;
};

void handle(Call& call) {
  Reader reader(call.body, {}, &call.unused);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  ChatJob job;
  job.request = read_generation(reader, *model, call);
  if (const auto most = reader.integer("max_tokens")) job.request.reply.max_tokens = static_cast<uint32_t>(*most);
  for (const std::string& stop : read_stops(reader, "stop_sequences")) job.request.reply.stop_strings.push_back(stop);
  job.stream = reader.boolean("stream").value_or(false);
  job.setup = read_anthropic_chat(reader);
  job.setup.overflow = read_overflow(reader);
  job.form = read_output_config(reader);
  if (reader.error()) return call.fail(*reader.error());
  answer_chat(call, *model, std::move(job),
              [model](ChatSetup setup) { return std::make_unique<MessageFormat>(*model, std::move(setup)); });
}

constexpr Field kFields[] = {
    INGLE_ANTHROPIC_FIELDS,
    {"max_tokens", integer(1), "the longest answer", Use::required},
    {"stream", kBoolean, "pieces as server-sent events"},
    {"stop_sequences", texts(kMostStops), "what ends an answer"},
    INGLE_SAMPLING_FIELDS,
    INGLE_OTHER_SAMPLING_FIELDS,
};

}  // namespace

extern const Route messages_record;
const Route messages_record{.method = "POST",
                            .path = "/v1/messages",
                            .family = Family::anthropic,
                            .summary = "answer a chat, in Anthropic's form",
                            .fields = kFields,
                            .handle = handle};

}  // namespace ingle::server
