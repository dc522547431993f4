// What full-text search takes for a word (a tokenizer of SQLite's FTS5): a run of letters and digits, without case and
// accents; and each character of a script that writes no spaces between words, so that any stretch of Chinese, however
// short, is found as a phrase.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;

namespace ingle::assistant {

/// Calls `word` with each word, folded, and the bytes of `text` that it came from, [begin, end). What is not UTF-8
/// separates words. Words of over 64 bytes come in several parts. False from `word` ends it.
void each_word(std::string_view text, const std::function<bool(std::string_view word, size_t begin, size_t end)>& word);

/// Makes the tokenizer `ingle_words` known to a connection. Error: internal (SQLite has no FTS5).
base::Status add_word_tokenizer(sqlite3* database);

/// What a person typed as an expression of FTS5: all words have to be there, each at least as the beginning of one;
/// what stands in quotes, or without spaces, in this order. Empty: there is no word in it.
std::string word_query(std::string_view typed);

}  // namespace ingle::assistant
