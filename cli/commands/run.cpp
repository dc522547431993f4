// ingle run [MODEL] [PROMPT]: one prompt, one answer.
#include <unistd.h>

#include "cli/chat.h"
#include "cli/conversation.h"
#include "cli/generation.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/prompts.h"
#include "cli/unknown_template.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

struct Request {
  std::string model;   ///< empty: the default
  std::string prompt;  ///< of the command line
  bool has_prompt = false;
};

Error not_a_model(const std::string& word, const std::string& suggestion) {
  const std::string rest = " (a prompt goes in quotes after the model, or after -m MODEL)";
  if (suggestion.empty() && word.find('/') != std::string::npos) {
    return {ErrorCode::not_found, "there is no file or folder '" + word + "'; check the path" + rest};
  }
  const std::string advice = suggestion.empty() ? "see 'ingle list --all'" : "did you mean '" + suggestion + "'?";
  return {ErrorCode::not_found, "no model is called '" + word + "'; " + advice + rest};
}

Result<WordVerdict> judge_first_word(const Session& session, const std::string& word) {
  if (is_plain_path(word)) return WordVerdict{WordKind::model, {}};
  INGLE_TRY(const auto store, open_store(session));
  return judge_word(store, word);
}

/// Which of the arguments is the model and which the prompt.
Result<Request> read_request(const Session& session) {
  Request request;
  std::vector<std::string> words = session.arguments;
  // -m says it; then every argument is prompt.
  const bool named = session.values.at("model").origin == Origin::flag;
  if (named) request.model = session.values.text("model");
  if (!words.empty() && !named) {
    INGLE_TRY(const WordVerdict verdict, judge_first_word(session, words.front()));
    if (verdict.kind == WordKind::mistyped || (verdict.kind == WordKind::text && words.size() > 1)) {
      return not_a_model(words.front(), verdict.suggestion);
    }
    if (verdict.kind == WordKind::model) {
      request.model = words.front();
      words.erase(words.begin());
    }
  }
  request.has_prompt = !words.empty();
  for (size_t i = 0; i < words.size(); ++i) request.prompt += (i == 0 ? "" : " ") + words[i];
  return request;
}

/// The prompt's final text: what the command line says, then what the pipe says. With --raw a prompt on the command
/// line is the whole prompt: scripts rely on it byte for byte.
Status read_piped(const Session& session, Request& request) {
  INGLE_CHECK(require_utf8(request.prompt, "the prompt"));
  const bool exact = session.values.flag("raw") || session.values.is_set("suffix");
  if (request.has_prompt && (exact || !stdin_is_piped())) return {};
  INGLE_TRY(std::string piped, read_stdin(session, "the prompt"));
  INGLE_CHECK(require_utf8(piped, "standard input"));
  if (!request.has_prompt) {
    request.prompt = std::move(piped);
  } else if (!piped.empty()) {
    request.prompt += "\n\n" + piped;
  }
  return {};
}

/// An empty pipe is an accident: a model asked nothing would answer anything. --raw may start from nothing but BOS.
Status require_text(const Session& session, std::string_view prompt) {
  if (session.values.flag("raw") || session.values.is_set("suffix")) return {};
  if (prompt.find_first_not_of(" \t\r\n") != std::string_view::npos) return {};
  return Error{ErrorCode::invalid_argument, "the prompt is empty; give one as an argument or on standard input"};
}

Result<std::vector<core::TokenId>> build_prompt(const Session& session, const LoadedModel& loaded,
                                                const std::string& text) {
  const core::Engine& engine = *loaded.engine;
  const Values& values = session.values;
  const bool special = values.flag("special");
  if (values.is_set("suffix")) {
    session.note_unused({"system", "think", "accept-template"}, "with --suffix");
    session.note_unused({"special"}, "on the prompt with --suffix; it only prints special tokens that are generated");
    return gap_prompt(engine, text, values.text("suffix"));
  }
  if (values.flag("raw")) {
    session.note_unused({"system", "think", "accept-template"}, "with --raw");
    return raw_prompt(engine, text, special);
  }
  if (engine.chat_template() == nullptr) {
    session.terminal.notice("ingle: this model has no chat template; it continues the text instead of answering");
    session.note_unused({"system", "think", "accept-template"}, why_no_thinking(engine));
    return raw_prompt(engine, text, special);
  }
  INGLE_CHECK(check_template(session, name_to_show(loaded.installed), engine.chat_template()->source()));
  session.note_unused({"special"}, "on the prompt without --raw; it only prints special tokens that are generated");
  if (const auto why = why_no_thinking(engine); !why.empty()) session.note_unused({"think"}, why);
  Json messages = Json::array();
  if (const std::string system = values.text("system"); !system.empty()) {
    INGLE_CHECK(require_utf8(system, "the system prompt"));
    messages.push_back({{"role", "system"}, {"content", system}});
  }
  messages.push_back({{"role", "user"}, {"content", text}});
  return chat_prompt(engine, messages, thinking_setting(session));
}

