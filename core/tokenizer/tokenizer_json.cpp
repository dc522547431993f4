// A tokenizer from Hugging Face's tokenizer.json and tokenizer_config.json. Its parts (normaliser, pre-tokenizer,
// model, post-processor, decoder) are recognised by what they do; one that we would not follow exactly is refused by
// name. Source: the serialisation of the `tokenizers` library.
#include <algorithm>

#include "core/tokenizer/definition.h"
#include "core/tokenizer/hf_json.h"
#include "core/tokenizer/split_rules.h"
#include "core/tokenizer/text_tokenizer.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
using nlohmann::json;

Error corrupt(std::string message) {
  return {ErrorCode::corrupt, "tokenizer.json: " + std::move(message)};
}
Error unsupported(std::string message) {
  return {ErrorCode::unsupported, "tokenizer.json: " + std::move(message)};
}

const json kNull;

const json& member(const json& object, const char* name) {
  if (!object.is_object()) return kNull;
  const auto it = object.find(name);
  return it == object.end() ? kNull : *it;
}
std::string text_member(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}
bool flag(const json& object, const char* name, bool otherwise) {
  const json& value = member(object, name);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}
bool is_absent(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

/// The steps of a part: the members of a Sequence, or the one step that it is.
std::vector<const json*> steps(const json& part, const char* list) {
  std::vector<const json*> out;
  if (part.is_null()) return out;
  if (text_member(part, "type") != "Sequence") return {&part};
  for (const json& step : member(part, list)) {
    for (const json* inner : steps(step, list)) out.push_back(inner);
  }
  return out;
}

/// Reads the file part by part into a definition; the vocabulary it points to stays with this object.
class Loader {
 public:
  Loader(HfTokenizerJson& file, const json& config) : file_(file), config_(config) {}

  base::Result<std::unique_ptr<Tokenizer>> load(std::span<const int64_t> ends) {
    INGLE_CHECK(read_normalizer());
    INGLE_CHECK(read_pre_tokenizer());
    INGLE_CHECK(read_model());
    INGLE_CHECK(read_vocabulary());
    INGLE_CHECK(read_decoder());
    INGLE_CHECK(read_special(ends));
    definition_.tokens = tokens_;
    definition_.merges = file_.merges;
    definition_.merge_pairs = file_.merge_pairs;
    return build_tokenizer(std::move(definition_));
  }

 private:
  Status read_normalizer();
  void read_bert_normalizer(const json& step);
  Status read_pre_tokenizer();
  Status read_split(const json& step);
  Status read_byte_level(const json& step);
  Status read_metaspace(const json& step);
  Status read_digits(const json& step);
  Status read_model();
  Status read_vocabulary();
  Status read_added(const json& token);
  Status place_token(const std::string& text, uint64_t id);
  Status read_decoder();
  Status read_special(std::span<const int64_t> ends);
  Status read_post_processor();
  Status read_template(const json& processor);
  std::optional<TokenId> find_token(const std::string& text) const;
  std::optional<TokenId> config_token(const char* name) const;

  HfTokenizerJson& file_;
  const json& config_;
  TokenizerDefinition definition_;
  std::vector<std::string> tokens_;
  std::string unknown_;
  bool byte_level_ = false;
  bool byte_fallback_ = false;
};

Status Loader::read_normalizer() {
  for (const json* step : steps(member(file_.root, "normalizer"), "normalizers")) {
    const std::string type = text_member(*step, "type");
    if (type == "NFC") {
      definition_.nfc = true;
    } else if (type == "Prepend" && text_member(*step, "prepend") == kSpaceMark) {
      definition_.space_prefix = SpacePrefix::each_part_always;
    } else if (type == "Replace" && text_member(member(*step, "pattern"), "String") == " " &&
               text_member(*step, "content") == kSpaceMark) {
      definition_.escape_spaces = true;
    } else if (type == "BertNormalizer") {
      read_bert_normalizer(*step);
    } else {
      return unsupported(
          "normaliser " + step->dump(-1, ' ', true).substr(0, 200) +
          " is not supported; supported are NFC, BertNormalizer, and SentencePiece's Prepend and Replace");
    }
  }
  return {};
}

void Loader::read_bert_normalizer(const json& step) {
  auto& words = definition_.word_pieces;
  words.clean = flag(step, "clean_text", true);
  words.chinese = flag(step, "handle_chinese_chars", true);
  words.lower = flag(step, "lowercase", true);
  words.strip_accents = flag(step, "strip_accents", words.lower);
}

Status Loader::read_split(const json& step) {
  const json& pattern = member(step, "pattern");
  const std::string behavior = text_member(step, "behavior");
  const bool invert = flag(step, "invert", false);
  if (text_member(pattern, "String") == " " && behavior == "MergedWithPrevious" && definition_.escape_spaces) return {};
  const std::string regex = text_member(pattern, "Regex");
  const SplitRule* rule = find_split_rule(regex);
  if (rule == nullptr) {
    return unsupported("pre-tokenizer with the pattern " + pattern.dump(-1, ' ', true) + " is not supported");
  }
  // Where the expression matches everything, keeping only the matches is the same as cutting around them.
  static constexpr const SplitRule* kMatchAll[] = {&kGpt2Words,   &kLlama3Words, &kQwen2Words,
                                                   &kQwen35Words, &kTekkenWords, &kGpt4oWords};
  const bool covers = std::find(std::begin(kMatchAll), std::end(kMatchAll), rule) != std::end(kMatchAll);
  if (!(behavior == "Isolated" && !invert) && !(behavior == "Removed" && invert && covers)) {
    return unsupported("pre-tokenizer Split with behavior " + behavior + " is not supported");
  }
  if (byte_level_ && rule != &kAsciiDigits3) return unsupported("a Split after ByteLevel is not supported");
  definition_.splits.push_back(rule);
  return {};
}

Status Loader::read_byte_level(const json& step) {
  if (byte_level_) return unsupported("two ByteLevel pre-tokenizers are not supported");
  if (flag(step, "add_prefix_space", true)) {
    if (!definition_.splits.empty())
      return unsupported("ByteLevel with a prefix space after other steps is not supported");
    definition_.space_prefix = SpacePrefix::each_part;
  }
  byte_level_ = true;
  if (flag(step, "use_regex", true)) definition_.splits.push_back(&kGpt2Words);
  return {};
}

Status Loader::read_metaspace(const json& step) {
  const std::string replacement = text_member(step, "replacement");
  if (replacement != kSpaceMark) return unsupported("Metaspace with another replacement than U+2581 is not supported");
  const std::string scheme = text_member(step, "prepend_scheme");
  const bool always = scheme.empty() ? flag(step, "add_prefix_space", true) : scheme == "always";
  definition_.space_prefix = always              ? SpacePrefix::each_part
                             : scheme == "first" ? SpacePrefix::first
                                                 : SpacePrefix::never;
  definition_.escape_spaces = true;
  definition_.split_at_spaces = flag(step, "split", true);
  return {};
}

Status Loader::read_digits(const json& step) {
  const bool each = flag(step, "individual_digits", false);
  if (byte_level_ && each) return unsupported("single Digits after ByteLevel are not supported");
  definition_.splits.push_back(byte_level_ ? &kByteDigitRuns : each ? &kDigitEach : &kDigitRuns);
  return {};
}

Status Loader::read_pre_tokenizer() {
  for (const json* step : steps(member(file_.root, "pre_tokenizer"), "pretokenizers")) {
    const std::string type = text_member(*step, "type");
    if (type == "Split") {
      INGLE_CHECK(read_split(*step));
    } else if (type == "ByteLevel") {
      INGLE_CHECK(read_byte_level(*step));
    } else if (type == "Digits") {
      INGLE_CHECK(read_digits(*step));
    } else if (type == "Metaspace") {
      INGLE_CHECK(read_metaspace(*step));
    } else if (type == "Punctuation" && text_member(*step, "behavior") == "Contiguous" && !byte_level_) {
      definition_.splits.push_back(&kPunctuationRuns);
    } else if (type != "BertPreTokenizer") {
      return unsupported("pre-tokenizer " + step->dump(-1, ' ', true).substr(0, 300) +
                         " is not supported; supported are ByteLevel, BertPreTokenizer, Metaspace, Digits, contiguous "
                         "Punctuation, and Split by a known pattern");
    }
  }
  return {};
}

Status Loader::read_model() {
  const json& model = member(file_.root, "model");
  if (!model.is_object()) return corrupt("no model");
  std::string type = text_member(model, "type");
  if (type.empty() && !(file_.merges.empty() && file_.merge_pairs.empty())) type = "BPE";
  unknown_ = text_member(model, "unk_token");
  if (type == "WordPiece") {
    definition_.model = TokenizerModel::word_pieces;
    if (text_member(member(file_.root, "pre_tokenizer"), "type") != "BertPreTokenizer" ||
        text_member(member(file_.root, "normalizer"), "type") != "BertNormalizer") {
      return unsupported("WordPiece without BERT's own normaliser and pre-tokenizer is not supported");
    }
    const json& continuing = member(model, "continuing_subword_prefix");
    if (continuing.is_string()) definition_.word_pieces.continuing = continuing.get<std::string>();
    const json& longest = member(model, "max_input_chars_per_word");
    if (longest.is_number_unsigned()) definition_.word_pieces.longest_word = longest.get<size_t>();
    return {};
  }
  if (type != "BPE") {
    return unsupported("model \"" + type.substr(0, 60) + "\" is not supported; supported are BPE and WordPiece");
  }
  if (!is_absent(model, "continuing_subword_prefix") || !is_absent(model, "end_of_word_suffix")) {
    return unsupported("BPE with a subword prefix or a word suffix is not supported");
  }
  definition_.model = byte_level_ ? TokenizerModel::byte_merges : TokenizerModel::char_merges;
  if (!byte_level_ && !definition_.splits.empty()) {
    return unsupported("a pre-tokenizer that cuts words without ByteLevel is not supported");
  }
  byte_fallback_ = flag(model, "byte_fallback", false);
  definition_.fuse_unknown = flag(model, "fuse_unk", false);
  definition_.ignore_merges = flag(model, "ignore_merges", false);
  return {};
}

Status Loader::place_token(const std::string& text, uint64_t id) {
  // Ids may have gaps, but a gap must not cost more memory than the file itself.
  const size_t known = file_.vocabulary.size() + member(file_.root, "added_tokens").size();
  if (id >= 4 * known + 65536) return corrupt("token id " + std::to_string(id) + " is out of range");
  const auto index = static_cast<size_t>(id);
  if (index >= tokens_.size()) {
    tokens_.resize(index + 1);
    definition_.kinds.resize(index + 1, TokenKind::unused);
  }
  if (!tokens_[index].empty() && tokens_[index] != text) {
    return corrupt("token " + std::to_string(id) + " has two spellings");
  }
  tokens_[index] = text;
  definition_.kinds[index] = TokenKind::normal;
  return {};
}

Status Loader::read_added(const json& token) {
  const json& id = member(token, "id");
  const json& content = member(token, "content");
  if (!id.is_number_unsigned() || !content.is_string()) return corrupt("an added token has no id or no content");
  const auto& text = content.get_ref<const std::string&>();
  INGLE_CHECK(place_token(text, id.get<uint64_t>()));
  const auto index = static_cast<size_t>(id.get<uint64_t>());
  const bool special = flag(token, "special", false);
  definition_.kinds[index] = special ? TokenKind::control : TokenKind::user_defined;
  definition_.added.push_back({.id = static_cast<TokenId>(index),
                               .content = text,
                               .special = special,
                               .left_strip = flag(token, "lstrip", false),
                               .right_strip = flag(token, "rstrip", false),
                               .single_word = flag(token, "single_word", false),
                               .normalized = flag(token, "normalized", !special)});
  return {};
}

Status Loader::read_vocabulary() {
  for (const auto& [text, id] : file_.vocabulary) INGLE_CHECK(place_token(text, id));
  for (const json& token : member(file_.root, "added_tokens")) INGLE_CHECK(read_added(token));
  if (byte_fallback_) {
    for (size_t i = 0; i < tokens_.size(); i++) {
      if (tokens_[i].size() == 6 && tokens_[i].starts_with("<0x") && tokens_[i].back() == '>') {
        definition_.kinds[i] = TokenKind::byte;
      }
    }
  }
  if (!unknown_.empty()) {
    definition_.unknown = find_token(unknown_);
    if (!definition_.unknown) return corrupt("the unknown token is not in the vocabulary");
    definition_.kinds[static_cast<size_t>(*definition_.unknown)] = TokenKind::unknown;
  }
  return {};
}

Status Loader::read_decoder() {
  for (const json* step : steps(member(file_.root, "decoder"), "decoders")) {
    const std::string type = text_member(*step, "type");
    if (type == "Strip" && text_member(*step, "content") == " " && member(*step, "start") == 1) {
      definition_.strip_space = true;
    }
    if (type == "Metaspace") definition_.strip_space = definition_.space_prefix != SpacePrefix::never;
  }
  return {};
}

std::optional<TokenId> Loader::find_token(const std::string& text) const {
  const auto it = std::find(tokens_.begin(), tokens_.end(), text);
  if (it == tokens_.end()) return std::nullopt;
  return static_cast<TokenId>(it - tokens_.begin());
}

std::optional<TokenId> Loader::config_token(const char* name) const {
  const json& value = member(config_, name);
  const std::string text = value.is_string() ? value.get<std::string>() : text_member(value, "content");
  return text.empty() ? std::nullopt : find_token(text);
}

Status Loader::read_template(const json& processor) {
  bool before = true;
  for (const json& item : member(processor, "single")) {
    if (item.contains("Sequence")) {
      before = false;
      continue;
    }
    const std::string name = text_member(member(item, "SpecialToken"), "id");
    const json& ids = member(member(member(processor, "special_tokens"), name.c_str()), "ids");
    for (const json& id : ids) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() >= tokens_.size()) {
        return corrupt("the post-processor names a token that does not exist");
      }
      (before ? definition_.prefix : definition_.suffix).push_back(static_cast<TokenId>(id.get<uint64_t>()));
    }
  }
  return {};
}

