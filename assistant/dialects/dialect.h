// A dialect: how one family of models writes its reasoning, its tool calls and its answer into one text. One file per
// dialect (assistant/dialects/NAME.cpp defines `NAME_record`); the build collects them into all_dialects().
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/dialects/call_reader.h"
#include "assistant/dialects/tools.h"
#include "base/json.h"
#include "base/result.h"

namespace ingle::assistant {

class GrammarWriter;

/// What is known of a model. Each may be empty.
struct ModelHints {
  std::string_view chat_template;  ///< its source
  std::string_view architecture;   ///< as GGUF spells it: "qwen3"
  std::string_view name;           ///< "Qwen3 0.6B Instruct"

  bool template_has(std::string_view text) const { return chat_template.find(text) != chat_template.npos; }
  /// Whether the model's name has these letters, in either case; `text` is in lower case.
  bool name_has(std::string_view text) const;
};

/// The marks around reasoning.
struct Reasoning {
  std::string_view open, close;
  bool anywhere = false;  ///< else only before the answer, since an answer may speak of the mark
};

/// A place where calls start.
struct Opener {
  std::string_view marker;
  /// How many bytes of the marker, its last ones, belong to what the reader takes.
  size_t kept = 0;
  bool at_start = false;     ///< only where the answer has no text yet
  std::string_view closer;   ///< ends the calls; a missing one does no harm
  std::string_view again;    ///< after calls, one of these bytes starts more of them without a marker
  std::string_view between;  ///< one of these bytes may stand before that
  std::unique_ptr<CallReader> (*reader)(const Tools& tools) = nullptr;
};

/// How a grammar writes calls: first (call (between call)*) last, where a call is before … after.
struct CallForm {
  std::string_view first, before, after, between, last;
  /// Models leave the marks out: the same calls may also start a reply as they are. An opener reads that.
  bool bare = false;
  /// Writes the rules of one call of that tool; returns the expression for what stands between before and after.
  /// Errors: unsupported where the dialect can't spell the tool's parameters.
  base::Result<std::string> (*call)(GrammarWriter& writer, const Tool& tool) = nullptr;
  /// One call with these arguments as text, as `call` has it. Null where all of the family's templates write calls
  /// themselves.
  std::string (*write)(std::string_view name, const base::Json& arguments) = nullptr;
};

/// Tells a model of its tools, where its publisher says nothing of how.
inline constexpr std::string_view common_tool_prompt =
    "You can call functions. This is what they do, with the JSON schemas of their arguments:\n{tools}\n\n"
    "To call one, reply with nothing but its name and its arguments in this form:\n{call}\n\n"
    "You get the result in the next message. Where no function helps, answer without one.";

struct Dialect {
  std::string_view name;
  std::string_view families;  ///< for a person: whose models write so
  /// How well the dialect fits: 0 not at all, 1 for lack of better, more for better evidence.
  int (*fits)(const ModelHints& hints) = nullptr;

  std::span<const Reasoning> reasoning;
  std::span<const Opener> openers;
  /// What the family's templates strip around reasoning and before the answer.
  std::string_view trimmed = "\n";
  bool trims_end = false;  ///< space after the answer, too

  /// Control tokens of some vocabularies that must be shown as text while decoding, or the calls can't be seen.
  std::span<const std::string_view> visible_special;
  /// Texts that end the model's turn beside its end tokens.
  std::span<const std::string_view> stops;

  CallForm form;
  /// What tells of the tools where the chat template does not (tool_prompt.h): {tools} is the list of their
  /// descriptions, JSON, and {call} the form of a call.
  std::string_view tool_prompt = common_tool_prompt;
};

/// All dialects of this build.
std::span<const Dialect* const> all_dialects();

/// The dialect of that name, or null.
const Dialect* find_dialect(std::string_view name);

/// The one that fits best; the generic one for lack of better.
const Dialect& choose_dialect(const ModelHints& hints);

/// Whether a prompt ends inside reasoning, so that the reply goes on with it (ReplyOptions::starts_in_reasoning).
bool ends_in_reasoning(const Dialect& dialect, std::string_view prompt);

/// A text that starts a call: where a constraint that waits for one begins, at the text's first byte.
struct Trigger {
  std::string_view text;
  bool at_start = false;        ///< only as the answer's first text
  bool starts_grammar = false;  ///< the calls of tool_grammar(required) start with this text; others have other forms
};
std::vector<Trigger> triggers(const Dialect& dialect);

enum class ToolChoice { none, automatic, required, named };
enum class Thinking {
  off,       ///< the reply is answer and calls
  optional,  ///< it may begin with reasoning
  open,      ///< it begins inside reasoning, which the prompt opened
};

struct GrammarRequest {
  ToolChoice choice = ToolChoice::automatic;
  std::string name;      ///< with named
  bool parallel = true;  ///< more than one call
  Thinking thinking = Thinking::off;
  std::string answer;  ///< an expression that an answer without calls must match; empty: any text
};

/// A grammar of the reply in GBNF, root rule "root", with `%json{schema}` (a JSON value of that schema) and
/// `%until("text")` (any text to the first "text", which is part of it); empty where nothing is to constrain: without
/// tools, or choice none, and without a form of the answer. automatic: text in which every call has its tool's schema.
/// required, named: calls, after the reasoning if there may be any. Errors: not_found (named, and no such tool),
/// unsupported (CallForm::call).
base::Result<std::string> tool_grammar(const Dialect& dialect, const Tools& tools, const GrammarRequest& request);

}  // namespace ingle::assistant
