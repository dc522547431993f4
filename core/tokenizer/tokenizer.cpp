#include "core/tokenizer/tokenizer.h"

#include "base/files.h"
#include "core/tokenizer/definition.h"
#include "core/tokenizer/merge_tokenizer.h"
#include "core/tokenizer/word_piece_tokenizer.h"

namespace ingle::core {
namespace {

constexpr uint64_t kMaxJsonBytes = uint64_t{256} << 20;

}  // namespace

base::Result<std::unique_ptr<Tokenizer>> build_tokenizer(TokenizerDefinition definition) {
  if (definition.model == TokenizerModel::word_pieces) {
    auto tokenizer = std::make_unique<WordPieceTokenizer>();
    INGLE_CHECK(tokenizer->set_up(definition));
    tokenizer->set_up_words(definition);
    tokenizer->set_up_normalized_tokens();
    return std::unique_ptr<Tokenizer>(std::move(tokenizer));
  }
  auto tokenizer = std::make_unique<MergeTokenizer>();
  INGLE_CHECK(tokenizer->set_up(definition));
  INGLE_CHECK(tokenizer->set_up_merging(definition));
  tokenizer->set_up_normalized_tokens();
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

base::Result<std::unique_ptr<Tokenizer>> load_tokenizer(const ModelFile& file) {
  if (file.container == ContainerFormat::gguf) return load_gguf_tokenizer(file.metadata);
  INGLE_TRY(const std::string tokenizer, base::read_file(file.folder / "tokenizer.json", kMaxJsonBytes));
  auto config = base::read_file(file.folder / "tokenizer_config.json", kMaxJsonBytes);
  if (!config && config.error().code != base::ErrorCode::not_found) return std::move(config).error();
  std::vector<int64_t> ends = file.metadata.find_ints("generation.eos_token_id").value_or(std::vector<int64_t>());
  if (const auto end = file.metadata.find_uint("generation.eos_token_id"); end && *end <= INT32_MAX) {
    ends.push_back(static_cast<int64_t>(*end));
  }
  return load_json_tokenizer(tokenizer, config ? config.value() : std::string(), ends);
}

}  // namespace ingle::core
