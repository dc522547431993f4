#include "assistant/conversations/words.h"

#include <sqlite3.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/utf8.h"

namespace ingle::assistant {
namespace {

constexpr size_t kLongestWord = 64;  // bytes

struct Range {
  uint32_t first, last;
};
/// Of scripts that write no spaces between words, and of Korean, where endings are part of them.
constexpr auto kSpaceless = std::to_array<Range>({
    {0x0e00, 0x0eff},    // Thai, Lao
    {0x1000, 0x109f},    // Myanmar
    {0x1780, 0x17ff},    // Khmer
    {0x2e80, 0x2fdf},    // CJK radicals
    {0x3005, 0x3007},    // iteration mark, ideographic zero
    {0x3021, 0x3029},    // Hangzhou numerals
    {0x3040, 0x30ff},    // Hiragana, Katakana
    {0x3100, 0x312f},    // Bopomofo
    {0x31a0, 0x31bf},    // Bopomofo, extended
    {0x31f0, 0x31ff},    // Katakana, extended
    {0x3400, 0x4dbf},    // CJK, extension A
    {0x4e00, 0x9fff},    // CJK
    {0xac00, 0xd7af},    // Hangul syllables
    {0xf900, 0xfaff},    // CJK, compatibility
    {0xff66, 0xff9f},    // Katakana of half width
    {0x20000, 0x3ffff},  // CJK, extension B and later
});

bool is_spaceless(uint32_t code) {
  const auto* const range = std::ranges::lower_bound(kSpaceless, code, {}, [](const Range& each) { return each.last; });
  return range != kSpaceless.end() && code >= range->first;
}

enum class Kind { other, word, mark };

Kind kind_of(uint32_t code) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_CO:
      return Kind::word;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return Kind::mark;
    default:
      return Kind::other;
  }
}

/// Without case, accents and differences of form.
std::string fold(std::string_view word) {
  if (std::ranges::all_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    std::string lower(word);
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
  }
  utf8proc_uint8_t* folded = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD |
                                                      UTF8PROC_STRIPMARK | UTF8PROC_IGNORE | UTF8PROC_STABLE);
  const utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(word.data()),
                                               static_cast<utf8proc_ssize_t>(word.size()), &folded, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(folded, &std::free);
  // Marks alone fold to nothing.
  if (length <= 0) return std::string(word);
  return {reinterpret_cast<const char*>(folded), static_cast<size_t>(length)};
}

/// One connection's tokenizer has no state.
int create(void*, const char**, int, Fts5Tokenizer** tokenizer) {
  static char any;
  *tokenizer = reinterpret_cast<Fts5Tokenizer*>(&any);
  return SQLITE_OK;
}

void destroy(Fts5Tokenizer*) {}

int tokenize(Fts5Tokenizer*, void* context, int, const char* text, int length,
             int (*token)(void*, int, const char*, int, int, int)) {
  int code = SQLITE_OK;
  each_word({text, static_cast<size_t>(std::max(length, 0))}, [&](std::string_view word, size_t begin, size_t end) {
    code =
        token(context, 0, word.data(), static_cast<int>(word.size()), static_cast<int>(begin), static_cast<int>(end));
    return code == SQLITE_OK;
  });
  return code;
}

fts5_api* fts5_of(sqlite3* database) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, "SELECT fts5(?1)", -1, &statement, nullptr) != SQLITE_OK) return nullptr;
  sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  sqlite3_step(statement);
  sqlite3_finalize(statement);
  return api;
}

/// A phrase of FTS5: any text but for quotes.
std::string phrase(std::string_view text, bool as_beginning) {
  bool any = false;
  each_word(text, [&](std::string_view, size_t, size_t) { return !(any = true); });
  if (!any) return {};
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? ' ' : c;
  return out + (as_beginning ? "\" *" : "\"");
}

}  // namespace

void each_word(std::string_view text,
               const std::function<bool(std::string_view word, size_t begin, size_t end)>& word) {
  size_t begin = 0, end = 0;  // of the word so far
  const auto flush = [&] {
    const bool go_on = begin == end || word(fold(text.substr(begin, end - begin)), begin, end);
    begin = end;
    return go_on;
  };
  for (size_t at = 0; at < text.size();) {
    const base::CodePoint code = base::decode_utf8(text.substr(at));
    const size_t next = at + std::max<size_t>(code.length, 1);
    const Kind kind = code.length == 0 ? Kind::other : kind_of(code.value);
    const bool alone = kind == Kind::word && is_spaceless(code.value);
    const bool goes_on = (kind == Kind::word && !alone) || (kind == Kind::mark && begin != end);
    if (!goes_on || next - begin > kLongestWord) {
      if (!flush()) return;
      begin = end = at;
    }
    if (goes_on || alone) end = next;
    // A mark may follow a character that stands alone; a letter may not.
    if (alone) {
      for (at = next; at < text.size();) {
        const base::CodePoint mark = base::decode_utf8(text.substr(at));
        if (mark.length == 0 || kind_of(mark.value) != Kind::mark || at + mark.length - begin > kLongestWord) break;
        at += mark.length;
        end = at;
      }
      if (!flush()) return;
      continue;
    }
    if (!goes_on) begin = end = next;
    at = next;
  }
  (void)flush();
}

base::Status add_word_tokenizer(sqlite3* database) {
  fts5_api* api = fts5_of(database);
  fts5_tokenizer tokenizer = {.xCreate = create, .xDelete = destroy, .xTokenize = tokenize};
  if (api == nullptr || api->xCreateTokenizer(api, "ingle_words", nullptr, &tokenizer, nullptr) != SQLITE_OK)
    return base::Error{base::ErrorCode::internal, "this SQLite has no full-text search (FTS5)"};
  return {};
}

std::string word_query(std::string_view typed) {
  std::string query;
  const auto add = [&](const std::string& expression) {
    if (!expression.empty()) query += (query.empty() ? "" : " AND ") + expression;
  };
  while (!typed.empty()) {
    if (typed.front() == '"') {
      const size_t close = typed.find('"', 1);
      add(phrase(typed.substr(1, close == std::string_view::npos ? close : close - 1),
                 close == std::string_view::npos));
      typed.remove_prefix(close == std::string_view::npos ? typed.size() : close + 1);
      continue;
    }
    const size_t end = std::min(typed.find_first_of(" \t\r\n\""), typed.size());
    add(phrase(typed.substr(0, end), true));
    typed.remove_prefix(end);
    typed.remove_prefix(std::min(typed.find_first_not_of(" \t\r\n"), typed.size()));
  }
  return query;
}

}  // namespace ingle::assistant
