// The chat's loop and its slash commands.
#include "cli/chat.h"

#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/utf8.h"
#include "cli/conversation.h"
#include "cli/errors.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/kept_chat.h"
#include "cli/line_editor.h"
#include "cli/models.h"
#include "cli/settings.h"
#include "cli/unknown_template.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

constexpr uint64_t max_saved_bytes = uint64_t{64} << 20;

class Chat {
 public:
  Chat(Session& session, const LoadedModel& loaded, const KeptChat& kept, Conversation conversation)
      : session_(&session),
        loaded_(&loaded),
        kept_(&kept),
        conversation_(std::move(conversation)),
        // What is typed in a temporary chat is kept nowhere.
        editor_(session.values.flag("temporary") ? std::filesystem::path() : session.paths.state / "chat_history",
                command_names()) {}

  Status loop();

  Status help(const std::string& rest);
  Status clear(const std::string& rest);
  Status system(const std::string& rest);
  Status regenerate(const std::string& rest);
  Status undo(const std::string& rest);
  Status set(const std::string& rest);
  Status save(const std::string& rest);
  Status load(const std::string& rest);
  Status info(const std::string& rest);
  Status leave(const std::string& rest);

 private:
  static std::vector<std::string> command_names();
  /// A whole message, which may span lines. False: the end.
  bool read_message(std::string& message);
  Status handle(const std::string& message);
  Status command(const std::string& line);
  /// System prompt, template, and where the conversation goes on.
  Status prepare();
  void greet() const;
  /// Streams what `produce` generates, then tidies up.
  template <typename Produce>
  Status stream(Produce produce);
  /// What failed is said, and the chat goes on.
  void report(const Error& error) const { session_->terminal.error(error_line(error, false)); }
  void say(const std::string& text) const {
    const std::string shown = base::escape_controls(text, "\n\t");
    session_->terminal.error(session_->terminal.styled_error(Style::dim, shown) + "\n");
  }

  Session* session_;
  const LoadedModel* loaded_;
  const KeptChat* kept_;
  Conversation conversation_;
  LineEditor editor_;
  uint64_t answers_ = 0;
  bool leaving_ = false;
};

struct ChatCommand {
  std::string_view name, argument, help;
  Status (Chat::*run)(const std::string& rest);
};
constexpr ChatCommand chat_commands[] = {
    {"/help", "", "this list", &Chat::help},
    {"/clear", "", "begin a new conversation", &Chat::clear},
    {"/system", "TEXT", "set the system prompt; without TEXT show it", &Chat::system},
    {"/regen", "", "another answer to the last message", &Chat::regenerate},
    {"/undo", "", "take back the last message and its answer", &Chat::undo},
    {"/set", "KEY VALUE", "change a setting such as temp; without arguments show them", &Chat::set},
    {"/save", "FILE", "write the conversation as JSON, and beside it what lets it go on at once", &Chat::save},
    {"/load", "FILE", "read one back", &Chat::load},
    {"/info", "", "the model and how full the context is", &Chat::info},
    {"/exit", "", "leave (Ctrl-D does, too)", &Chat::leave},
};
constexpr std::pair<std::string_view, std::string_view> other_names[] = {
    {"/?", "/help"}, {"/quit", "/exit"}, {"/bye", "/exit"}, {"/regenerate", "/regen"}, {"/reset", "/clear"}};