Status Loader::read_post_processor() {
  for (const json* step : steps(member(file_.root, "post_processor"), "processors")) {
    const std::string type = text_member(*step, "type");
    if (type == "TemplateProcessing") {
      INGLE_CHECK(read_template(*step));
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      for (const auto& [name, list] : {std::pair{"cls", &definition_.prefix}, std::pair{"sep", &definition_.suffix}}) {
        const json& token = member(*step, name);
        if (!token.is_array() || token.size() != 2 || !token[1].is_number_unsigned() ||
            token[1].get<uint64_t>() >= tokens_.size()) {
          return corrupt("the post-processor names a token that does not exist");
        }
        list->push_back(static_cast<TokenId>(token[1].get<uint64_t>()));
      }
    } else if (type != "ByteLevel") {
      return unsupported("post-processor " + type.substr(0, 60) + " is not supported");
    }
  }
  return {};
}

Status Loader::read_special(std::span<const int64_t> ends) {
  INGLE_CHECK(read_post_processor());
  Tokenizer::SpecialIds& special = definition_.special;
  special.bos = config_token("bos_token");
  special.eos = config_token("eos_token");
  special.unknown = definition_.unknown ? definition_.unknown : config_token("unk_token");
  special.separator = config_token("sep_token");
  special.padding = config_token("pad_token");
  special.mask = config_token("mask_token");
  special.cls = config_token("cls_token");
  const auto apply = [&](const char* name, std::optional<TokenId> id, std::vector<TokenId>& list) {
    const json& wanted = member(config_, name);
    if (!wanted.is_boolean() || !id) return;
    const auto at = std::find(list.begin(), list.end(), *id);
    if (wanted.get<bool>() && at == list.end()) list.push_back(*id);
    if (!wanted.get<bool>() && at != list.end()) list.erase(at);
  };
  apply("add_bos_token", special.bos, definition_.prefix);
  apply("add_eos_token", special.eos, definition_.suffix);
  if (!special.bos && definition_.prefix.size() == 1) special.bos = definition_.prefix[0];
  if (!special.eos && definition_.suffix.size() == 1) special.eos = definition_.suffix[0];
  special.add_bos = !definition_.prefix.empty();
  special.add_eos = !definition_.suffix.empty();
  for (const int64_t id : ends) {
    if (id < 0 || static_cast<uint64_t>(id) >= tokens_.size()) {
      return Error{ErrorCode::corrupt, "generation_config.json: end token " + std::to_string(id) + " does not exist"};
    }
    definition_.extra_stop.push_back(static_cast<TokenId>(id));
  }
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Tokenizer>> load_json_tokenizer(std::string_view tokenizer_json,
                                                             std::string_view config_json,
                                                             std::span<const int64_t> ends) {
  INGLE_TRY(HfTokenizerJson file, read_hf_json(tokenizer_json, "tokenizer.json"));
  json config;
  if (!config_json.empty()) {
    INGLE_TRY(HfTokenizerJson parsed, read_hf_json(config_json, "tokenizer_config.json"));
    config = std::move(parsed.root);
  }
  return Loader(file, config).load(ends);
}

}  // namespace ingle::core
