#include "cli/kept_chat.h"

#include <algorithm>

#include "base/utf8.h"
#include "cli/history.h"
#include "cli/models.h"

namespace ingle::cli {

using assistant::ConversationStore;
using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

namespace {

constexpr size_t kShownMessages = 4, kShownLines = 4, kShownBytes = 320;

bool continues(const Session& session) {
  const Values& values = session.values;
  return values.has("continue") && (values.flag("continue") || values.is_set("conversation"));
}

/// The one that was updated last and has something to go on from.
Result<assistant::Conversation> latest(ConversationStore& store) {
  std::optional<int64_t> before;
  for (;;) {
    INGLE_TRY(const auto some, store.list({.limit = 50, .before = before, .folder = {}}));
    for (const assistant::Conversation& each : some)
      if (each.leaf) return each;
    if (some.empty() || before == some.back().updated) break;
    before = some.back().updated;
  }
  return Error{ErrorCode::not_found, "there is no conversation to continue yet; 'ingle chat' begins one"};
}

Result<assistant::Conversation> asked_for(const Session& session, ConversationStore& store) {
  if (!session.values.is_set("conversation")) return latest(store);
  const int64_t id = session.values.integer("conversation");
  auto found = store.find(id);
  if (!found && found.error().code == ErrorCode::not_found)
    return Error{ErrorCode::not_found,
                 "there is no conversation " + std::to_string(id) + "; 'ingle history' lists those that there are"};
  return found;
}

/// Of a conversation that names no model, the one that wrote last.
Result<std::string> model_of(ConversationStore& store, const assistant::Conversation& conversation) {
  if (!conversation.model.empty() || !conversation.leaf) return conversation.model;
  INGLE_TRY(const auto branch, store.branch(*conversation.leaf));
  for (auto message = branch.rbegin(); message != branch.rend(); ++message)
    if (!message->model.empty()) return message->model;
  return std::string();
}

std::string shortened(std::string_view text) {
  const std::string_view whole = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  std::string_view shown = whole.substr(0, kShownBytes);
  shown = shown.substr(0, base::complete_utf8_prefix(shown));
  size_t end = 0;
  for (size_t line = 0; line < kShownLines && end != shown.npos; ++line)
    end = shown.find('\n', end + (line > 0 ? 1 : 0));
  shown = shown.substr(0, end);
  return std::string(shown) + (shown.size() < whole.size() ? " …" : "");
}

}  // namespace

Result<KeptChat> open_kept_chat(const Session& session) {
  KeptChat out;
  const bool goes_on = continues(session);
  if (session.values.flag("temporary")) {
    if (!goes_on) return out;
    return Error{ErrorCode::invalid_argument,
                 "a temporary chat is not kept, so it can't continue one that is; leave --temporary out, or give "
                 "--no-temporary"};
  }
  auto store = ConversationStore::open({.file = history_file(session), .first_id = 1, .now_ms = {}});
  if (!store) {
    if (goes_on) return store.error();
    session.terminal.notice("ingle: this chat is not kept: " + store.error().message);
    return out;
  }
  out.store = *std::move(store);
  for (const std::string& notice : out.store->notices()) session.terminal.notice("ingle: " + notice);
  if (!goes_on) return out;
  INGLE_TRY(out.resumed, asked_for(session, *out.store));
  INGLE_TRY(out.model, model_of(*out.store, *out.resumed));
  return out;
}

Result<std::string> chat_model(const Session& session, const KeptChat& kept) {
  const bool named = !session.argument(0).empty() || session.values.at("model").origin == Origin::flag;
  if (named || kept.model.empty()) return model_or_default(session);
  if (local_model(session, kept.model)) return kept.model;
  INGLE_TRY(std::string other, model_or_default(session));
  session.terminal.notice("ingle: the conversation's model, " + base::escape_controls(kept.model) +
                          ", is not here; going on with " + other);
  return other;
}

const assistant::Dialect* dialect_of(const core::Engine& engine) {
  const core::ChatTemplate* chat_template = engine.chat_template();
  if (chat_template == nullptr) return nullptr;
  return &assistant::choose_dialect({chat_template->source(), engine.info().architecture, engine.info().name});
}

std::vector<core::TokenId> hidden_reasoning_marks(const core::Engine& engine) {
  std::vector<core::TokenId> marks;
  const assistant::Dialect* dialect = dialect_of(engine);
  if (dialect == nullptr) return marks;
  for (const assistant::Reasoning& reasoning : dialect->reasoning)
    for (const std::string_view mark : {reasoning.open, reasoning.close}) {
      const bool hidden = std::ranges::find(dialect->visible_special, mark) != dialect->visible_special.end();
      if (const auto token = engine.tokenizer().find_token(mark); hidden && token) marks.push_back(*token);
    }
  std::ranges::sort(marks);
  return marks;
}

Status begin_keeping(const Session& session, const LoadedModel& loaded, const KeptChat& kept,
                     Conversation& conversation) {
  if (kept.store == nullptr) return {};
  KeptConversation::Options options;
  options.dialect = dialect_of(*loaded.engine);
  options.writer = loaded.installed.name;
  // A file of the person's own is none that the app would find.
  if (!loaded.installed.sha256.empty()) options.model = loaded.installed.name;
  options.tell = [terminal = session.terminal](const std::string& line) { terminal.notice("ingle: " + line); };
  conversation.keep_in(std::make_unique<KeptConversation>(*kept.store, std::move(options)));
  return kept.resumed ? conversation.resume(*kept.resumed) : Status();
}

std::string last_messages(const Json& messages) {
  const size_t first = messages.size() > kShownMessages ? messages.size() - kShownMessages : 0;
  std::string out = first > 0 ? "…\n" : "";
  for (size_t i = first; i < messages.size(); ++i) {
    const Json& message = messages[i];
    if (message["role"] == "system") continue;
    const bool asked = message["role"] == "user";
    out += (asked ? ">>> " : "") + shortened(message["content"].get_ref<const std::string&>()) + "\n";
  }
  return out;
}

}  // namespace ingle::cli
