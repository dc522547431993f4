#include "assistant/dialects/dialect.h"

#include <algorithm>
#include <cctype>

#include "assistant/dialects/grammar.h"

namespace ingle::assistant {
namespace {

/// Space between reasoning and what follows it.
constexpr std::string_view gap = " ( \"\\n\" \"\\n\"? )? ";

std::string joined(std::string_view left, std::string_view right) {
  return std::string(left) + (left.empty() || right.empty() ? "" : " ") + std::string(right);
}

/// The opener whose marker the grammar's calls start with, or null where they start without one.
const Opener* form_opener(const Dialect& dialect) {
  const std::string start = std::string(dialect.form.first) + std::string(dialect.form.before);
  for (const Opener& opener : dialect.openers) {
    if (!opener.at_start && start.starts_with(opener.marker)) return &opener;
  }
  return nullptr;
}

/// Rules for the calls, without the first `skipped` bytes of the text before them.
base::Result<std::string> calls_rule(const CallForm& form, const Tools& tools, const GrammarRequest& request,
                                     size_t skipped, GrammarWriter& writer) {
  std::vector<std::string> alternatives;
  for (const Tool& tool : tools.all()) {
    if (request.choice == ToolChoice::named && tool.name != request.name) continue;
    INGLE_TRY(std::string call, form.call(writer, tool));
    alternatives.push_back(writer.add("call", call));
  }
  if (alternatives.empty()) return base::Error{base::ErrorCode::not_found, "no tool is named " + request.name};
  const std::string call = writer.add("any-call", any_of(alternatives));
  const std::string one = joined(joined(GrammarWriter::literal(form.before), call), GrammarWriter::literal(form.after));
  const std::string start = (std::string(form.first) + std::string(form.before)).substr(skipped);
  std::string body = joined(joined(GrammarWriter::literal(start), call), GrammarWriter::literal(form.after));
  if (request.parallel) body += " ( " + joined(GrammarWriter::literal(form.between), one) + " )*";
  return writer.add("calls", joined(body, GrammarWriter::literal(form.last)));
}

/// How calls that no marker starts begin: what an answer may not start with.
std::vector<std::string> bare_starts(const Dialect& dialect, const Tools& tools) {
  std::vector<std::string> starts;
  for (const Opener& opener : dialect.openers) {
    if (!opener.at_start) continue;
    const std::string before(opener.marker.substr(0, opener.marker.size() - opener.kept));
    const std::string_view kept = opener.marker.substr(opener.marker.size() - opener.kept);
    for (const std::string bracket : {"{", "[{"}) {
      if (!kept.empty() && !bracket.starts_with(kept)) continue;
      for (const char* key :
           {"\"arguments\"", "\"parameters\"", "\"function\"", "\"tool_calls\"", "\"type\":\"function\""}) {
        starts.push_back(before + bracket + key);
      }
      for (const Tool& tool : tools.all()) starts.push_back(before + bracket + "\"name\":\"" + tool.name + "\"");
    }
    if (kept != "[") continue;
    for (const Tool& tool : tools.all()) starts.push_back(before + "[" + tool.name + "(");
  }
  // A shorter one forbids all that it starts.
  std::ranges::sort(starts);
  std::vector<std::string> shortest;
  for (const std::string& start : starts) {
    if (shortest.empty() || !start.starts_with(shortest.back())) shortest.push_back(start);
  }
  return shortest;
}

base::Result<std::string> automatic_reply(const Dialect& dialect, const Tools& tools, const GrammarRequest& request,
                                          GrammarWriter& writer) {
  const Opener* opener = form_opener(dialect);
  std::vector<std::string_view> forbidden;
  for (const Opener& one : dialect.openers) {
    if (&one != opener && !one.at_start) forbidden.push_back(one.marker);
  }
  const std::vector<std::string> starts = bare_starts(dialect, tools);
  const std::vector<std::string_view> forbidden_start(starts.begin(), starts.end());
  INGLE_TRY(const std::string calls,
            calls_rule(dialect.form, tools, request, opener ? opener->marker.size() : 0, writer));
  if (opener) {
    const std::string text = writer.free_text({.forbidden = forbidden,
                                               .forbidden_start = forbidden_start,
                                               .marker = opener->marker,
                                               .then = calls,
                                               .repeat = request.parallel});
    if (!dialect.form.bare) return text;
    const CallForm unmarked{.between = "\n", .call = dialect.form.call};
    INGLE_TRY(const std::string bare, calls_rule(unmarked, tools, request, 0, writer));
    return "( " + bare + " | " + text + " )";
  }
  const std::string text =
      writer.free_text({.forbidden = forbidden, .forbidden_start = forbidden_start, .marker = {}, .then = {}});
  return "( " + calls + " | " + text + " )";
}

std::string with_reasoning(const Dialect& dialect, Thinking thinking, const std::string& body) {
  if (dialect.reasoning.empty() || thinking == Thinking::off) return body;
  const Reasoning& marks = dialect.reasoning.front();
  const std::string end = GrammarWriter::until(marks.close) + std::string(gap);
  if (thinking == Thinking::open) return end + body;
  return "( " + GrammarWriter::literal(marks.open) + " " + end + ")? " + body;
}

}  // namespace

bool ModelHints::name_has(std::string_view text) const {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return !std::ranges::search(name, text, same).empty();
}

const Dialect* find_dialect(std::string_view name) {
  const auto found = std::ranges::find_if(all_dialects(), [&](const Dialect* one) { return one->name == name; });
  return found == all_dialects().end() ? nullptr : *found;
}

const Dialect& choose_dialect(const ModelHints& hints) {
  return **std::ranges::max_element(all_dialects(), {}, [&](const Dialect* one) { return one->fits(hints); });
}

bool ends_in_reasoning(const Dialect& dialect, std::string_view prompt) {
  const size_t last = prompt.find_last_not_of(" \t\r\n");
  if (last == prompt.npos) return false;
  prompt = prompt.substr(0, last + 1);
  return std::ranges::any_of(dialect.reasoning, [&](const Reasoning& marks) { return prompt.ends_with(marks.open); });
}

std::vector<Trigger> triggers(const Dialect& dialect) {
  std::vector<Trigger> out;
  const Opener* form = form_opener(dialect);
  for (const Opener& opener : dialect.openers) {
    // Without a mark of its own, a call of the grammar is a JSON object.
    const bool starts = form ? &opener == form : opener.marker == "{";
    out.push_back({opener.marker, opener.at_start, starts});
  }
  return out;
}

base::Result<std::string> tool_grammar(const Dialect& dialect, const Tools& tools, const GrammarRequest& request) {
  const bool calls = !tools.empty() && request.choice != ToolChoice::none;
  if (!calls && request.answer.empty()) return std::string();
  GrammarWriter writer;
  std::string body;
  if (!calls) {
    body = request.answer;
  } else if (request.choice == ToolChoice::automatic && !request.answer.empty()) {
    INGLE_TRY(body, calls_rule(dialect.form, tools, request, 0, writer));
    body = any_of(std::vector<std::string>{request.answer, body});
  } else if (request.choice == ToolChoice::automatic) {
    INGLE_TRY(body, automatic_reply(dialect, tools, request, writer));
  } else {
    INGLE_TRY(body, calls_rule(dialect.form, tools, request, 0, writer));
  }
  writer.define("root", with_reasoning(dialect, request.thinking, body));
  return writer.text();
}

}  // namespace ingle::assistant
