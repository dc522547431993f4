// Reading what a person types in a chat: line editing, history and pasted text by libedit; plain lines without a
// terminal.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingle::cli {

class LineEditor {
 public:
  /// `history_file` is read now and written when a line is added; empty: no history. `completions` are offered by Tab.
  LineEditor(std::filesystem::path history_file, std::vector<std::string> completions);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class Outcome { line, end, interrupted };
  /// One line without its newline (with newlines inside, where text was pasted). `end`: Ctrl-D or the end of the pipe;
  /// `interrupted`: Ctrl-C.
  Outcome read(std::string_view prompt, std::string& line);

  void add_to_history(const std::string& line);
  bool interactive() const { return state_ != nullptr; }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ingle::cli
