// SmolLM, StarCoder, Refact: every digit on its own, then GPT-2's words.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {
constexpr std::string_view kAliases[] = {"starcoder", "refact", "codeshell"};
constexpr const SplitRule* kSplits[] = {&kDigitEach, &kGpt2Words};
}  // namespace

extern const PreTokenizer rules_digits_record;
const PreTokenizer rules_digits_record = {.name = "smollm", .aliases = kAliases, .splits = kSplits};

}  // namespace ingle::core
