// StableLM 2: Qwen 2's cuts without its NFC.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {
constexpr std::string_view kAliases[] = {"hunyuan"};
constexpr const SplitRule* kSplits[] = {&kQwen2Words};
}  // namespace

extern const PreTokenizer rules_stablelm2_record;
const PreTokenizer rules_stablelm2_record = {.name = "stablelm2", .aliases = kAliases, .splits = kSplits};

}  // namespace ingle::core
