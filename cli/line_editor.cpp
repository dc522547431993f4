// Line editing with libedit's own interface (histedit.h).
//
// Terminals mark pasted text with ESC [200~ … ESC [201~ where asked to (bracketed paste). libedit does not know these,
// so they are bound to an editing function that takes the text in as it is, newlines included.
#include "cli/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstring>
#include <cwchar>
#include <fstream>
#include <iostream>

#include "cli/interrupt.h"

namespace ingle::cli {
namespace {

constexpr int history_length = 1000;
constexpr std::wstring_view paste_end = L"\033[201~";
constexpr size_t max_paste = size_t{1} << 20;  // characters

/// libedit understands UTF-8 only in a UTF-8 locale, and bare machines often have none set.
void ensure_utf8_locale() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

struct LineEditor::State {
  EditLine* editor = nullptr;
  History* history = nullptr;
  std::filesystem::path history_file;
  std::vector<std::string> completions;
  std::string prompt;

  static State* of(EditLine* editor) {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return static_cast<State*>(data);
  }
  static char* prompt_text(EditLine* editor) { return of(editor)->prompt.data(); }

  /// What libedit reads with. Its own function blocks in read(): a Ctrl-C between the prompt and that call went unseen.
  static int read_character(EditLine*, wchar_t* character) {
    std::mbstate_t decoder{};
    while (true) {
      pollfd waiting[] = {{STDIN_FILENO, POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
      const int ready = poll(waiting, 2, -1);
      if (interrupted()) {
        errno = EINTR;
        return -1;
      }
      if (ready < 0 && errno != EINTR) return -1;
      if (ready <= 0 || waiting[0].revents == 0) continue;
      char byte = 0;
      const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got <= 0) return static_cast<int>(got);
      const size_t length = std::mbrtowc(character, &byte, 1, &decoder);
      if (length == static_cast<size_t>(-1)) decoder = {};  // not UTF-8: dropped
      if (length == 0) *character = L'\0';
      if (length <= 1) return 1;
    }
  }

  static unsigned char paste(EditLine* editor, int) {
    // The narrow el_getc fails on everything that is not ASCII.
    std::wstring text;
    wchar_t c = 0;
    while (text.size() < max_paste && el_wgetc(editor, &c) == 1) {
      text += c == L'\r' ? L'\n' : c;
      if (text.ends_with(paste_end)) break;
    }
    if (text.ends_with(paste_end)) text.resize(text.size() - paste_end.size());
    if (text.ends_with(L'\n')) text.pop_back();
    return el_winsertstr(editor, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }

  /// Completes a slash command at the start of the line, where only one fits.
  static unsigned char complete(EditLine* editor, int) {
    const LineInfo* line = el_line(editor);
    const std::string typed(line->buffer, static_cast<size_t>(line->cursor - line->buffer));
    const std::string* match = nullptr;
    for (const std::string& word : of(editor)->completions) {
      if (typed.empty() || !word.starts_with(typed)) continue;
      if (match != nullptr) return CC_REFRESH_BEEP;
      match = &word;
    }
    if (match == nullptr) return CC_REFRESH_BEEP;
    return el_insertstr(editor, match->substr(typed.size()).c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }
};

LineEditor::LineEditor(std::filesystem::path history_file, std::vector<std::string> completions) {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) return;
  ensure_utf8_locale();
  state_ = std::make_unique<State>();
  State& state = *state_;
  state.history_file = std::move(history_file);
  state.completions = std::move(completions);
  state.editor = el_init("ingle", stdin, stdout, stderr);
  if (state.editor == nullptr) {
    state_.reset();
    return;
  }
  el_set(state.editor, EL_CLIENTDATA, &state);
  el_set(state.editor, EL_PROMPT, &State::prompt_text);
  el_set(state.editor, EL_EDITOR, "emacs");
  el_set(state.editor, EL_SIGNAL, 0);
  el_set(state.editor, EL_GETCFN, &State::read_character);
  el_set(state.editor, EL_ADDFN, "ingle-paste", "take in pasted text", &State::paste);
  el_set(state.editor, EL_BIND, "\033[200~", "ingle-paste", nullptr);
  el_set(state.editor, EL_ADDFN, "ingle-complete", "complete a command", &State::complete);
  el_set(state.editor, EL_BIND, "\t", "ingle-complete", nullptr);
  el_set(state.editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(state.editor, nullptr);  // the person's ~/.editrc
  state.history = history_init();
  if (state.history == nullptr) return;
  HistEvent event{};
  history(state.history, &event, H_SETSIZE, history_length);
  history(state.history, &event, H_SETUNIQUE, 1);
  if (!state.history_file.empty()) history(state.history, &event, H_LOAD, state.history_file.c_str());
  el_set(state.editor, EL_HIST, history, state.history);
}

LineEditor::~LineEditor() {
  if (state_ == nullptr) return;
  if (state_->history != nullptr) history_end(state_->history);
  el_end(state_->editor);
}

LineEditor::Outcome LineEditor::read(std::string_view prompt, std::string& line) {
  line.clear();
  if (state_ == nullptr) {
    if (std::getline(std::cin, line)) return Outcome::line;
    return interrupted() ? Outcome::interrupted : Outcome::end;
  }
  state_->prompt = prompt;
  constexpr std::string_view paste_on = "\033[?2004h", paste_off = "\033[?2004l";
  (void)!::write(STDOUT_FILENO, paste_on.data(), paste_on.size());
  // el_gets shows the prompt first and leaves the line discipline after it: a Ctrl-D typed in between was lost.
  el_set(state_->editor, EL_PREP_TERM, 1);
  int count = 0;
  errno = 0;
  const char* text = el_gets(state_->editor, &count);
  (void)!::write(STDOUT_FILENO, paste_off.data(), paste_off.size());
  if (interrupted()) {
    el_reset(state_->editor);
    return Outcome::interrupted;
  }
  if (text == nullptr || count <= 0) return Outcome::end;
  line.assign(text, static_cast<size_t>(count));
  if (line.ends_with('\n')) line.pop_back();
  return Outcome::line;
}

void LineEditor::add_to_history(const std::string& line) {
  if (state_ == nullptr || state_->history == nullptr || line.empty()) return;
  HistEvent event{};
  history(state_->history, &event, H_ENTER, line.c_str());
  if (state_->history_file.empty()) return;
  std::error_code failure;
  std::filesystem::create_directories(state_->history_file.parent_path(), failure);
  // libedit makes the file readable by its owner only.
  history(state_->history, &event, H_SAVE, state_->history_file.c_str());
}

}  // namespace ingle::cli
