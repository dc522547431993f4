// The regular expressions of published pre-tokenizers. `pattern` says what each matches.
#pragma once

#include "core/tokenizer/pre_tokenizer.h"

namespace ingle::core {

// Words: these match at every position, so nothing lies between two matches.
extern const SplitRule kGpt2Words;
extern const SplitRule kLlama3Words;
extern const SplitRule kQwen2Words;
extern const SplitRule kQwen35Words;
extern const SplitRule kDeepseek3Words;
extern const SplitRule kTekkenWords;
extern const SplitRule kGpt4oWords;

// Runs and single characters.
extern const SplitRule kNewlines;            // [\r\n]
extern const SplitRule kNumber1;             // \p{N}
extern const SplitRule kNumbers;             // \p{N}+
extern const SplitRule kNumber1To3;          // \p{N}{1,3}
extern const SplitRule kAsciiDigits3;        // [0-9][0-9][0-9]
extern const SplitRule kDigitEach;           // Digits, individual
extern const SplitRule kDigitRuns;           // Digits, contiguous
extern const SplitRule kByteDigitRuns;       // the same, on the characters that ByteLevel writes for bytes
extern const SplitRule kPunctuationRuns;     // Punctuation, contiguous
extern const SplitRule kSpaceLetters;        // \s?\p{L}+
extern const SplitRule kSpacePunctuation;    // \s?\p{P}+
extern const SplitRule kCjkAndMore;          // [一-龥ࠀ-一가-퟿]+
extern const SplitRule kCjkAndKana;          // [一-龥぀-ゟ゠-ヿ]+
extern const SplitRule kDeepseekLetters;     // \s? and a list of bicameral scripts
extern const SplitRule kDeepseekMarks;       // \s? and ASCII, full-width and CJK punctuation
extern const SplitRule kFinalSpace;          // \s+$
extern const SplitRule kDefaultPunctuation;  // [\p{P}\$\+<=>\^~\|]+

}  // namespace ingle::core
