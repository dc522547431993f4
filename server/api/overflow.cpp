#include "server/api/overflow.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "assistant/dialects/reply.h"
#include "server/api/generation.h"

namespace ingle::server {
namespace {

constexpr size_t kMostSummary = 512;   ///< tokens
constexpr size_t kAroundSummary = 48;  ///< tokens: what tells that it is one, and what joining texts can add

size_t summary_tokens(size_t context) {
  return std::clamp<size_t>(context / 8, 16, kMostSummary);
}

size_t wanted_room(size_t context, uint32_t max_tokens) {
  return max_tokens > 0 ? std::min<size_t>(max_tokens, context / 2) : std::min<size_t>(256, context / 4);
}

/// The error of check_context(), which knows how much less there could be.
ApiError still_too_long(size_t context, size_t tokens, size_t least, const std::string& param) {
  return {400,
          "this model's context is " + std::to_string(context) + " tokens, and the prompt has " +
              std::to_string(tokens) + ", of which " + std::to_string(least) +
              " are never dropped; shorten the system's and the last message, or serve the model with a longer --ctx",
          param,
          "context_length_exceeded",
          {}};
}

std::string words_of(const base::Json& message) {
  const std::string role = message.value("role", std::string());
  std::string words = message.value("content", std::string());
  if (const auto calls = message.find("tool_calls"); calls != message.end() && calls->is_array())
    for (const base::Json& call : *calls)
      if (call.is_object() && call.contains("function")) words += "\ncalls " + to_text(call["function"]);
  return (role == "tool" ? "what the tool said" : role) + ": " + words + "\n\n";
}

/// From `at` on, without what is left of a code point there.
std::string_view from(std::string_view text, size_t at) {
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  return text.substr(std::min(at, text.size()));
}

/// What was said: so many of its last bytes, more or less.
std::string transcript(const base::Json& messages, size_t most_bytes) {
  size_t first = messages.size(), bytes = 0;
  while (first > 0 && bytes < most_bytes) bytes += words_of(messages[--first]).size();
  std::string text;
  for (; first < messages.size(); ++first) text += words_of(messages[first]);
  return std::string(from(text, text.size() - std::min(text.size(), most_bytes)));
}

core::ChatRequest summary_request(std::string_view text, size_t tokens, bool cut) {
  core::ChatRequest request;
  request.messages.push_back(
      {{"role", "user"},
       {"content", "This is the earlier part of a conversation.\n\n" + std::string(cut ? "… " : "") +
                       std::string(text) + "---\nSummarise it in at most " + std::to_string(tokens * 3 / 5) +
                       " words, for someone who continues the conversation. Keep names, numbers, facts, decisions and "
                       "open questions. Write the summary only."}});
  request.enable_thinking = false;
  return request;
}

/// The request of a summary, of so much of what was dropped, from its end, as the context takes.
base::Result<core::ChatRequest> ask_for_summary(assistant::ModelService& model, const base::Json& dropped) {
  constexpr size_t kBytesPerToken = 16;  // more than texts have
  constexpr size_t kStep = 64;           // bytes, about which nobody cares
  const size_t context = model.info().context_length, tokens = summary_tokens(context);
  const std::string text = transcript(dropped, context * kBytesPerToken);
  const auto fits = [&](const core::ChatRequest& request) -> base::Result<bool> {
    INGLE_TRY(const auto prompt, model.chat_prompt(request));
    return prompt.size() + tokens <= context;
  };
  core::ChatRequest best = summary_request(text, tokens, false);
  INGLE_TRY(bool all, fits(best));
  if (all) return best;
  size_t too_early = 0, late = text.size();
  best = summary_request({}, tokens, true);
  while (late - too_early > kStep) {
    const size_t middle = too_early + (late - too_early) / 2;
    core::ChatRequest request = summary_request(from(text, middle), tokens, true);
    INGLE_TRY(const bool fit, fits(request));
    if (fit) best = std::move(request);
    (fit ? late : too_early) = middle;
  }
  return best;
}

/// Puts it where what it stands for was: before the first message that is not the system's. It goes into that, as
/// templates want roles to alternate.
void insert_summary(base::Json& messages, const std::string& summary) {
  for (base::Json& message : messages) {
    if (message["role"] == "system") continue;
    message["content"] = "[A summary of the conversation before this message: " + summary + "]\n\n" +
                         message.value("content", std::string());
    return;
  }
}

class Summary : public std::enable_shared_from_this<Summary> {
 public:
  Summary(const Call& call, assistant::ModelService& model, Unsummarised chat,
          std::function<void(Call&, Unsummarised)> then)
      : call_(call), model_(model), chat_(std::move(chat)), then_(std::move(then)) {}