std::vector<std::string> Chat::command_names() {
  std::vector<std::string> out;
  for (const ChatCommand& command : chat_commands) {
    out.push_back(std::string(command.name) + (command.argument.empty() ? "" : " "));
  }
  return out;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool Chat::read_message(std::string& message) {
  message.clear();
  bool block = false;  // between """ and """
  while (true) {
    std::string line;
    const LineEditor::Outcome outcome = editor_.read(message.empty() && !block ? ">>> " : "... ", line);
    if (outcome == LineEditor::Outcome::end) return !message.empty();
    if (outcome == LineEditor::Outcome::interrupted) {
      if (terminated()) return false;
      clear_interrupt();
      if (!editor_.interactive()) return false;
      session_->terminal.error("\n");
      if (message.empty() && !block) say("Ctrl-D or /exit leaves.");
      message.clear();
      block = false;
      continue;
    }
    constexpr std::string_view fence = "\"\"\"";
    if (!block && message.empty() && line.starts_with(fence)) {
      block = true;
      line.erase(0, fence.size());
      if (line.empty()) continue;
    }
    if (block && line.ends_with(fence)) {
      message += line.substr(0, line.size() - fence.size());
      return true;
    }
    if (block) {
      message += line + "\n";
    } else if (line.ends_with('\\')) {
      message += line.substr(0, line.size() - 1) + "\n";
    } else {
      message += line;
      return true;
    }
  }
}

template <typename Produce>
Status Chat::stream(Produce produce) {
  INGLE_TRY(core::GenerateOptions options, generate_options(*session_, *loaded_));
  // A fixed seed still has to give another answer each time, and the same ones in the next chat.
  options.sampling.seed += answers_++;
  options.shown = hidden_reasoning_marks(*loaded_->engine);
  conversation_.set_thinking(thinking_setting(*session_));
  clear_interrupt();
  std::string last;
  Status written;
  const auto on_text = [&](std::string_view piece) {
    written = session_->terminal.out_foreign(piece);
    last = piece;
    return written.ok();
  };
  const Result<core::GenerateResult> result = produce(options, on_text);
  const bool stopped = interrupted();
  clear_interrupt();
  INGLE_CHECK(written);
  if (!result && result.error().code == ErrorCode::cancelled && editor_.interactive()) {
    say("(stopped)");
    return {};
  }
  if (!result) {
    if (!last.empty()) INGLE_CHECK(session_->terminal.out("\n"));
    return result.error();
  }
  if (!last.ends_with('\n')) INGLE_CHECK(session_->terminal.out("\n"));
  if (stopped && editor_.interactive()) say("(stopped)");
  if (session_->values.flag("verbose")) {
    say(statistics_text(*loaded_->engine, *result, options.sampling.seed) + pad("reused", 12) +
        std::to_string(conversation_.reused_tokens()) + " tokens of the conversation so far");
  }
  if (result->reason == core::StopReason::context_full) {
    say("The context of " + std::to_string(conversation_.capacity()) + " tokens is full; /clear or /undo makes room.");
  }
  if (editor_.interactive()) INGLE_CHECK(session_->terminal.out("\n"));
  return {};
}

Status Chat::handle(const std::string& message) {
  if (message.starts_with('/')) return command(message);
  INGLE_CHECK(require_utf8(message, "the message"));
  return stream([&](const core::GenerateOptions& options, const std::function<bool(std::string_view)>& on_text) {
    return conversation_.ask(message, options, on_text, interrupted);
  });
}

Status Chat::command(const std::string& line) {
  const size_t space = std::min(line.find_first_of(" \t\n"), line.size());
  std::string name = line.substr(0, space);
  std::string rest = line.substr(std::min(line.find_first_not_of(" \t", space), line.size()));
  if (!rest.empty()) rest.erase(rest.find_last_not_of(" \t\n") + 1);
  for (const auto& [other, real] : other_names) {
    if (name == other) name = real;
  }
  std::vector<std::string_view> names;
  for (const ChatCommand& entry : chat_commands) {
    if (entry.name == name) return (this->*entry.run)(rest);
    names.push_back(entry.name);
  }
  const std::string_view near = nearest(name, names);
  return Error{ErrorCode::invalid_argument,
               "unknown command '" + name + "'; " +
                   (near.empty() ? "/help lists them" : "did you mean " + std::string(near) + "?")};
}

Status Chat::help(const std::string&) {
  std::string text;
  for (const ChatCommand& entry : chat_commands) {
    text += pad(std::string(entry.name) + " " + std::string(entry.argument), 18) + std::string(entry.help) + "\n";
  }
  text +=
      "\nA line that ends with \\ goes on in the next; \"\"\" starts and ends a block of lines.\n"
      "Ctrl-C stops an answer.";
  say(text);
  return {};
}

Status Chat::clear(const std::string&) {
  const bool stays = conversation_.kept() != nullptr && conversation_.kept()->conversation();
  conversation_.clear();
  say(stays ? "A new conversation begins; the one before is kept." : "The conversation is forgotten.");
  return {};
}

Status Chat::system(const std::string& rest) {
  if (rest.empty()) {
    say(conversation_.system().empty() ? "There is no system prompt." : conversation_.system());
    return {};
  }
  INGLE_CHECK(require_utf8(rest, "the system prompt"));
  conversation_.set_system(rest);
  say("The system prompt is set; it holds from the next message on.");
  return {};
}

Status Chat::regenerate(const std::string&) {
  return stream([&](const core::GenerateOptions& options, const std::function<bool(std::string_view)>& on_text) {
    return conversation_.regenerate(options, on_text, interrupted);
  });
}

Status Chat::undo(const std::string&) {
  say(conversation_.undo() ? "The last message and its answer are taken back." : "There is nothing to take back.");
  return {};
}

Status Chat::set(const std::string& rest) {
  if (rest.empty()) {
    std::string text;
    for (const Option& option : all_settings()) {
      if (option.group != group_sampling && option.name != "think") continue;
      const Value& value = session_->values.at(option.name);
      std::string shown = value.texts.empty() ? "-" : value.texts.back();
      if (shown == "-" && !option.fallback_note.empty()) shown += " (" + std::string(option.fallback_note) + ")";
      text += pad(option.name, 20) + shown + "\n";
    }
    text.pop_back();
    say(text);
    return {};
  }
  const size_t space = rest.find_first_of(" \t=");
  const std::string key = rest.substr(0, space);
  const Option* option = find_setting(key);
  if (option == nullptr || (option->group != group_sampling && option->name != "think")) {
    return Error{ErrorCode::invalid_argument, "'" + key + "' is no setting of a chat under way; /set lists those"};
  }
  if (space == std::string::npos) {
    const std::string text = session_->values.text(key);
    say(key + " = " + (text.empty() ? "-" : text));
    return {};
  }
  const size_t start = rest.find_first_not_of(" \t=", space);
  std::vector<std::string> texts;
  if (start != std::string::npos) texts.push_back(rest.substr(start));
  if (texts.empty() && !option->repeatable) return Error{ErrorCode::invalid_argument, "/set " + key + " needs a value"};
  if (const auto why = why_no_thinking(*loaded_->engine); key == "think" && !why.empty()) {
    return Error{ErrorCode::invalid_argument, "think has no effect " + std::string(why)};
  }
  INGLE_CHECK(session_->values.set(*option, std::move(texts), Origin::flag, "/set " + key));
  say(key + " is " + session_->values.text(key) + " from the next answer on.");
  return {};
}

/// What is computed of a saved conversation, beside it.
std::filesystem::path state_of(const std::filesystem::path& saved) {
  return saved.string() + ".state";
}

Status Chat::save(const std::string& rest) {
  if (rest.empty()) return Error{ErrorCode::invalid_argument, "/save needs the name of a file"};
  const Json document = {{"model", loaded_->installed.name}, {"messages", conversation_.messages()}};
  const auto path = expand_home(rest, session_->environment);
  INGLE_CHECK(base::write_file_atomic(path, document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n",
                                      base::Readers::owner));
  const auto state = state_of(path);
  const Status kept = conversation_.save_state(state);
  std::error_code unknown;
  say("Saved to " + path.string() +
      (kept ? "; " + state.string() + " (" + show_bytes(std::filesystem::file_size(state, unknown)) +
                  ") lets it go on without being read again."
            : ". " + kept.error().message + ", so it will be read again before it goes on."));
  return {};
}

Status Chat::load(const std::string& rest) {
  if (rest.empty()) return Error{ErrorCode::invalid_argument, "/load needs the name of a file"};
  const auto path = expand_home(rest, session_->environment);
  INGLE_TRY(const std::string text, base::read_file(path, max_saved_bytes));
  const auto document = base::parse_json(text);
  Status status = document ? Status() : Status(document.error());
  if (document) {
    const bool wrapped = document->is_object() && document->contains("messages");
    status = conversation_.set_messages(wrapped ? (*document)["messages"] : *document);
  }
  if (!status) {
    return Error{ErrorCode::invalid_argument, rest + " is not a saved conversation: " + status.error().message};
  }
  const Status warm = conversation_.load_state(state_of(path));
  const bool tell = !warm && warm.error().code != ErrorCode::not_found;
  say("Loaded " + std::to_string(conversation_.messages().size()) + " messages." +
      (tell ? " They will be read again: " + warm.error().message + "." : ""));
  return {};
}

/// What `ingle history show` takes, and the app shows.
std::string kept_as(const Conversation& conversation) {
  if (conversation.kept() == nullptr) return "no";
  const auto& id = conversation.kept()->conversation();
  return id ? "conversation " + std::to_string(*id) : "from the first message on";
}

Status Chat::info(const std::string&) {
  const core::EngineInfo& info = loaded_->engine->info();
  say(pad("model", 12) + loaded_->installed.name + " (" + info.architecture + ", " + info.quantization + ")\n" +
      pad("runs on", 12) + info.isa + ", " + std::to_string(info.threads) + " threads\n" + pad("memory", 12) +
      show_bytes(info.weight_bytes + info.state_bytes + info.activation_bytes) + "\n" + pad("context", 12) +
      std::to_string(conversation_.tokens_held()) + " of " + std::to_string(conversation_.capacity()) +
      " tokens used\n" + pad("kept", 12) + kept_as(conversation_));
  return {};
}

Status Chat::leave(const std::string&) {
  leaving_ = true;
  return {};
}

Status Chat::prepare() {
  INGLE_CHECK(begin_keeping(*session_, *loaded_, *kept_, conversation_));
  // A conversation has a system prompt of its own; only who asks for another here and now changes it.
  const std::string text = session_->values.text("system");
  if (kept_->resumed ? session_->values.at("system").origin == Origin::flag : !text.empty()) {
    INGLE_CHECK(require_utf8(text, "the system prompt"));
    conversation_.set_system(text);
  }
  if (loaded_->engine->chat_template() == nullptr) {
    session_->terminal.notice("ingle: this model has no chat template; it continues the text instead of answering");
  } else {
    INGLE_CHECK(
        check_template(*session_, name_to_show(loaded_->installed), loaded_->engine->chat_template()->source()));
  }
  if (const auto why = why_no_thinking(*loaded_->engine); !why.empty()) session_->note_unused({"think"}, why);
  return {};
}

void Chat::greet() const {
  if (!editor_.interactive() || session_->terminal.options().quiet) return;
  const bool temporary = session_->values.flag("temporary");
  say(loaded_->installed.name + " is ready" + (temporary ? ", nothing of this chat is kept" : "") +
      ". /help lists commands, Ctrl-D leaves.");
  if (!kept_->resumed) return;
  const std::string& title = kept_->resumed->title;
  say("\nConversation " + std::to_string(kept_->resumed->id) + (title.empty() ? "" : ", \"" + title + "\"") + ":\n" +
      last_messages(conversation_.messages()));
}

Status Chat::loop() {
  INGLE_CHECK(prepare());
  greet();
  Status last;
  std::string message;
  while (!leaving_ && read_message(message)) {
    if (is_blank(message)) continue;
    editor_.add_to_history(message);
    last = handle(message);
    if (last) continue;
    // A script must not go on past a failure as if it had worked; a person can.
    if (!editor_.interactive()) return last;
    report(last.error());
  }
  if (editor_.interactive() && !leaving_ && !terminated()) return session_->terminal.out("\n");
  return interrupted() ? Status(Error{ErrorCode::cancelled, ""}) : Status();
}

}  // namespace

std::optional<bool> thinking_setting(const Session& session) {
  if (!session.values.is_set("think")) return std::nullopt;
  return session.values.flag("think");
}

std::string_view why_no_thinking(const core::Engine& engine) {
  if (engine.chat_template() == nullptr) return "on a model without a chat template";
  return engine.chat_template()->mentions("enable_thinking") ? "" : "on a model whose chat template has no such switch";
}

Status run_chat(Session& session, const LoadedModel& loaded, const KeptChat& kept) {
  INGLE_TRY(Conversation conversation, Conversation::start(*loaded.engine));
  Chat chat(session, loaded, kept, std::move(conversation));
  return chat.loop();
}

}  // namespace ingle::cli
