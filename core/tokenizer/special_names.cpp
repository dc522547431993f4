#include "core/tokenizer/special_names.h"

#include <algorithm>
#include <array>

namespace ingle::core {
namespace {

constexpr std::string_view kEnds[] = {
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<eos>",
    "<EOT>",
    "_<EOT>",
    "<|EOT|>",
    "<|eot|>",
    "<|eom|>",
    "<end_of_utterance>",
    "<|END_OF_TURN_TOKEN|>",
    "<|END_RESPONSE|>",
    "<turn|>",
    "[EOS]",
    "[EOT]",
    "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
    // Where a fill-in-the-middle model goes on with another file.
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
};

// HTML too, and in some vocabularies just that: an end only where it is a control token.
constexpr std::string_view kSequenceEnd = "</s>";

constexpr std::string_view kStarts[] = {
    "<|im_start|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<start_of_turn>",
    "<|begin_of_text|>",
    "<|system|>",
    "<|assistant|>",
    "<|start|>",
    "<|message|>",
    "<|channel|>",
    "[INST]",
    "[/INST]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "<|START_OF_TURN_TOKEN|>",
    "<bos>",
    "<|turn>",
    "<\uFF5CUser\uFF5C>",
    "<\uFF5CAssistant\uFF5C>",
    "<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>",
};

bool is_special_kind(TokenKind kind) {
  return kind == TokenKind::control || kind == TokenKind::user_defined;
}

template <size_t N>
std::optional<TokenId> first_special(const Vocabulary& vocabulary, const std::string_view (&names)[N]) {
  for (const std::string_view name : names) {
    const TokenId id = vocabulary.find(name);
    if (id != kNoToken && is_special_kind(vocabulary.kind(id))) return id;
  }
  return std::nullopt;
}

}  // namespace

std::vector<TokenId> find_stop_ids(const Vocabulary& vocabulary, const Tokenizer::SpecialIds& special,
                                   const std::vector<TokenId>& extra) {
  std::vector<TokenId> out = extra;
  for (const auto& id : {special.eos, special.eot, special.eom}) {
    if (id) out.push_back(*id);
  }
  for (const std::string_view name : kEnds) {
    const TokenId id = vocabulary.find(name);
    if (id != kNoToken && is_special_kind(vocabulary.kind(id))) out.push_back(id);
  }
  const TokenId id = vocabulary.find(kSequenceEnd);
  if (id != kNoToken && vocabulary.kind(id) == TokenKind::control) out.push_back(id);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void find_fim_ids(const Vocabulary& vocabulary, Tokenizer::SpecialIds& special) {
  static constexpr std::string_view kPrefix[] = {"<|fim_prefix|>",  "<fim_prefix>", "<fim-prefix>",
                                                 "<PRE>",           "\u2581<PRE>",  "<\uFF5Cfim\u2581begin\uFF5C>",
                                                 "<|code_prefix|>", "[PREFIX]"};
  static constexpr std::string_view kSuffix[] = {"<|fim_suffix|>",  "<fim_suffix>", "<fim-suffix>",
                                                 "<SUF>",           "\u2581<SUF>",  "<\uFF5Cfim\u2581hole\uFF5C>",
                                                 "<|code_suffix|>", "[SUFFIX]"};
  static constexpr std::string_view kMiddle[] = {"<|fim_middle|>",  "<fim_middle>", "<fim-middle>",
                                                 "<MID>",           "\u2581<MID>",  "<\uFF5Cfim\u2581end\uFF5C>",
                                                 "<|code_middle|>", "[MIDDLE]"};
  if (!special.fim_prefix) special.fim_prefix = first_special(vocabulary, kPrefix);
  if (!special.fim_suffix) special.fim_suffix = first_special(vocabulary, kSuffix);
  if (!special.fim_middle) special.fim_middle = first_special(vocabulary, kMiddle);
}

void hide_markers(Vocabulary& vocabulary, const Tokenizer::SpecialIds& special, std::vector<AddedToken>& added) {
  const auto hide = [&](TokenId id) {
    if (id == kNoToken || vocabulary.kind(id) != TokenKind::user_defined) return;
    vocabulary.set_kind(id, TokenKind::control);
    for (AddedToken& token : added) {
      if (token.id == id) token.special = true;
    }
  };
  for (const std::string_view name : kEnds) hide(vocabulary.find(name));
  for (const std::string_view name : kStarts) hide(vocabulary.find(name));
  for (const auto& id : {special.fim_prefix, special.fim_suffix, special.fim_middle}) hide(id.value_or(kNoToken));
}

}  // namespace ingle::core
