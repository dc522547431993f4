// GPT-4o (OpenAI's o200k words): words cut by case with their contraction, numbers in threes.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {
constexpr std::string_view kAliases[] = {"llama4", "kanana2"};
constexpr const SplitRule* kSplits[] = {&kGpt4oWords};
}  // namespace

extern const PreTokenizer rules_gpt4o_record;
const PreTokenizer rules_gpt4o_record = {.name = "gpt-4o", .aliases = kAliases, .splits = kSplits};

}  // namespace ingle::core
