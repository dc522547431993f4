#include "assistant/dialects/bare_calls.h"

#include "assistant/dialects/json_calls.h"
#include "assistant/dialects/python_calls.h"

namespace ingle::assistant {

Take BareCallReader::take(char c, CallSink& sink) {
  if (chosen_) return chosen_->take(c, sink);
  if (is_space(c)) return Take::more;
  if (c == '[' && !bracket_) {
    bracket_ = true;
    return Take::more;
  }
  if (c == '{' || (c == ']' && bracket_)) {
    chosen_ = std::make_unique<JsonCallReader>(tools(), bare_);
  } else if (python_) {
    chosen_ = std::make_unique<PythonCallReader>(tools());
  } else {
    return Take::fail;
  }
  if (bracket_) (void)chosen_->take('[', sink);
  return chosen_->take(c, sink);
}

std::unique_ptr<CallReader> marked_json(const Tools& tools) {
  return std::make_unique<JsonCallReader>(tools, false);
}

std::unique_ptr<CallReader> bare_json(const Tools& tools) {
  return std::make_unique<JsonCallReader>(tools, true);
}

std::unique_ptr<CallReader> marked_json_or_python(const Tools& tools) {
  return std::make_unique<BareCallReader>(tools, false, true);
}

std::unique_ptr<CallReader> bare_json_or_python(const Tools& tools) {
  return std::make_unique<BareCallReader>(tools, true, true);
}

std::unique_ptr<CallReader> python(const Tools& tools) {
  return std::make_unique<PythonCallReader>(tools);
}

}  // namespace ingle::assistant
