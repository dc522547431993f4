#include "server/app/reply_job.h"

#include <unistd.h>

#include <utility>

#include "assistant/conversations/model_text.h"
#include "assistant/dialects/reply.h"
#include "server/api/answer.h"
#include "server/api/chat.h"
#include "server/api/generation.h"
#include "server/api/overflow.h"
#include "server/app/app.h"
#include "server/app/inspector.h"
#include "server/app/json.h"

namespace ingle::server {
namespace {

using assistant::Delta;
using assistant::LiveReply;
using assistant::MessageState;
using base::Json;
using base::Result;
using base::Status;

/// What the model gets: the system prompt, and the branch up to what is answered. Replies that have nothing are left
/// out.
Result<Json> messages_of(assistant::ConversationStore& store, const ReplyJob& job) {
  Json messages = Json::array();
  if (!job.conversation.system.empty()) messages.push_back({{"role", "system"}, {"content", job.conversation.system}});
  if (!job.parent) return messages;
  INGLE_TRY(const auto branch, store.branch(*job.parent));
  for (const assistant::Message& message : branch) {
    if (message.role == assistant::Role::assistant && message.content.empty()) continue;
    INGLE_TRY(std::string content, model_text(store, message));
    messages.push_back({{"role", role_name(message.role)}, {"content", std::move(content)}});
  }
  return messages;
}

/// From the model's events to the conversation.
class Writing {
 public:
  Writing(assistant::Model model, std::shared_ptr<LiveReply> reply, ChatSetup setup, App& app,
          std::shared_ptr<InspectedReply> inspected)
      : model_(std::move(model)),
        reply_(std::move(reply)),
        setup_(std::move(setup)),
        app_(app),
        inspected_(std::move(inspected)),
        parser_(model_->dialect(), {}, {.starts_in_reasoning = setup_.starts_in_reasoning, .stream_arguments = false}) {
  }

  void heard(const core::GenerationEvent& event) {
    if (inspected_) inspected_->heard(*model_, event);
    if (event.error) return reply_->finish(MessageState::failed, nullptr, event.error->message);
    push(parser_.push(event.text));
    if (!event.finished) return;
    push(parser_.finish());
    if (!inspected_) app_.note_speed(model_->name(), event.stats);  // looking takes time
    Json report = timings_json(*model_, event.stats);
    report["finish"] = finish_name(*event.finished);
    report["context_length"] = model_->info().context_length;
    if (setup_.dropped) report["dropped"] = dropped_json(*setup_.dropped);
    const bool cancelled = *event.finished == core::StopReason::cancelled;
    reply_->finish(cancelled ? MessageState::interrupted : MessageState::complete, std::move(report));
  }

 private:
  void push(const std::vector<Delta>& deltas) {
    for (const Delta& delta : deltas) {
      if (delta.kind == Delta::Kind::reasoning) reply_->push(LiveReply::Part::reasoning, delta.text);
      if (delta.kind == Delta::Kind::content) reply_->push(LiveReply::Part::content, delta.text);
    }
  }

  const assistant::Model model_;
  const std::shared_ptr<LiveReply> reply_;
  const ChatSetup setup_;
  App& app_;
  const std::shared_ptr<InspectedReply> inspected_;  ///< null: nobody looks
  assistant::ReplyParser parser_;
};

/// The prompt and all that the model has to know. Returns what is wrong.
Result<assistant::GenerationRequest> request_of(assistant::ConversationStore& store, assistant::ModelService& model,
                                                const ReplyJob& job, const Call& call, ChatSetup& setup) {
  const Json parameters = job.conversation.parameters;
  Reader reader(parameters);
  assistant::GenerationRequest request = read_generation(reader, model, call);
  if (const auto most = reader.integer("max_tokens")) request.reply.max_tokens = static_cast<uint32_t>(*most);
  setup.chat.enable_thinking = reader.boolean("thinking");
  if (!job.begun.empty()) setup.chat.enable_thinking = false;  // the answer has begun
  if (reader.error()) return base::Error{base::ErrorCode::invalid_argument, reader.error()->message};
  // What is said in a temporary conversation is not kept as a prefix, either, which may be written to disk.
  request.keep_prefix = !assistant::Conversations::is_temporary(job.conversation.id);
  INGLE_TRY(setup.chat.messages, messages_of(store, job));
  setup.overflow = Overflow::drop_oldest;
  if (const auto wrong = prepare_chat(model, setup, request))
    return base::Error{base::ErrorCode::invalid_argument, wrong->message};
  if (!job.begun.empty()) {
    INGLE_TRY(const auto begun, model.tokenize(job.begun, false, false));
    request.prompt.insert(request.prompt.end(), begun.begin(), begun.end());
    if (const auto wrong = check_context(model, request.prompt.size()))
      return base::Error{base::ErrorCode::invalid_argument, wrong->message};
  }
  return request;
}

void generate(assistant::ConversationStore& store, const assistant::Model& model, const ReplyJob& job, const Call& call,
              const std::shared_ptr<LiveReply>& reply) {
  ChatSetup setup;
  auto request = request_of(store, *model, job, call, setup);
  if (!request) return reply->finish(MessageState::failed, nullptr, request.error().message);
  auto inspected = call.inspector->begin(job.conversation.id, reply->message(), *model, *request);
  const auto writing = std::make_shared<Writing>(model, reply, std::move(setup), *call.app, std::move(inspected));
  const auto id =
      model->generate(*std::move(request), [writing](core::GenerationEvent&& event) { writing->heard(event); });
  if (!id) return reply->finish(MessageState::failed, nullptr, id.error().message);
  reply->on_stop([model, number = *id] { model->cancel(number); });
}

}  // namespace

std::string person_principal() {
  return "user " + std::to_string(::getuid());
}

Result<std::string> model_of(const Call& call, const assistant::Conversation& conversation) {
  INGLE_CHECK(call.pool->may_load());
  const std::string asked = conversation.model.empty() ? call.stored->default_name() : conversation.model;
  std::string name = call.stored->name_of(asked);
  if (name.empty())
    return base::Error{base::ErrorCode::not_found,
                       "the model '" + asked + "' is not here; choose another for this conversation, or fetch it"};
  return name;
}

void write_reply(const Call& call, ReplyJob job, const std::string& model, const std::shared_ptr<LiveReply>& reply) {
  // Whoever asked is answered already. The conversations are the server's user's, whichever page shows them, and so is
  // what is computed for them.
  Call asked;
  asked.principal = person_principal();
  asked.client = "app";
  asked.inspector = call.inspector;
  asked.app = call.app;
  assistant::ConversationStore& store = call.conversations->of(job.conversation.id);
  call.pool->when_loaded(
      model, [=, &store, job = std::move(job), at_model = call.at_model](const Result<assistant::Model>& loaded) {
        if (!loaded) return reply->finish(MessageState::failed, nullptr, loaded.error().message);
        at_model(model, [=, &store, ready = *loaded] { generate(store, ready, job, asked, reply); });
      });
}

Result<assistant::Message> begin_reply(Call& call, int64_t conversation, std::optional<int64_t> parent) {
  assistant::ConversationStore& store = call.conversations->of(conversation);
  ReplyJob job;
  job.parent = parent;
  INGLE_TRY(job.conversation, store.find(conversation));
  INGLE_TRY(const std::string model, model_of(call, job.conversation));
  INGLE_TRY(const auto reply, store.begin_reply(conversation, parent, model));
  write_reply(call, std::move(job), model, reply);
  return store.message(reply->message());
}

}  // namespace ingle::server
