// GPT-2's words, and the models that use them as they are.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {
constexpr std::string_view kAliases[] = {"phi-2",      "olmo",       "jina-es",  "jina-de",
                                         "jina-v2-es", "jina-v2-de", "gigachat", "modern-bert"};
constexpr const SplitRule* kSplits[] = {&kGpt2Words};
}  // namespace

extern const PreTokenizer rules_gpt2_record;
const PreTokenizer rules_gpt2_record = {.name = "gpt-2", .aliases = kAliases, .splits = kSplits};

}  // namespace ingle::core
