// DeepSeek Coder: newlines, words, punctuation, CJK, and digits one by one.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

constexpr const SplitRule* kSplits[] = {&kNewlines, &kSpaceLetters, &kSpacePunctuation, &kCjkAndMore, &kDigitEach};
}  // namespace

extern const PreTokenizer rules_deepseek_coder_record;
const PreTokenizer rules_deepseek_coder_record = {.name = "deepseek-coder", .aliases = {}, .splits = kSplits};

}  // namespace ingle::core
