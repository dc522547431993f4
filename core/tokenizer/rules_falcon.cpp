// Falcon: punctuation, GPT-2's words, then digits in the byte alphabet (inside some characters too), in threes.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

constexpr const SplitRule* kSplits[] = {&kPunctuationRuns, &kGpt2Words, &kByteDigitRuns, &kAsciiDigits3};
}  // namespace

extern const PreTokenizer rules_falcon_record;
const PreTokenizer rules_falcon_record = {.name = "falcon", .aliases = {}, .splits = kSplits};

}  // namespace ingle::core
