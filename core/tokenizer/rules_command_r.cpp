// Command R: NFC, every digit on its own, then GPT-2's words.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

constexpr const SplitRule* kSplits[] = {&kDigitEach, &kGpt2Words};
}  // namespace

extern const PreTokenizer rules_command_r_record;
const PreTokenizer rules_command_r_record = {.name = "command-r", .aliases = {}, .splits = kSplits, .nfc = true};

}  // namespace ingle::core
