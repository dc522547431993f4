// Mistral's Tekken: words cut by case, single digits.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

constexpr const SplitRule* kSplits[] = {&kTekkenWords};
}  // namespace

extern const PreTokenizer rules_tekken_record;
const PreTokenizer rules_tekken_record = {
    .name = "tekken", .aliases = {}, .splits = kSplits, .ignore_merges = true, .add_bos = true};

}  // namespace ingle::core