  void submit() {
    auto asked = ask_for_summary(model_, chat_.setup.dropped->content);
    if (!asked) return call_.fail(api_error(asked.error(), chat_.setup.param));
    own_.chat = std::move(asked).value();
    assistant::GenerationRequest request;
    request.sampling = model_.facts().default_sampling;
    request.sampling.temperature = 0;
    request.reply.max_tokens = static_cast<uint32_t>(summary_tokens(model_.info().context_length));
    request.priority = chat_.request.priority;
    request.principal = chat_.request.principal;
    request.client = chat_.request.client;
    request.keep_prefix = false;
    if (const auto error = prepare_chat(model_, own_, request)) return call_.fail(*error);
    // First, as the answer that follows says the same of itself.
    call_.exchange->on_gone([self = shared_from_this()] { self->cancel(); });
    auto id = model_.generate(std::move(request), [self = shared_from_this()](core::GenerationEvent&& event) {
      self->heard(std::move(event));
    });
    if (!id) {
      ApiError error = api_error(id.error());
      if (error.status == 429) error.retry_after_s = stats_of(model_).retry_after_s;
      return call_.fail(error);
    }
    const std::lock_guard lock(mutex_);
    id_ = *id;
    if (gone_) model_.cancel(*id_);
  }

 private:
  void cancel() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    if (id_) model_.cancel(*id_);
  }

  void heard(core::GenerationEvent&& event) {
    if (event.error) return call_.fail(api_error(*event.error));
    text_ += event.text;
    if (!event.finished) return;
    if (*event.finished == core::StopReason::cancelled) return call_.fail({503, "the server ends", {}, {}, 1});
    chat_.setup.dropped->summary_stats = event.stats;
    // The model is asked again, which must not happen where its events come from.
    call_.resume([self = shared_from_this()] { self->go_on(); });
  }

  void go_on() {
    if (const auto error = finish()) return call_.fail(*error);
    then_(call_, std::move(chat_));
  }

  std::optional<ApiError> finish() {
    const assistant::Reply reply =
        parse_reply(model_.dialect(), {}, text_, {.starts_in_reasoning = own_.starts_in_reasoning});
    std::string summary = reply.content;
    summary.erase(0, summary.find_first_not_of(" \n"));
    summary.erase(summary.find_last_not_of(" \n") + 1);
    if (summary.empty())
      return ApiError{500, "the model wrote no summary of what exceeds its context; ask for drop_oldest", {}, {}, {}};
    insert_summary(chat_.setup.chat.messages, summary);
    auto built = model_.chat_prompt(chat_.setup.chat);
    if (!built) return api_error(built.error(), chat_.setup.param);
    chat_.request.prompt = std::move(built).value();
    Dropped& dropped = *chat_.setup.dropped;
    dropped.summary = std::move(summary);
    dropped.content = nullptr;
    return check_context(model_, chat_.request.prompt.size(), chat_.setup.param);
  }

  Call call_;
  assistant::ModelService& model_;
  Unsummarised chat_;
  const std::function<void(Call&, Unsummarised)> then_;
  ChatSetup own_;     ///< of the summary's request
  std::string text_;  ///< the reply, so far
  std::mutex mutex_;  ///< of all below
  std::optional<core::RequestId> id_;
  bool gone_ = false;
};

}  // namespace

