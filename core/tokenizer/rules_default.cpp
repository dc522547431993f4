// What llama.cpp does where a file names no pre-tokenizer; there is no published model to follow.
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

constexpr const SplitRule* kSplits[] = {&kDefaultPunctuation, &kGpt2Words, &kNumbers, &kAsciiDigits3};
}  // namespace

extern const PreTokenizer rules_default_record;
const PreTokenizer rules_default_record = {.name = "default", .aliases = {}, .splits = kSplits};

}  // namespace ingle::core
