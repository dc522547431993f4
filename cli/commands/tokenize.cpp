// ingle tokenize MODEL [--special] [--decode] [--json] < text
//
// The bytes of stdin as they are: no newline is dropped, and bytes that are not UTF-8 are encoded singly. Needs only
// the vocabulary, so it works on files without tensors.
#include "cli/input.h"
#include "cli/models.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

/// The ids of a JSON array. Errors: invalid_argument.
Result<std::vector<core::TokenId>> parse_ids(const std::string& text, uint32_t vocabulary_size) {
  const auto json = base::parse_json(text);
  if (!json || !json->is_array()) {
    return Error{ErrorCode::invalid_argument,
                 "standard input is not a JSON array of token ids; give one, as in [1, 2, 3]"};
  }
  std::vector<core::TokenId> ids;
  for (size_t i = 0; i < json->size(); ++i) {
    const base::Json& item = (*json)[i];
    if (!item.is_number_integer() || item.get<int64_t>() < 0 || item.get<uint64_t>() >= vocabulary_size) {
      return Error{ErrorCode::invalid_argument, "element " + std::to_string(i) + " (" + item.dump().substr(0, 40) +
                                                    ") is not a token id; give whole numbers below " +
                                                    std::to_string(vocabulary_size)};
    }
    ids.push_back(static_cast<core::TokenId>(item.get<int64_t>()));
  }
  return ids;
}

/// "  9906  Hello" per token, with the bytes quoted as JSON quotes them.
std::string table_of(const core::Tokenizer& tokenizer, const std::vector<core::TokenId>& ids) {
  std::string out;
  for (const core::TokenId id : ids) {
    const std::string bytes = tokenizer.token_bytes(id, true);
    out += pad(std::to_string(id), 8, true) + "  " +
           base::Json(bytes).dump(-1, ' ', false, base::Json::error_handler_t::replace) + "\n";
  }
  return out;
}

Status run(Session& session) {
  INGLE_TRY(const store::InstalledModel model, ensure_model(session, session.argument(0)));
  INGLE_TRY(const core::ModelFile file, core::ModelFile::open(model.path));
  INGLE_TRY(const auto tokenizer, core::load_tokenizer(file));
  const bool special = session.values.flag("special");
  if (session.values.flag("decode")) {
    INGLE_TRY(const std::string text, read_stdin(session, "a JSON array of token ids"));
    INGLE_TRY(const auto ids, parse_ids(text, tokenizer->vocabulary_size()));
    return session.terminal.out_foreign(tokenizer->decode(ids, special));
  }
  INGLE_TRY(const std::string text, read_stdin(session, "the text to tokenize"));
  const auto ids = tokenizer->encode(text, {.add_special = special, .parse_special = special});
  if (!session.json()) return session.terminal.out_foreign(table_of(*tokenizer, ids));
  std::string out = "[";
  for (const core::TokenId id : ids) {
    if (out.size() > 1) out += ", ";
    out += std::to_string(id);
  }
  return session.terminal.out(out + "]\n");
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "a model's name or path", .type = ValueType::model, .required = true}};
constexpr Option options[] = {
    {.name = "special",
     .help = "add what the model adds (BOS, EOS) and read special tokens in the text as such; with "
             "--decode, print special tokens"},
    {.name = "decode", .help = "read a JSON array of ids and print their text, byte for byte"},
    json_option,
};
constexpr Example examples[] = {
    {"ingle tokenize smollm2-135m --json < letter.txt", "The ids of a file, as one JSON array."},
    {"echo '[1, 2]' | ingle tokenize smollm2-135m --decode --special", "And back."},
};

}  // namespace

extern const Command tokenize_record;
const Command tokenize_record{
    .name = "tokenize",
    .summary = "turn text from standard input into token ids, or back",
    .description =
        "Reads standard input byte for byte and prints one token per line, or one JSON array of ids with "
        "--json. By default nothing is added and special tokens in the text are plain text.",
    .arguments = arguments,
    .options = options,
    .examples = examples,
    .order = 50,
    .run = run,
};

}  // namespace ingle::cli