/// Where the answer ends without a newline, the next prompt of the shell would stand behind it.
Status end_output(const Session& session, bool raw, std::string_view text) {
  if (text.ends_with('\n')) return {};
  if (!raw) return session.terminal.out("\n");
  if (isatty(STDOUT_FILENO) == 1) session.terminal.error("\n");
  return {};
}

Status answer(const Session& session, const LoadedModel& loaded, const Request& request) {
  core::Engine& engine = *loaded.engine;
  INGLE_TRY(core::GenerateOptions options, generate_options(session, loaded));
  options.show_special = session.values.flag("special");
  INGLE_TRY(const auto tokens, build_prompt(session, loaded, request.prompt));
  INGLE_TRY(auto sequence, engine.new_sequence());
  const bool json = session.json();
  Status written;
  const auto on_text = [&](std::string_view piece) {
    if (!json) written = session.terminal.out_foreign(piece);
    return written.ok();
  };
  INGLE_TRY(const core::GenerateResult result,
            core::generate(engine, *sequence, tokens, options, on_text, interrupted));
  INGLE_CHECK(written);
  if (json) {
    Json out = {{"model", loaded.installed.name}, {"text", result.text}, {"tokens", result.tokens}};
    out.update(statistics_json(engine, result, options.sampling.seed));
    INGLE_CHECK(session.out_json(out));
  } else {
    const bool raw = session.values.flag("raw") || session.values.is_set("suffix");
    INGLE_CHECK(end_output(session, raw, result.text));
  }
  if (session.values.flag("verbose")) {
    session.terminal.error(
        "\n" + session.terminal.styled_error(Style::dim, statistics_text(engine, result, options.sampling.seed)));
  }
  if (result.reason == core::StopReason::cancelled) return Error{ErrorCode::cancelled, ""};
  if (result.reason == core::StopReason::context_full) {
    session.terminal.notice("ingle: the context of " + std::to_string(sequence->capacity()) +
                            " tokens is full, so the answer stops here; --ctx makes it longer");
  }
  return {};
}

Status run(Session& session) {
  INGLE_TRY(Request request, read_request(session));
  const bool chat = !request.has_prompt && stdin_is_terminal() && !session.values.flag("raw") &&
                    !session.values.is_set("suffix") && !session.json();
  if (!chat) {
    INGLE_CHECK(read_piped(session, request));
    INGLE_CHECK(require_text(session, request.prompt));
  }
  if (request.model.empty()) {
    INGLE_TRY(const auto store, open_store(session));
    INGLE_TRY(const ModelChoice choice, default_model(session, store));
    request.model = choice.model;
  }
  KeptChat kept;
  if (chat) {
    INGLE_TRY(kept, open_kept_chat(session));
  } else {
    session.note_unused({"temporary"}, "on a single prompt, of which nothing is kept");
  }
  INGLE_TRY(const LoadedModel loaded, load_generating_model(session, request.model));
  if (chat) session.note_unused({"special"}, "in a chat");
  Status status = chat ? run_chat(session, loaded, kept) : answer(session, loaded, request);
  report_damaged_copy(session, *loaded.engine);
  return status;
}

constexpr Argument arguments[] = {
    {.name = "MODEL",
     .help = "a catalogue name, an address (hf:..., https://...) or a path; without one the default model is used",
     .type = ValueType::model},
    {.name = "PROMPT", .help = "what to say; standard input is added to it where it is a pipe", .repeatable = true},
};
constexpr Option options[] = {
    {.name = "raw", .help = "no chat template: continue PROMPT, and print nothing but the continuation"},
    {.name = "suffix",
     .type = ValueType::text,
     .metavar = "TEXT",
     .help = "fill the gap between PROMPT and TEXT (models trained for it)"},
    {.name = "special", .help = "with --raw, read special tokens in PROMPT as such; print those that are generated"},
    {.name = "verbose", .letter = 'v', .help = "timings and counts on stderr"},
    json_option,
};
constexpr Example examples[] = {
    {"ingle run \"Why is the sky blue?\"", "With the default model; it is fetched on first use."},
    {"git diff | ingle run \"Write a commit message for this:\"", "A pipe is added to the prompt."},
    {"ingle run smollm2-135m --raw --temp 0 -n 32 \"Once upon a time\"", "Continues the text, always the same way."},
    {"ingle run qwen2.5-coder-0.5b --suffix \"    return total\" \"def sum(xs):\"", "Fills in the middle."},
};

}  // namespace

extern const Command run_record;
const Command run_record{
    .name = "run",
    .summary = "answer one prompt",
    .description =
        "The first argument is the model where it is one: a name of the catalogue, an installed model, an address or a "
        "path. Otherwise it is the prompt and the default model answers. The text streams to standard output. On a "
        "terminal without a prompt, a chat opens (as 'ingle chat' does, and kept like it).\n\nThe first Ctrl-C stops "
        "the answer, the second ends the program. A "
        "prompt longer than the context is an error, never cut.",
    .arguments = arguments,
    .options = options,
    .groups = group_talk,
    .examples = examples,
    .order = 10,
    .run = run,
};

}  // namespace ingle::cli
