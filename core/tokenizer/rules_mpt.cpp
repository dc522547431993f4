// MPT (the GPT-NeoX tokenizer): GPT-2's words after NFC.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

constexpr const SplitRule* kSplits[] = {&kGpt2Words};
}  // namespace

extern const PreTokenizer rules_mpt_record;
const PreTokenizer rules_mpt_record = {.name = "mpt", .aliases = {}, .splits = kSplits, .nfc = true};

}  // namespace ingle::core
