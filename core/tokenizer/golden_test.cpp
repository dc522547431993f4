// Ids made by Hugging Face's `tokenizers` and by sentencepiece (tests/tokenizer/compare_hf.py --golden) against ours.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "base/test_source_folder.h"
#include "core/tokenizer/definition.h"

namespace ingle::core {
namespace {

const std::filesystem::path kData = std::filesystem::path(source_folder()) / "tests/data/tokenizer";

base::Json read_json(const std::filesystem::path& path) {
  const auto text = base::read_file(path, 1 << 20);
  EXPECT_TRUE(text.ok()) << path;
  if (!text) return {};
  auto parsed = base::parse_json(*text);
  EXPECT_TRUE(parsed.ok()) << path;
  return parsed ? *parsed : base::Json();
}

using Ids = std::vector<std::vector<TokenId>>;

void expect_ids(const Tokenizer& tokenizer, const std::filesystem::path& path, const EncodeOptions& options = {},
                bool drop_nul = false) {
  auto texts = read_json(kData / "strings.json").get<std::vector<std::string>>();
  const auto want = read_json(path).get<Ids>();
  ASSERT_GE(texts.size(), 300u);
  ASSERT_EQ(texts.size(), want.size());
  for (size_t i = 0; i < texts.size(); i++) {
    if (drop_nul) std::erase(texts[i], '\0');
    EXPECT_EQ(tokenizer.encode(texts[i], options), want[i])
        << path.filename() << ": " << testing::PrintToString(texts[i]);
  }
}

// Every record must have a golden file: a new pre-tokenizer without one fails here.
TEST(Golden, ByteLevel) {
  const base::Json vocabulary = read_json(kData / "bytes.vocab.json");
  Metadata metadata;
  metadata.values["tokenizer.ggml.model"] = std::string("gpt2");
  metadata.values["tokenizer.ggml.tokens"] = vocabulary["tokens"].get<std::vector<std::string>>();
  metadata.values["tokenizer.ggml.merges"] = vocabulary["merges"].get<std::vector<std::string>>();
  std::vector<std::string> names;
  for (const PreTokenizer* record : all_pre_tokenizers()) {
    names.emplace_back(record->name);
    for (const auto alias : record->aliases) {
      if (std::filesystem::exists(kData / (std::string(alias) + ".ids.json"))) names.emplace_back(alias);
    }
  }
  EXPECT_GE(names.size(), 18u);
  for (const std::string& name : names) {
    metadata.values["tokenizer.ggml.pre"] = name;
    const auto tokenizer = load_gguf_tokenizer(metadata);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    expect_ids(**tokenizer, kData / (name + ".ids.json"));
  }
}

TEST(Golden, SentencePiece) {
  const base::Json vocabulary = read_json(kData / "spm.vocab.json");
  Metadata metadata;
  metadata.values["tokenizer.ggml.model"] = std::string("llama");
  metadata.values["tokenizer.ggml.tokens"] = vocabulary["tokens"].get<std::vector<std::string>>();
  metadata.values["tokenizer.ggml.scores"] = vocabulary["scores"].get<std::vector<double>>();
  metadata.values["tokenizer.ggml.token_type"] = vocabulary["types"].get<std::vector<int64_t>>();
  metadata.values["tokenizer.ggml.unknown_token_id"] = uint64_t{0};
  const auto tokenizer = load_gguf_tokenizer(metadata);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  expect_ids(**tokenizer, kData / "spm.ids.json", {}, true);
}

TEST(Golden, TokenizerJson) {
  for (const char* name : {"llama.hf", "bert.hf", "qwen2.hf"}) {
    ModelFile file;
    file.container = ContainerFormat::safetensors;
    file.folder = kData / name;
    const auto tokenizer = load_tokenizer(file);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    expect_ids(**tokenizer, file.folder / "ids.json", {.add_special = true, .parse_special = true});
  }
}

}  // namespace
}  // namespace ingle::core
