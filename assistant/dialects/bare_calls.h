// Calls without a marker before them: the reply's first bytes tell what they are.
#pragma once

#include <memory>
#include <string>

#include "assistant/dialects/call_reader.h"

namespace ingle::assistant {

/// Reads JSON calls (JsonCallReader), or calls in Python (PythonCallReader) where `python` allows them, whichever the
/// first bytes start.
class BareCallReader : public CallReader {
 public:
  BareCallReader(const Tools& tools, bool bare, bool python) : CallReader(tools), bare_(bare), python_(python) {}

  Take take(char c, CallSink& sink) override;

 private:
  bool bare_, python_;
  bool bracket_ = false;
  std::unique_ptr<CallReader> chosen_;
};

/// For Opener::reader.
std::unique_ptr<CallReader> marked_json(const Tools& tools);            ///< JSON after a marker
std::unique_ptr<CallReader> bare_json(const Tools& tools);              ///< JSON without one
std::unique_ptr<CallReader> marked_json_or_python(const Tools& tools);  ///< either, after a marker
std::unique_ptr<CallReader> bare_json_or_python(const Tools& tools);    ///< either, without one
std::unique_ptr<CallReader> python(const Tools& tools);                 ///< Python after a marker

}  // namespace ingle::assistant
