#include "assistant/dialects/dialect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/test_source_folder.h"

namespace ingle::assistant {
namespace {

std::string published(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Dialect, OfEveryPublishedTemplate) {
  const std::map<std::string, std::set<std::string>> wanted = {
      {"deepseek",
       {"deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "deepseek-ai-DeepSeek-V3.2", "deepseek-ai-DeepSeek-V4",
        "deepseek-ai-DeepSeek-V4-Flash-0731", "lenml-deepseek_v3"}},
      {"deepseek_v31", {"deepseek-ai-DeepSeek-V3.1"}},
      {"gemma", {"google-gemma-2-2b-it", "lenml-gemma3"}},
      {"gemma4", {"google-gemma-4-31B-it"}},
      {"hermes",
       {"Bielik-11B-v3.0-Instruct", "MiMo-VL", "MiniMax-M3", "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
        "NousResearch-Hermes-3-Llama-3.1-8B-tool_use", "Qwen-QwQ-32B", "Qwen-Qwen2.5-7B-Instruct", "Qwen-Qwen3-0.6B",
        "Reka-Edge", "gguf-qwen2.5-coder-0.5b", "gguf-qwen2.5-coder-1.5b", "ibm-granite-granite-4.0",
        "openbmb-MiniCPM5-1B"}},
      {"lfm2", {"LFM2-8B-A1B", "LFM2.5-8B-A1B", "LFM2.5-Instruct"}},
      {"llama3",
       {"lenml-llama3", "lenml-llama3_1", "meetkai-functionary-medium-v3.1", "meetkai-functionary-medium-v3.2",
        "meta-llama-Llama-3.1-8B-Instruct", "meta-llama-Llama-3.2-3B-Instruct", "meta-llama-Llama-3.3-70B-Instruct"}},
      {"mistral",
       {"Mistral-Small-3.2-24B-Instruct-2506", "mistralai-Ministral-3-14B-Reasoning-2512",
        "unsloth-mistral-Devstral-Small-2507"}},
      {"mistral_list", {"mistralai-Mistral-Nemo-Instruct-2407"}},
      {"phi",
       {"fireworks-ai-llama-3-firefunction-v2", "ibm-granite-granite-3.3-2B-Instruct",
        "microsoft-Phi-3.5-mini-instruct"}},
      {"qwen_coder", {"NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "Qwen3-Coder", "Qwen3.5-4B", "StepFun3.5-Flash"}},
      {"smollm", {"HuggingFaceTB-SmolLM3-3B", "gguf-smollm2-135m"}},
  };
  std::map<std::string, std::set<std::string>> chosen;
  size_t generic = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_folder() + "/tests/data/template/models")) {
    const std::string text = published(entry.path());
    const std::string name(choose_dialect({.chat_template = text}).name);
    if (name == "generic") {
      ++generic;
    } else {
      chosen[name].insert(entry.path().stem().string());
    }
  }
  EXPECT_EQ(chosen, wanted);
  EXPECT_GT(generic, 0u);
}

TEST(Dialect, WithoutATemplate) {
  const auto name = [](ModelHints hints) { return choose_dialect(hints).name; };
  EXPECT_EQ(name({}), "generic");
  EXPECT_EQ(name({.chat_template = "{{ messages }}", .architecture = "qwen3"}), "generic");
  EXPECT_EQ(name({.architecture = "qwen3"}), "hermes");
  EXPECT_EQ(name({.architecture = "gemma3"}), "gemma");
  EXPECT_EQ(name({.architecture = "phi3"}), "phi");
  EXPECT_EQ(name({.architecture = "llama", .name = "Meta-Llama-3.1-8B"}), "llama3");
  EXPECT_EQ(name({.architecture = "llama", .name = "Mistral-7B-Instruct-v0.3"}), "mistral_list");
  EXPECT_EQ(name({.architecture = "llama", .name = "SmolLM2 1.7B Instruct"}), "smollm");
  EXPECT_EQ(name({.architecture = "qwen3moe", .name = "Qwen3-Coder-30B"}), "qwen_coder");
  EXPECT_EQ(name({.architecture = "gemma3", .name = "FunctionGemma 270M"}), "function_gemma");
  EXPECT_EQ(name({.chat_template = "x<start_of_turn><start_function_call>", .architecture = "gemma3"}),
            "function_gemma");
}

TEST(Dialect, RecordsAreWhole) {
  std::set<std::string_view> names;
  for (const Dialect* dialect : all_dialects()) {
    EXPECT_TRUE(names.insert(dialect->name).second) << dialect->name;
    EXPECT_EQ(find_dialect(dialect->name), dialect);
    EXPECT_FALSE(dialect->families.empty());
    ASSERT_TRUE(dialect->fits && dialect->form.call) << dialect->name;
    ASSERT_FALSE(dialect->openers.empty());
    for (const Opener& opener : dialect->openers) {
      EXPECT_FALSE(opener.marker.empty());
      EXPECT_LE(opener.kept, opener.marker.size());
      EXPECT_TRUE(opener.reader) << dialect->name;
    }
    // A mark that looks like a control token may be one.
    for (const Trigger& trigger : triggers(*dialect)) {
      if (!trigger.text.starts_with('<') || trigger.text.ends_with('=')) continue;
      EXPECT_NE(std::ranges::find(dialect->visible_special, trigger.text), dialect->visible_special.end())
          << dialect->name << " " << trigger.text;
    }
    for (const Reasoning& marks : dialect->reasoning) EXPECT_FALSE(marks.open.empty() || marks.close.empty());
  }
  EXPECT_EQ(find_dialect("klingon"), nullptr);
}

TEST(Dialect, PromptsThatOpenReasoning) {
  const Dialect& hermes = *find_dialect("hermes");
  EXPECT_TRUE(ends_in_reasoning(hermes, "<|im_start|>assistant\n<think>\n"));
  EXPECT_FALSE(ends_in_reasoning(hermes, "<|im_start|>assistant\n<think>\n\n</think>\n\n"));
  EXPECT_FALSE(ends_in_reasoning(hermes, ""));
  EXPECT_FALSE(ends_in_reasoning(hermes, " \n"));
  EXPECT_FALSE(ends_in_reasoning(*find_dialect("llama3"), "<think>"));
}

TEST(Dialect, TriggersStartCalls) {
  for (const Dialect* dialect : all_dialects()) {
    size_t starts = 0;
    for (const Trigger& trigger : triggers(*dialect)) starts += trigger.starts_grammar;
    EXPECT_EQ(starts, 1u) << dialect->name;
  }
  const std::vector<Trigger> llama = triggers(*find_dialect("llama3"));
  ASSERT_EQ(llama.size(), 4u);
  EXPECT_EQ(llama[0].text, "<|python_tag|>");
  EXPECT_FALSE(llama[0].at_start || llama[0].starts_grammar);
  EXPECT_EQ(llama[2].text, "{");
  EXPECT_TRUE(llama[2].at_start && llama[2].starts_grammar);
}

TEST(Tools, AreChecked) {
  const auto parse = [](std::string_view text) { return Tools::parse(base::parse_json(text).value()); };
  EXPECT_TRUE(parse("null").value().empty());
  EXPECT_TRUE(parse("[]").value().empty());
  const auto plain = parse(R"([{"type": "function", "function": {"name": "a.b-c_D1", "parameters": null}}])");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->find("a.b-c_D1")->parameters, base::parse_json(R"({"type": "object", "properties": {}})").value());
  EXPECT_EQ(plain->find("a.b"), nullptr);
  const std::string longest(64, 'x');
  EXPECT_TRUE(parse("[{\"name\": \"" + longest + "\"}]"));
  for (const std::string& bad :
       {std::string("{}"), std::string("[1]"), std::string("[{}]"), std::string(R"([{"name": 1}])"),
        std::string(R"([{"name": ""}])"), std::string(R"([{"name": "a b"}])"), std::string(R"([{"name": "a\"b"}])"),
        std::string(R"([{"name": "é"}])"), "[{\"name\": \"x" + longest + "\"}]",
        std::string(R"([{"name": "a"}, {"name": "a"}])"), std::string(R"([{"function": 1}])"),
        std::string(R"([{"name": "a", "parameters": []}])"),
        std::string(R"([{"name": "a", "parameters": {"type": "string"}}])"),
        std::string(R"([{"name": "a", "parameters": {"properties": []}}])")}) {
    const auto parsed = parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::invalid_argument);
  }
  base::Json many = base::Json::array();
  for (size_t i = 0; i <= Tools::max_tools; ++i) many.push_back({{"name", "t" + std::to_string(i)}});
  EXPECT_EQ(Tools::parse(many).error().code, base::ErrorCode::limit_exceeded);
}

TEST(Tools, SchemasTellTypes) {
  const auto allows = [](std::string_view schema, std::string_view type) {
    return schema_allows(base::parse_json(schema).value(), type);
  };
  EXPECT_TRUE(allows("{}", "null"));
  EXPECT_TRUE(allows("true", "null"));
  EXPECT_TRUE(allows(R"({"type": "string"})", "string"));
  EXPECT_FALSE(allows(R"({"type": "string"})", "integer"));
  EXPECT_TRUE(allows(R"({"type": ["string", "null"]})", "null"));
  EXPECT_FALSE(allows(R"({"type": ["string", "null"]})", "object"));
  EXPECT_TRUE(allows(R"({"anyOf": [{"type": "integer"}, {"type": "array"}]})", "array"));
  EXPECT_FALSE(allows(R"({"oneOf": [{"type": "integer"}, {"type": "array"}]})", "string"));
  EXPECT_TRUE(allows(R"({"enum": ["a", 1]})", "integer"));
  EXPECT_FALSE(allows(R"({"enum": ["a", 1]})", "number"));
  EXPECT_TRUE(allows(R"({"const": null})", "null"));
}

}  // namespace
}  // namespace ingle::assistant
