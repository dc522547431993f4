// A filter for tests/grammar/check_schemas.py; built on request, never shipped.
//   grammar_oracle walk SEED COUNT [style] < schemas > replies     random walks through the masks of each schema
//   grammar_oracle match KIND < pairs > verdicts                   whether each text is in its grammar
// A line of input is JSON. walk: a schema; the answer is {"error": "…"} or {"texts": […], "open": n}, where `open` are
// the walks that were stopped for their length. match: [source, [text, …]], KIND one of schema, gbnf, regex; the answer
// is {"error": "…"} or [true, …].
#include <bit>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

#include "base/utf8.h"
#include "core/grammar/matcher.h"

namespace {

using namespace ingle;
using base::Json;

/// SplitMix64.
struct Random {
  uint64_t state;
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
};

constexpr size_t kLongest = 4000;  // bytes; a walk of more is given up

/// The 256 bytes and pieces that run over the joints of JSON.
std::shared_ptr<const core::TokenTrie> small_vocabulary() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; byte++) tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* piece : {"\", \"",
                            "\":",
                            "\": ",
                            "\": \"",
                            "\"}",
                            "\"]",
                            "},",
                            "}, {",
                            "true",
                            "null",
                            "tr",
                            "ue",
                            " \"",
                            "[{",
                            "[]",
                            "{}",
                            "{\"",
                            "00",
                            "12",
                            "0.",
                            "e+",
                            "\\u",
                            "\\n",
                            "abc",
                            "a\"",
                            "name",
                            "\xc3\xa9",
                            "\xe2\x82",
                            "\xf0\x9f\x98\x80",
                            "\n  ",
                            ", ",
                            "\":[",
                            "1}",
                            "0,",
                            "-1"})
    tokens.emplace_back(piece);
  tokens.emplace_back("<end>");
  std::vector<bool> control(tokens.size(), false);
  control.back() = true;
  return std::make_shared<core::TokenTrie>(tokens, control,
                                           std::vector<core::TokenId>{static_cast<core::TokenId>(tokens.size() - 1)});
}

/// Ends where it may with growing likelihood, and prefers what closes brackets when the text gets long.
std::string walk(core::Matcher matcher, const core::TokenTrie& trie, Random& random, bool& open) {
  std::string out;
  std::vector<uint32_t> bits(matcher.mask_words());
  while (out.size() < kLongest) {
    matcher.fill_mask(bits);
    std::vector<core::TokenId> allowed;
    for (size_t w = 0; w < bits.size(); w++) {
      for (uint32_t rest = bits[w]; rest != 0; rest &= rest - 1)
        allowed.push_back(static_cast<core::TokenId>(w * 32 + static_cast<size_t>(std::countr_zero(rest))));
    }
    if (allowed.empty()) return out + "<stuck>";
    if (matcher.complete() && (random.next() % 3 == 0 || out.size() > 300)) break;
    core::TokenId pick = allowed[random.next() % allowed.size()];
    const size_t pressure = out.size() > 150 ? 4 : 1;
    if (random.next() % 8 < pressure) {
      for (const char* closing : {"\"", "}", "]", ","}) {
        const bool can =
            std::find(allowed.begin(), allowed.end(), static_cast<core::TokenId>(*closing)) != allowed.end();
        if (!can) continue;
        pick = static_cast<core::TokenId>(*closing);
        break;
      }
    }
    if (!matcher.accept(pick)) return out + "<refused>";
    if (matcher.ended()) return out;
    out += trie.bytes(pick);
  }
  open = !matcher.complete();
  return out;
}

int run_walks(uint64_t seed, int count, core::JsonSchemaOptions options) {
  const auto trie = small_vocabulary();
  std::string line;
  while (std::getline(std::cin, line)) {
    Json answer;
    const auto schema = base::parse_json(line);
    auto grammar =
        schema ? core::Grammar::compile_json_schema(*schema, options) : base::Result<core::Grammar>(schema.error());
    if (!grammar) {
      answer["error"] = grammar.error().message;
    } else {
      const auto constraint = core::Constraint::make(*grammar, trie);
      Random random{seed};
      int open_walks = 0;
      answer["texts"] = Json::array();
      for (int i = 0; i < count; i++) {
        bool open = false;
        const std::string text = walk(core::Matcher(constraint), *trie, random, open);
        if (open)
          open_walks++;
        else
          answer["texts"].push_back(base::is_valid_utf8(text) ? text : "<invalid UTF-8>");
      }
      answer["open"] = open_walks;
    }
    std::cout << answer.dump() << "\n" << std::flush;
  }
  return 0;
}

int run_matches(const std::string& kind, core::JsonSchemaOptions options) {
  const auto trie = small_vocabulary();
  std::string line;
  while (std::getline(std::cin, line)) {
    Json answer = Json::array();
    const auto pair = base::parse_json(line);
    if (!pair) return 1;
    const Json& source = (*pair)[0];
    auto grammar = kind == "schema"  ? core::Grammar::compile_json_schema(source, options)
                   : kind == "regex" ? core::Grammar::compile_regex(source.get<std::string>())
                                     : core::Grammar::compile_gbnf(source.get<std::string>());
    if (!grammar) {
      answer = Json{{"error", grammar.error().message}};
    } else {
      const auto constraint = core::Constraint::make(*grammar, trie);
      for (const Json& text : (*pair)[1]) {
        core::Matcher matcher(constraint);
        answer.push_back(matcher.accept_text(text.get<std::string>()) && matcher.complete());
      }
    }
    std::cout << answer.dump() << "\n" << std::flush;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  core::JsonSchemaOptions options;
  if (std::strcmp(argv[argc - 1], "indented") == 0) options.spacing = core::JsonSpacing::indented;
  if (std::strcmp(argv[argc - 1], "open") == 0) options.open_objects = true;
  if (std::strcmp(argv[1], "walk") == 0 && argc >= 4)
    return run_walks(std::stoull(argv[2]), std::stoi(argv[3]), options);
  if (std::strcmp(argv[1], "match") == 0) return run_matches(argv[2], options);
  return 2;
}
