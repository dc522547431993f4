// What a mask costs over real vocabularies. Needs models: INGLE_TEST_MODELS names their folder; without it the
// benchmarks are skipped. Steps follow a given reply token by token; "cold" starts with no masks kept.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "core/grammar/matcher.h"

namespace ingle::core {
namespace {

std::unique_ptr<Tokenizer> load(const std::string& name) {
  const char* folder = std::getenv("INGLE_TEST_MODELS");
  if (folder == nullptr) return nullptr;
  auto file = ModelFile::open(std::filesystem::path(folder) / name);
  if (!file) return nullptr;
  auto tokenizer = load_tokenizer(*file);
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

/// Fifty fields of the kinds that people ask for, and a reply to it.
base::Json fifty_fields(base::Json& reply) {
  base::Json properties = base::Json::object(), required = base::Json::array();
  reply = base::Json::object();
  for (int i = 0; i < 50; i++) {
    const std::string name = "field_" + std::to_string(i);
    base::Json schema = {{"type", "string"}};
    base::Json value = "Some text of a sentence or so, with \"quotes\" and a caf\xc3\xa9.";
    if (i % 10 == 1) schema = {{"type", "integer"}, {"minimum", 0}, {"maximum", 1000 + i}}, value = 17 + i;
    if (i % 10 == 2) schema = {{"type", "number"}}, value = 3.25;
    if (i % 10 == 3) schema = {{"type", "boolean"}}, value = true;
    if (i % 10 == 4) schema = {{"enum", {"red", "green", "dark blue", nullptr}}}, value = "dark blue";
    if (i % 10 == 5)
      schema = {{"type", "array"}, {"items", {{"type", "string"}}}, {"maxItems", 5}}, value = {"one", "two"};
    if (i % 10 == 6) schema = {{"type", "string"}, {"format", "date-time"}}, value = "2024-02-29T12:30:00Z";
    if (i % 10 == 7) schema = {{"type", {"string", "null"}}, {"maxLength", 60}}, value = "A short name";
    if (i % 10 == 8) schema = {{"type", "string"}, {"pattern", "^[A-Z]{2}-[0-9]{4,6}$"}}, value = "AB-12345";
    properties[name] = schema;
    reply[name] = value;
    if (i % 3 != 0) required.push_back(name);
  }
  return {{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}};
}

void build_trie(benchmark::State& state, const std::string& model) {
  const auto tokenizer = load(model);
  if (!tokenizer) return state.SkipWithError("no model");
  uint64_t bytes = 0, nodes = 0;
  for (auto _ : state) {
    const TokenTrie trie(*tokenizer);
    bytes = trie.memory_bytes(), nodes = trie.nodes().size();
  }
  state.counters["MB"] = static_cast<double>(bytes) / 1e6;
  state.counters["nodes"] = static_cast<double>(nodes);
}

void compile_fifty(benchmark::State& state) {
  base::Json reply;
  const base::Json schema = fifty_fields(reply);
  uint64_t bytes = 0;
  for (auto _ : state) {
    const auto grammar = Grammar::compile_json_schema(schema);
    if (!grammar) return state.SkipWithError(grammar.error().message.c_str());
    bytes = grammar->memory_bytes();
  }
  state.counters["kB"] = static_cast<double>(bytes) / 1e3;
}

void follow(benchmark::State& state, const std::string& model, const Grammar& grammar, const std::string& reply,
            bool cold) {
  const auto tokenizer = load(model);
  if (!tokenizer) return state.SkipWithError("no model");
  const auto trie = std::make_shared<const TokenTrie>(*tokenizer);
  const std::vector<TokenId> tokens = tokenizer->encode(reply);
  auto constraint = Constraint::make(grammar, trie);
  std::vector<uint32_t> bits(trie->mask_words());
  std::vector<double> times;
  for (auto _ : state) {
    if (cold) constraint = Constraint::make(grammar, trie);
    Matcher matcher(constraint);
    for (const TokenId token : tokens) {
      const auto begin = std::chrono::steady_clock::now();
      matcher.fill_mask(bits);
      times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
      if ((bits[static_cast<size_t>(token) / 32] >> (token % 32) & 1) == 0 || !matcher.accept(token))
        return state.SkipWithError(("refused: " + std::string(trie->bytes(token))).c_str());
    }
    if (!matcher.complete()) return state.SkipWithError("the reply is not complete");
  }
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (const double time : times) sum += time;
  state.counters["tokens"] = static_cast<double>(tokens.size());
  state.counters["mean_us"] = sum / static_cast<double>(times.size());
  state.counters["p50_us"] = times[times.size() / 2];
  state.counters["p99_us"] = times[times.size() * 99 / 100];
  state.counters["max_us"] = times.back();
}

void follow_fifty(benchmark::State& state, const std::string& model, bool cold) {
  base::Json reply;
  const auto grammar = Grammar::compile_json_schema(fifty_fields(reply));
  if (!grammar) return state.SkipWithError(grammar.error().message.c_str());
  std::string text = reply.dump();
  follow(state, model, *grammar, text, cold);
}

void follow_object(benchmark::State& state, const std::string& model, bool cold) {
  base::Json reply;
  fifty_fields(reply);
  const auto grammar = Grammar::compile_json_object();
  if (!grammar) return state.SkipWithError(grammar.error().message.c_str());
  follow(state, model, *grammar, reply.dump(), cold);
}

/// JSON as a GBNF grammar, where nothing says what a string is.
void follow_gbnf(benchmark::State& state, const std::string& model, bool cold) {
  base::Json reply;
  fifty_fields(reply);
  const auto grammar = Grammar::compile_gbnf(R"(
root   ::= object
value  ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws (string ":" ws value ("," ws string ":" ws value)*)? "}"
array  ::= "[" ws (value ("," ws value)*)? "]"
string ::= "\"" char* "\""
char   ::= [^"\\\x00-\x1f] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})
number ::= "-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)? ([eE] [-+]? [0-9]+)?
ws     ::= [ \n]{0,4})");
  if (!grammar) return state.SkipWithError(grammar.error().message.c_str());
  follow(state, model, *grammar, reply.dump(), cold);
}

/// A call of a tool after free text, as chat dialects have it, and long strings under bounds.
void follow_call(benchmark::State& state, const std::string& model, bool cold) {
  const auto grammar = Grammar::compile_gbnf(R"(
root ::= %until("<tool_call>") "\n" %json{"type":"object","required":["name","arguments"],"properties":{"name":{"enum":["search","open"]},
  "arguments":{"type":"object","properties":{"query":{"type":"string","minLength":10,"maxLength":300},"note":{"type":"string","pattern":"^[^<>]{3,200}$"}}}}} "\n" %until("</tool_call>"))");
  if (!grammar) return state.SkipWithError(grammar.error().message.c_str());
  std::string text =
      "Let me look that up: a < b, and c > d.\n\n<tool_call>\n{\"name\": \"search\", \"arguments\": {\"query\": \"";
  for (int i = 0; i < 5; i++) text += "where does the river end that begins here? ";
  text += "\", \"note\": \"";
  for (int i = 0; i < 3; i++) text += "a short note on what was asked; ";
  follow(state, model, *grammar, text + "\"}}\n</tool_call>", cold);
}

/// Two hundred items that must differ, and a string behind them.
void follow_distinct(benchmark::State& state, const std::string& model, bool cold) {
  const auto grammar = Grammar::compile_json_schema(
      {{"type", "object"},
       {"required", {"tags", "text"}},
       {"properties",
        {{"tags", {{"type", "array"}, {"items", {{"type", "string"}}}, {"uniqueItems", true}}},
         {"text", {{"type", "string"}}}}}});
  if (!grammar) return state.SkipWithError(grammar.error().message.c_str());
  base::Json reply = {{"tags", base::Json::array()}, {"text", "Some text of a sentence or so."}};
  for (int i = 0; i < 200; i++) reply["tags"].push_back((i % 2 == 0 ? "river " : "dark blue ") + std::to_string(i));
  follow(state, model, *grammar, reply.dump(), cold);
}

#define INGLE_GRAMMAR_BENCH(name, model)                                                                 \
  BENCHMARK_CAPTURE(build_trie, name, model)->Unit(benchmark::kMillisecond);                             \
  BENCHMARK_CAPTURE(follow_fifty, name##_cold, model, true)->Unit(benchmark::kMillisecond)->MinTime(1);  \
  BENCHMARK_CAPTURE(follow_fifty, name##_warm, model, false)->Unit(benchmark::kMillisecond)->MinTime(1); \
  BENCHMARK_CAPTURE(follow_distinct, name##_cold, model, true)->Unit(benchmark::kMillisecond);           \
  BENCHMARK_CAPTURE(follow_gbnf, name##_cold, model, true)->Unit(benchmark::kMillisecond);               \
  BENCHMARK_CAPTURE(follow_call, name##_cold, model, true)->Unit(benchmark::kMillisecond);               \
  BENCHMARK_CAPTURE(follow_object, name##_cold, model, true)->Unit(benchmark::kMillisecond)
BENCHMARK(compile_fifty)->Unit(benchmark::kMillisecond);
INGLE_GRAMMAR_BENCH(qwen, "qwen2.5-coder-0.5b.gguf");
INGLE_GRAMMAR_BENCH(gemma, "gemma3-270m.gguf");
INGLE_GRAMMAR_BENCH(smollm, "smollm2-135m.gguf");

}  // namespace
}  // namespace ingle::core
