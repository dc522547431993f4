// Calls written as Python: `name(key="value", n=3)`, or a list of such calls.
#pragma once

#include <set>
#include <string>

#include "assistant/dialects/call_reader.h"
#include "assistant/dialects/grammar.h"
#include "assistant/dialects/literals.h"
#include "base/result.h"

namespace ingle::assistant {

/// Reads one call, or a list `[f(…), g(…)]` of them. Also taken: `print(f(…))`, as documentation shows; the end ".call"
/// of Llama's built-in tools; a module's name before the tool's; arguments by position, which get the names of the
/// schema's properties in its order.
class PythonCallReader : public CallReader {
 public:
  explicit PythonCallReader(const Tools& tools) : CallReader(tools) {}

  Take take(char c, CallSink& sink) override;

 private:
  enum class State { start, name, before_paren, argument, word, after_word, value, after_argument, after_call };

  Take open_call(CallSink& sink);
  Take take_word(char c, CallSink& sink);
  Take take_value(char c, CallSink& sink);
  Take take_after_argument(char c, CallSink& sink);
  Take take_after_call(char c);
  Take end_call(CallSink& sink);
  bool start_argument(std::string key, CallSink& sink);
  bool start_positional(CallSink& sink);

  State state_ = State::start;
  bool list_ = false;
  size_t wrappers_ = 0;  ///< print( that are open
  std::string name_, word_;
  const Tool* tool_ = nullptr;
  std::set<std::string> keys_;
  size_t positional_ = 0;
  LiteralReader literal_{python_notation};
};

/// For CallForm::call: NAME(key=value, …), the parameters in the schema's order.
base::Result<std::string> python_call(GrammarWriter& writer, const Tool& tool);

}  // namespace ingle::assistant
