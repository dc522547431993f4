// Qwen 3.5: as Qwen 2, with combining marks counted as parts of words.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

constexpr const SplitRule* kSplits[] = {&kQwen35Words};
}  // namespace

extern const PreTokenizer rules_qwen35_record;
const PreTokenizer rules_qwen35_record = {.name = "qwen35", .aliases = {}, .splits = kSplits, .nfc = true};

}  // namespace ingle::core
