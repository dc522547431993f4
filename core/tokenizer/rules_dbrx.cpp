// DBRX (OpenAI's cl100k words): Llama 3's cuts with ordinary merging.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {
constexpr std::string_view kAliases[] = {"smaug-bpe", "glm4", "chatglm-bpe"};
constexpr const SplitRule* kSplits[] = {&kLlama3Words};
}  // namespace

extern const PreTokenizer rules_dbrx_record;
const PreTokenizer rules_dbrx_record = {.name = "dbrx", .aliases = kAliases, .splits = kSplits};

}  // namespace ingle::core
