// Qwen 2, 2.5 and 3: NFC, single digits, contractions in any case.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {
constexpr std::string_view kAliases[] = {"deepseek-r1-qwen", "megrez"};
constexpr const SplitRule* kSplits[] = {&kQwen2Words};
}  // namespace

extern const PreTokenizer rules_qwen2_record;
const PreTokenizer rules_qwen2_record = {.name = "qwen2", .aliases = kAliases, .splits = kSplits, .nfc = true};

}  // namespace ingle::core
