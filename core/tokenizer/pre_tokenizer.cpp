#include "core/tokenizer/pre_tokenizer.h"

#include <algorithm>

#include "core/tokenizer/split_rules.h"

namespace ingle::core {

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
  for (const PreTokenizer* record : all_pre_tokenizers()) {
    if (record->name == name) return record;
    if (std::find(record->aliases.begin(), record->aliases.end(), name) != record->aliases.end()) return record;
  }
  return nullptr;
}

std::string pre_tokenizer_names() {
  std::vector<std::string_view> names;
  for (const PreTokenizer* record : all_pre_tokenizers()) {
    names.push_back(record->name);
    names.insert(names.end(), record->aliases.begin(), record->aliases.end());
  }
  std::sort(names.begin(), names.end());
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

const SplitRule* find_split_rule(std::string_view pattern) {
  static constexpr const SplitRule* kRules[] = {
      &kGpt2Words,   &kLlama3Words,      &kQwen2Words,      &kQwen35Words,   &kDeepseek3Words,
      &kTekkenWords, &kGpt4oWords,       &kNewlines,        &kNumber1,       &kNumbers,
      &kNumber1To3,  &kAsciiDigits3,     &kSpaceLetters,    &kCjkAndMore,    &kCjkAndKana,
      &kFinalSpace,  &kSpacePunctuation, &kDeepseekLetters, &kDeepseekMarks, &kDefaultPunctuation};
  const auto it = std::find_if(std::begin(kRules), std::end(kRules),
                               [&](const SplitRule* rule) { return rule->pattern == pattern; });
  return it == std::end(kRules) ? nullptr : *it;
}

void split_text(std::string_view text, std::span<const SplitRule* const> rules, std::vector<size_t>& ends,
                std::vector<size_t>& scratch) {
  ends.clear();
  if (text.empty()) return;
  ends.push_back(text.size());
  for (const SplitRule* rule : rules) {
    scratch.swap(ends);
    ends.clear();
    size_t begin = 0;
    for (const size_t end : scratch) {
      const std::string_view piece = text.substr(begin, end - begin);
      size_t done = 0;
      while (done < piece.size()) {
        const Match match = rule->find(piece, done);
        if (match.begin == match.end) break;
        if (match.begin > done) ends.push_back(begin + match.begin);
        ends.push_back(begin + match.end);
        done = match.end;
      }
      if (done < piece.size()) ends.push_back(end);
      begin = end;
    }
  }
}

}  // namespace ingle::core
