// DeepSeek LLM: a chain of six cuts. Digits are cut one by one, as its tokenizer.json says (llama.cpp keeps runs).
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

constexpr const SplitRule* kSplits[] = {&kNewlines,   &kDeepseekLetters, &kDeepseekMarks,
                                        &kFinalSpace, &kCjkAndMore,      &kDigitEach};
}  // namespace

extern const PreTokenizer rules_deepseek_llm_record;
const PreTokenizer rules_deepseek_llm_record = {.name = "deepseek-llm", .aliases = {}, .splits = kSplits};

}  // namespace ingle::core