Overflow read_overflow(Reader& reader, Overflow otherwise) {
  const base::Json* own = reader.object("ingle");
  const base::Json* name = own == nullptr ? nullptr : Reader(*own, "ingle").find("overflow");
  if (name == nullptr || !name->is_string()) return otherwise;
  return find_overflow(name->get_ref<const std::string&>()).value_or(otherwise);
}

void refuse_overflow(Reader& reader) {
  if (read_overflow(reader) != Overflow::error)
    reader.fail("ingle.overflow", "'ingle.overflow' is for chats; a prompt has no turns that could go",
                "unsupported_value");
}

std::optional<ApiError> fit_chat(assistant::ModelService& model, ChatSetup& setup,
                                 assistant::GenerationRequest& request) {
  auto built = model.chat_prompt(setup.chat);
  if (!built) return api_error(built.error(), setup.param);
  request.prompt = std::move(built).value();
  const size_t context = model.info().context_length, tokens = request.prompt.size();
  const size_t most = context - wanted_room(context, request.reply.max_tokens);
  const base::Json messages = setup.chat.messages;
  const std::vector<Turn> turns = droppable_turns(messages, setup.overflow);
  if (tokens <= most || turns.empty()) return check_context(model, tokens, setup.param);

  const bool needs_text = setup.overflow == Overflow::summarise;
  const size_t kept_free = needs_text ? summary_tokens(context) + kAroundSummary : 0;
  auto cut =
      cut_turns(messages, turns, most - std::min(most, kept_free), [&](const base::Json& kept) -> base::Result<size_t> {
        setup.chat.messages = kept;
        INGLE_TRY(const auto prompt, model.chat_prompt(setup.chat));
        return prompt.size();
      });
  if (!cut) return api_error(cut.error(), setup.param);
  if (cut->tokens + kept_free >= context) return still_too_long(context, tokens, cut->tokens + kept_free, setup.param);
  setup.chat.messages = std::move(cut->kept);
  auto rest = model.chat_prompt(setup.chat);
  if (!rest) return api_error(rest.error(), setup.param);
  request.prompt = std::move(rest).value();
  setup.dropped = {.policy = setup.overflow,
                   .messages = cut->dropped.size(),
                   .tokens = tokens - std::min(tokens, request.prompt.size()),
                   .content = needs_text ? std::move(cut->dropped) : base::Json(),
                   .summary = {},
                   .summary_stats = {}};
  return std::nullopt;
}

bool needs_summary(const ChatSetup& setup) {
  return setup.dropped && setup.dropped->policy == Overflow::summarise && !setup.dropped->summary;
}

void summarise(Call& call, assistant::ModelService& model, Unsummarised chat,
               std::function<void(Call&, Unsummarised)> then) {
  std::make_shared<Summary>(call, model, std::move(chat), std::move(then))->submit();
}

std::string dropped_header(const Dropped& dropped) {
  return "policy=" + std::string(overflow_name(dropped.policy)) + "; messages=" + std::to_string(dropped.messages) +
         "; tokens=" + std::to_string(dropped.tokens);
}

base::Json dropped_json(const Dropped& dropped) {
  base::Json json = {{"policy", overflow_name(dropped.policy)},
                     {"dropped_messages", dropped.messages},
                     {"dropped_tokens", dropped.tokens}};
  if (dropped.summary) {
    json["summary"] = *dropped.summary;
    json["summary_prompt_tokens"] = dropped.summary_stats.prompt_tokens;
    json["summary_tokens"] = dropped.summary_stats.generated_tokens;
    json["summary_ms"] =
        dropped.summary_stats.queue_ms + dropped.summary_stats.prefill_ms + dropped.summary_stats.decode_ms;
  }
  return json;
}

}  // namespace ingle::server
