// DeepSeek V3 and R1.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {
constexpr std::string_view kAliases[] = {"hunyuan-dense", "joyai-llm"};
constexpr const SplitRule* kSplits[] = {&kNumber1To3, &kCjkAndKana, &kDeepseek3Words};
}  // namespace

extern const PreTokenizer rules_deepseek_v3_record;
const PreTokenizer rules_deepseek_v3_record = {.name = "deepseek-v3", .aliases = kAliases, .splits = kSplits};

}  // namespace ingle::core
