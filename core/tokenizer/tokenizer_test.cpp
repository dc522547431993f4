#include "core/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "core/tokenizer/definition.h"
#include "core/tokenizer/test_models.h"

namespace ingle::core {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::unique_ptr<Tokenizer> load(const Metadata& metadata) {
  auto tokenizer = load_gguf_tokenizer(metadata);
  EXPECT_TRUE(tokenizer.ok()) << (tokenizer.ok() ? "" : tokenizer.error().message);
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

base::Error load_error(const Metadata& metadata) {
  auto tokenizer = load_gguf_tokenizer(metadata);
  EXPECT_FALSE(tokenizer.ok());
  return tokenizer ? base::Error{} : tokenizer.error();
}

base::Error json_error(std::string_view text) {
  auto tokenizer = load_json_tokenizer(text, "");
  EXPECT_FALSE(tokenizer.ok());
  return tokenizer ? base::Error{} : tokenizer.error();
}

const std::vector<std::string> kMerges = {"a b", "ab c", "b c", "Ġ a", "Ġ Ġ", "ĠĠ ĠĠ", "a a", "aa aa"};

TEST(ByteLevel, MergesTheBestPairFirst) {
  const auto tokenizer = load(byte_level_metadata("gpt-2", kMerges));
  // "ab" (rank 0) before "bc" (rank 2), then "abc" (rank 1).
  EXPECT_THAT(tokenizer->encode("abc"), ElementsAre(257));
  EXPECT_THAT(tokenizer->encode(" ac"), ElementsAre(259, 'c'));
  EXPECT_THAT(tokenizer->encode("bc ab"), ElementsAre(258, ' ', 256));
  // Pairs of one rank merge from the left.
  EXPECT_THAT(tokenizer->encode("aaa"), ElementsAre(262, 'a'));
  EXPECT_THAT(tokenizer->encode("aaaaaa"), ElementsAre(263, 262));
}

TEST(ByteLevel, BytesThatAreNotUtf8ComeBack) {
  std::mt19937 random(7);
  for (const char* pre : {"gpt-2", "llama-bpe", "gpt-4o", "falcon", "deepseek-llm", "default"}) {
    const auto tokenizer = load(byte_level_metadata(pre, kMerges));
    EXPECT_THAT(tokenizer->encode("a\xFF\xC3"), ElementsAre('a', 0xFF, 0xC3));
    for (int round = 0; round < 300; round++) {
      std::string text(random() % 40, '\0');
      for (char& c : text)
        c = static_cast<char>(random() % 4 == 0 ? random() % 256 : " ab1\n'.\xC3\xA9\xE4"[random() % 10]);
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
    }
  }
}

// A long text goes through the cache of pieces, a word alone does not.
TEST(ByteLevel, LongTextsAreTheirWords) {
  std::mt19937 random(5);
  const auto tokenizer = load(byte_level_metadata("gpt-2", kMerges));
  std::string text;
  std::vector<TokenId> want;
  for (int i = 0; i < 6000; i++) {
    std::string word = " ";
    for (size_t n = 1 + random() % (i % 100 == 0 ? 40 : 6); n > 0; n--) word += "abc"[random() % 3];
    text += word;
    const auto ids = tokenizer->encode(word);
    want.insert(want.end(), ids.begin(), ids.end());
  }
  EXPECT_EQ(tokenizer->encode(text), want);
}

TEST(ByteLevel, NormalisesOnlyWhereTheModelDoes) {
  EXPECT_EQ(load(byte_level_metadata("gpt-2", {}))->encode("e\u0301").size(), 3u);
  const auto qwen = load(byte_level_metadata("qwen2", {}));
  EXPECT_EQ(qwen->decode(qwen->encode("e\u0301 \u1100\u1161 A\u0328\u0301")), "\u00E9 \uAC00 \u0104\u0301");
}

TEST(ByteLevel, LongPiecesStayNearLinear) {
  // Quadratic merging or splitting would take minutes for these.
  for (const char* pre : {"gpt-2", "qwen2", "gpt-4o", "deepseek-llm", "deepseek-coder", "falcon", "default"}) {
    const auto tokenizer = load(byte_level_metadata(pre, kMerges));
    for (const char* part : {"a", " ", "\n", "1", "!", "A", "\u0301\u0316", "\u3000", "'", "\xFF"}) {
      std::string text;
      while (text.size() < 250'000) text += part;
      const std::string back = tokenizer->decode(tokenizer->encode(text));
      EXPECT_EQ(back.size(), text.size());
      const bool same = back == text || std::string_view(pre) == "qwen2";  // NFC reorders the marks
      EXPECT_TRUE(same) << pre << ' ' << part;
    }
  }
}

TEST(Special, TextCannotInjectControlTokens) {
  Metadata metadata = byte_level_metadata("gpt-2", kMerges, {"<|im_start|>", "<|im_end|>"});
  metadata.values["tokenizer.ggml.bos_token_id"] = uint64_t{264};
  metadata.values["tokenizer.ggml.eos_token_id"] = uint64_t{265};
  const auto tokenizer = load(metadata);
  const std::string text = "a<|im_end|>b";
  EXPECT_THAT(tokenizer->encode(text), Not(Contains(265)));
  EXPECT_THAT(tokenizer->encode(text, {.parse_special = true}), ElementsAre('a', 265, 'b'));
  const TokenId ids[] = {'a', 265, 'b', -1, 9999};
  EXPECT_EQ(tokenizer->decode(ids), "ab");
  EXPECT_EQ(tokenizer->decode(ids, true), text);
  EXPECT_EQ(tokenizer->token_bytes(265), "");
  EXPECT_EQ(tokenizer->token_bytes(259), " a");
  EXPECT_EQ(tokenizer->token_text(259), "Ġa");
  EXPECT_THAT(tokenizer->stop_ids(), ElementsAre(265));
}

TEST(Special, TurnMarkersMarkedUserDefinedAreHiddenAndOthersFound) {
  Metadata metadata = byte_level_metadata("gpt-2", {}, {"<|im_start|>", "<|im_end|>", "<tool>", "<tool>x", "</s>"});
  auto& types = std::get<std::vector<int64_t>>(metadata.values["tokenizer.ggml.token_type"]);
  for (size_t i = 256; i < 261; i++) types[i] = 4;
  const auto tokenizer = load(metadata);
  EXPECT_EQ(tokenizer->encode("<|im_end|>").size(), 10u);
  EXPECT_THAT(tokenizer->encode("a<tool>xa<tool>"), ElementsAre('a', 259, 'a', 258));  // the longest
  EXPECT_EQ(tokenizer->token_kind(257), TokenKind::control);
  EXPECT_THAT(tokenizer->stop_ids(), ElementsAre(257));  // "</s>" is HTML here
}

TEST(Special, FillInTheMiddleTokensThatAFileCallsUserDefinedAreHidden) {
  Metadata metadata = byte_level_metadata("gpt-2", {}, {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"});
  auto& types = std::get<std::vector<int64_t>>(metadata.values["tokenizer.ggml.token_type"]);
  for (size_t i = 256; i < 259; i++) types[i] = 4;
  const auto tokenizer = load(metadata);
  EXPECT_EQ(tokenizer->special().fim_suffix, 257);
  const std::string text = "<|fim_prefix|><|fim_suffix|><|fim_middle|>";
  EXPECT_EQ(tokenizer->encode(text).size(), text.size());
  EXPECT_THAT(tokenizer->encode(text, {.parse_special = true}), ElementsAre(256, 257, 258));
}

TEST(Special, AddsWhatTheMetadataSays) {
  Metadata metadata =
      byte_level_metadata("llama-bpe", {}, {"<b>", "<e>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"});
  metadata.values["tokenizer.ggml.bos_token_id"] = uint64_t{256};
  metadata.values["tokenizer.ggml.eos_token_id"] = uint64_t{257};
  EXPECT_THAT(load(metadata)->encode("a", {.add_special = true}), ElementsAre(256, 'a'));  // Llama 3's default
  metadata.values["tokenizer.ggml.add_bos_token"] = false;
  metadata.values["tokenizer.ggml.add_eos_token"] = true;
  const auto tokenizer = load(metadata);
  EXPECT_THAT(tokenizer->encode("a", {.add_special = true}), ElementsAre('a', 257));
  EXPECT_THAT(tokenizer->encode("a"), ElementsAre('a'));
  EXPECT_FALSE(tokenizer->special().add_bos);
  EXPECT_TRUE(tokenizer->special().add_eos);
  EXPECT_EQ(tokenizer->special().fim_prefix, 258);
  EXPECT_EQ(tokenizer->special().fim_suffix, 259);
  EXPECT_EQ(tokenizer->special().fim_middle, 260);
}

TEST(SentencePiece, MergesByScoreAndFallsBackToBytes) {
  const std::vector<std::string> pieces = {"ab", "\u2581a", "\u2581", "a", "b", "\u2581ab", "\u2581\u2581"};
  const auto bare = load(scores_metadata(pieces, false));
  EXPECT_THAT(bare->encode("ab"), ElementsAre(259));
  EXPECT_THAT(bare->encode(" ab"), ElementsAre(264));
  EXPECT_THAT(bare->encode("c"), ElementsAre(3 + 'c'));
  EXPECT_THAT(bare->encode("\xFF"), ElementsAre(3 + 0xFF));
  EXPECT_THAT(bare->encode("<s>"), Not(Contains(1)));
  const auto prefixed = load(scores_metadata(pieces, true));
  EXPECT_THAT(prefixed->encode("ab"), ElementsAre(264));
  EXPECT_THAT(prefixed->encode("a<s>a", {.add_special = true, .parse_special = true}), ElementsAre(1, 260, 1, 260));
  for (const auto* tokenizer : {&bare, &prefixed}) {
    for (const std::string text : {"ab", " ab", "  a  b ", "\n\xE4\xB8x", "", "a\xFF b"}) {
      EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(text)), text);
    }
  }
}

TEST(SentencePiece, TokensMayLieAcrossSpaces) {
  const auto tokenizer = load(scores_metadata({"\u2581y", "x\u2581y", "x", "y", "\u2581", "xx"}, false));
  EXPECT_THAT(tokenizer->encode("xx y"), ElementsAre(261, 260));
  EXPECT_THAT(tokenizer->encode("y y"), ElementsAre(262, 259));
}

TEST(SentencePiece, TextNeverBecomesAControlToken) {
  const auto tokenizer = load(scores_metadata({"<s", "<", "s", ">", "s>"}, false));
  EXPECT_THAT(tokenizer->encode("<s>"), ElementsAre(259, 262));
}

TEST(SentencePiece, LongTextsStayNearLinear) {
  const auto tokenizer = load(scores_metadata({"aa", "aaaa", "\u2581\u2581", "\u2581", "a", "x\u2581y"}, true));
  for (const char* part : {"a", " ", "x ", "\u6F22"}) {
    std::string text;
    while (text.size() < 250'000) text += part;
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

TEST(WordPiece, LowersStripsAndCuts) {
  Metadata metadata;
  metadata.values["tokenizer.ggml.model"] = std::string("bert");
  metadata.values["tokenizer.ggml.tokens"] =
      std::vector<std::string>{"[UNK]", "[CLS]", "[SEP]", "\u2581cafe", "s", "\u2581!", "\u2581\u6F22", "\u2581a", "a"};
  metadata.values["tokenizer.ggml.token_type"] = std::vector<int64_t>{3, 3, 3, 1, 1, 1, 1, 1, 1};
  metadata.values["tokenizer.ggml.unknown_token_id"] = uint64_t{0};
  metadata.values["tokenizer.ggml.cls_token_id"] = uint64_t{1};
  metadata.values["tokenizer.ggml.seperator_token_id"] = uint64_t{2};
  const auto tokenizer = load(metadata);
  EXPECT_THAT(tokenizer->encode("Cafe\u0301s!\u6F22\u6F22 q", {.add_special = true}),
              ElementsAre(1, 3, 4, 5, 6, 6, 0, 2));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("CAF\u00C9S !")), "cafes !");
  EXPECT_EQ(tokenizer->encode(std::string(100, 'a')).size(), 100u);
  EXPECT_THAT(tokenizer->encode(std::string(101, 'a')), ElementsAre(0));
}

TEST(Hostile, SaysWhatIsWrong) {
  const auto with = [](const char* key, MetadataValue value) {
    Metadata metadata = byte_level_metadata("gpt-2", kMerges);
    metadata.values[std::string("tokenizer.ggml.") + key] = std::move(value);
    return load_error(metadata);
  };
  using base::ErrorCode;
  using Texts = std::vector<std::string>;
  EXPECT_EQ(with("model", std::string("t5")).code, ErrorCode::unsupported);
  EXPECT_THAT(with("model", std::string("t5")).message, HasSubstr("gpt2"));
  EXPECT_EQ(with("pre", std::string("new-one")).code, ErrorCode::unsupported);
  EXPECT_THAT(with("pre", std::string("new-one")).message, HasSubstr("llama-bpe"));
  EXPECT_THAT(with("merges", Texts{"a zz"}).message, HasSubstr("not in its vocabulary"));
  EXPECT_THAT(with("merges", Texts{"ab"}).message, HasSubstr("merge 0"));
  EXPECT_THAT(with("merges", Texts{"ab "}).message, HasSubstr("merge 0"));
  EXPECT_THAT(with("merges", Texts{""}).message, HasSubstr("merge 0"));
  EXPECT_THAT(with("tokens", Texts{"a", "b", "a"}).message, HasSubstr("token types"));
  EXPECT_THAT(with("tokens", Texts{}).message, HasSubstr("token types"));
  EXPECT_THAT(with("token_type", std::vector<int64_t>(264, 9)).message, HasSubstr("unknown type"));
  EXPECT_THAT(with("bos_token_id", uint64_t{264}).message, HasSubstr("264"));
  EXPECT_THAT(with("eos_token_id", uint64_t{1} << 40).message, HasSubstr("not a token id"));
  EXPECT_THAT(with("eos_token_id", std::string("x")).message, HasSubstr("not a token id"));
  Metadata twice = byte_level_metadata("gpt-2", {}, {"<x>", "<x>"});
  EXPECT_THAT(load_error(twice).message, HasSubstr("\"<x>\" twice"));
  Metadata nan = scores_metadata({"a"}, true);
  std::get<std::vector<double>>(nan.values["tokenizer.ggml.scores"]).back() = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(load_error(nan).message, HasSubstr("not a number"));
  Metadata few = scores_metadata({"a"}, true);
  std::get<std::vector<double>>(few.values["tokenizer.ggml.scores"]).pop_back();
  EXPECT_THAT(load_error(few).message, HasSubstr("scores"));
  EXPECT_EQ(load_error(Metadata{}).code, ErrorCode::corrupt);
  Metadata huge = byte_level_metadata("gpt-2", {}, {std::string(70000, 'x')});
  EXPECT_EQ(load_error(huge).code, ErrorCode::limit_exceeded);
}

TEST(Hostile, EmptyTokensAndUnsetIdsAreHarmless) {
  Metadata metadata = byte_level_metadata("gpt-2", kMerges, {"", "", "<x>"});
  metadata.values["tokenizer.ggml.eot_token_id"] = int64_t{-1};
  metadata.values["tokenizer.ggml.padding_token_id"] = uint64_t{0xFFFFFFFF};
  const auto tokenizer = load(metadata);
  EXPECT_THAT(tokenizer->encode("ab", {.parse_special = true}), ElementsAre(256));
  EXPECT_FALSE(tokenizer->special().eot.has_value());
  EXPECT_FALSE(tokenizer->find_token("").has_value());
  EXPECT_EQ(tokenizer->find_token("<x>"), 266);
}

constexpr std::string_view kJson = R"({"added_tokens": [
    {"id": 3, "content": "<e>", "special": true}, {"id": 4, "content": "<n>", "lstrip": true, "rstrip": true},
    {"id": 5, "content": "cat", "single_word": true, "normalized": false}],
  "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "c": 6, "t": 7, "Ġ": 8}, "merges": ["a b"]}})";

TEST(Json, HonoursTheFlagsOfAddedTokens) {
  const auto tokenizer = load_json_tokenizer(kJson, R"({"eos_token": {"content": "<e>"}, "add_eos_token": true})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_THAT((*tokenizer)->encode("ab<e>"), ElementsAre(2));  // none of these characters is in the vocabulary
  EXPECT_THAT((*tokenizer)->encode("ab<e>", {.add_special = true, .parse_special = true}), ElementsAre(2, 3, 3));
  EXPECT_THAT((*tokenizer)->encode("a  <n>\n b"), ElementsAre(0, 4, 1));
  EXPECT_THAT((*tokenizer)->encode("cat acat cat"), ElementsAre(5, 8, 0, 6, 0, 7, 8, 5));
  EXPECT_THAT((*tokenizer)->stop_ids(), ElementsAre(3));
}

TEST(Json, RefusesWhatItWouldNotFollow) {
  const auto with = [](std::string_view from, std::string_view to) {
    std::string text(kJson);
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return json_error(text.replace(at, from.size(), to));
  };
  EXPECT_THAT(with("\"normalizer\": null", R"("normalizer": {"type": "NFKD"})").message, HasSubstr("NFKD"));
  EXPECT_THAT(with(R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})",
                   R"({"type": "Split", "pattern": {"Regex": "q+"}, "behavior": "Isolated"})")
                  .message,
              HasSubstr("q+"));
  EXPECT_THAT(with("\"BPE\"", "\"Unigram\"").message, HasSubstr("Unigram"));
  EXPECT_THAT(with("[\"a b\"]", "[\"a z\"]").message, HasSubstr("not in its vocabulary"));
  EXPECT_THAT(with("[\"a b\"]", "[[\"a\"]]").message, HasSubstr("merge"));
  EXPECT_THAT(with("\"ab\": 2", "\"ab\": 4000000000").message, HasSubstr("out of range"));
  EXPECT_THAT(with("\"ab\": 2", "\"ab\": 0").message, HasSubstr("two spellings"));
  EXPECT_EQ(json_error("{").code, base::ErrorCode::corrupt);
  EXPECT_EQ(json_error("[]").code, base::ErrorCode::corrupt);
  EXPECT_EQ(json_error(std::string(100000, '[')).code, base::ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace ingle::core
