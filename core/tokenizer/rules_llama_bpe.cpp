// Llama 3: numbers in threes, contractions in any case, whole words that are tokens taken as they are.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {
constexpr std::string_view kAliases[] = {"llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "lfm2"};
constexpr const SplitRule* kSplits[] = {&kLlama3Words};
}  // namespace

extern const PreTokenizer rules_llama_bpe_record;
const PreTokenizer rules_llama_bpe_record = {
    .name = "llama-bpe", .aliases = kAliases, .splits = kSplits, .ignore_merges = true, .add_bos = true};

}  // namespace ingle::core
