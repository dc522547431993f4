// Calls as FunctionGemma and Gemma 4 write them: call:NAME{key:value,…}, with a text of their own around strings.
#pragma once

#include <string>
#include <string_view>

#include "assistant/dialects/call_reader.h"
#include "assistant/dialects/grammar.h"
#include "assistant/dialects/literals.h"

namespace ingle::assistant {

/// Reads one such call, after its marker. `fence` stands around strings: "<escape>" or "<|\"|>".
class GemmaCallReader : public CallReader {
 public:
  GemmaCallReader(const Tools& tools, std::string_view fence)
      : CallReader(tools), arguments_({.quotes = "\"", .fence = fence, .bare_keys = true}) {}

  Take take(char c, CallSink& sink) override;

 private:
  enum class State { prefix, name, arguments };

  State state_ = State::prefix;
  std::string seen_, name_;
  LiteralReader arguments_;
};

/// For CallForm::call: the expression of such a call, its parameters in alphabetical order, as the templates have them.
base::Result<std::string> gemma_call(GrammarWriter& writer, const Tool& tool, std::string_view fence);

}  // namespace ingle::assistant
