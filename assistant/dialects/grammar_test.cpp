// What the dialects' grammars accept, tried with a recogniser of its own, and that the parser reads what they accept.
#include "assistant/dialects/grammar.h"

#include <gtest/gtest.h>

#include "assistant/dialects/reply.h"
#include "assistant/dialects/test_cases.h"
#include "assistant/dialects/test_grammar.h"

namespace ingle::assistant {
namespace {

/// One call with arguments and one without as the dialect's grammar writes them, and the first one broken.
struct Written {
  std::string_view dialect, weather, ping, between, first, last, broken;
};

const std::vector<Written>& written() {
  static const std::vector<Written> all = {
      {"hermes", "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}\n</tool_call>",
       "<tool_call>\n{\"name\": \"ping\", \"arguments\": {}}\n</tool_call>", "\n", "", "",
       "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"location\": 5}}\n</tool_call>"},
      {"smollm", "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}",
       "{\"name\": \"ping\", \"arguments\": {}}", ", ", "<tool_call>[", "]</tool_call>",
       "{\"name\": \"get_weather\", \"arguments\": {}}"},
      {"qwen_coder",
       "<tool_call>\n<function=get_weather>\n<parameter=location>\nParis\n</parameter>\n</function>\n</tool_call>",
       "<tool_call>\n<function=ping>\n</function>\n</tool_call>", "\n", "", "",
       "<tool_call>\n<function=get_weather>\n<parameter=days>\n[1]\n</parameter>\n</function>\n</tool_call>"},
      {"llama3", "{\"name\": \"get_weather\", \"parameters\": {\"location\": \"Paris\"}}",
       "{\"name\": \"ping\", \"parameters\": {}}", "; ", "", "", "{\"name\": \"get_weather\", \"parameters\": {}}"},
      {"gemma", "{\"name\": \"get_weather\", \"parameters\": {\"location\": \"Paris\"}}",
       "{\"name\": \"ping\", \"parameters\": {}}", "\n", "", "", "{\"name\": \"get_weather\", \"parameters\": {}}"},
      {"generic", "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}",
       "{\"name\": \"ping\", \"arguments\": {}}", "\n", "", "", "{\"name\": \"get_weather\", \"arguments\": {}}"},
      {"mistral", "[TOOL_CALLS]get_weather[ARGS]{\"location\": \"Paris\"}", "[TOOL_CALLS]ping[ARGS]{}", "", "", "",
       "[TOOL_CALLS]get_weather[ARGS]{}"},
      {"mistral_list", "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}, \"id\": \"abc456789\"}",
       "{\"name\": \"ping\", \"arguments\": {}, \"id\": \"abc456780\"}", ", ", "[TOOL_CALLS][", "]",
       "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}, \"id\": \"abc\"}"},
      {"phi", "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}",
       "{\"name\": \"ping\", \"arguments\": {}}", ", ", "<|tool_call|>[", "]<|/tool_call|>",
       "{\"name\": \"get_weather\", \"arguments\": {}}"},
      {"lfm2", "get_weather(location=\"Paris\")", "ping()", ", ", "<|tool_call_start|>[", "]<|tool_call_end|>",
       "get_weather(days=[1])"},
      {"deepseek",
       "<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{\"location\": "
       "\"Paris\"}\n```<｜tool▁call▁end｜>",
       "<｜tool▁call▁begin｜>function<｜tool▁sep｜>ping\n```json\n{}\n```<｜tool▁call▁end｜>", "\n",
       "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>",
       "<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{}\n```<｜tool▁call▁end｜>"},
      {"deepseek_v31", "<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"location\": \"Paris\"}<｜tool▁call▁end｜>",
       "<｜tool▁call▁begin｜>ping<｜tool▁sep｜>{}<｜tool▁call▁end｜>", "", "<｜tool▁calls▁begin｜>",
       "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{}<｜tool▁call▁end｜>"},
      {"function_gemma", "<start_function_call>call:get_weather{location:<escape>Paris<escape>}<end_function_call>",
       "<start_function_call>call:ping{}<end_function_call>", "", "", "",
       "<start_function_call>call:get_weather{location:5}<end_function_call>"},
      {"gemma4", "<|tool_call>call:get_weather{location:<|\"|>Paris<|\"|>}<tool_call|>",
       "<|tool_call>call:ping{}<tool_call|>", "", "", "", "<|tool_call>call:get_weather{days:[1]}<tool_call|>"},
  };
  return all;
}

std::string grammar(std::string_view dialect, const GrammarRequest& request) {
  return tool_grammar(*find_dialect(dialect), test_tools(), request).value();
}

std::string calls(const Written& one, std::initializer_list<std::string_view> parts) {
  std::string out(one.first);
  for (const std::string_view part : parts) {
    if (out.size() > one.first.size()) out += one.between;
    out += part;
  }
  return out + std::string(one.last);
}

TEST(Grammar, EveryDialectIsTried) {
  EXPECT_EQ(written().size(), all_dialects().size());
}

TEST(Grammar, Required) {
  for (const Written& one : written()) {
    SCOPED_TRACE(one.dialect);
    const std::string many = grammar(one.dialect, {.choice = ToolChoice::required});
    EXPECT_TRUE(grammar_matches(many, calls(one, {one.weather}))) << many;
    EXPECT_TRUE(grammar_matches(many, calls(one, {one.weather, one.ping, one.weather}))) << many;
    EXPECT_FALSE(grammar_matches(many, calls(one, {one.broken})));
    EXPECT_FALSE(grammar_matches(many, calls(one, {one.weather, one.broken})));
    EXPECT_FALSE(grammar_matches(many, ""));
    EXPECT_FALSE(grammar_matches(many, "Hello"));
    EXPECT_FALSE(grammar_matches(many, "Hello" + calls(one, {one.ping})));
    const std::string single = grammar(one.dialect, {.choice = ToolChoice::required, .parallel = false});
    EXPECT_TRUE(grammar_matches(single, calls(one, {one.ping})));
    EXPECT_FALSE(grammar_matches(single, calls(one, {one.ping, one.ping})));
  }
}

TEST(Grammar, Named) {
  for (const Written& one : written()) {
    SCOPED_TRACE(one.dialect);
    const std::string named = grammar(one.dialect, {.choice = ToolChoice::named, .name = "ping"});
    EXPECT_TRUE(grammar_matches(named, calls(one, {one.ping})));
    EXPECT_FALSE(grammar_matches(named, calls(one, {one.weather})));
    const auto none =
        tool_grammar(*find_dialect(one.dialect), test_tools(), {.choice = ToolChoice::named, .name = "x"});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, base::ErrorCode::not_found);
  }
}

TEST(Grammar, AutomaticIsTextWhoseCallsAreRight) {
  for (const Written& one : written()) {
    SCOPED_TRACE(one.dialect);
    const std::string automatic = grammar(one.dialect, {});
    for (const std::string_view text : {"", "Hello.", "A <b> [c] {d} <too 〈｜ é 🦜 \n\n- x", "{\"a\": 1}", "[1, 2]",
                                        "{\"name\": \"Anna\"}", " { \"namely\": 1}", "<", "<<", "[TOO", "[[T"}) {
      EXPECT_TRUE(grammar_matches(automatic, text)) << text << "\n" << automatic;
    }
    EXPECT_TRUE(grammar_matches(automatic, calls(one, {one.weather, one.ping}))) << automatic;
    EXPECT_FALSE(grammar_matches(automatic, calls(one, {one.broken})));
    if (calls(one, {one.ping}).starts_with('{')) continue;  // only a reply's start can be a bare call
    EXPECT_TRUE(grammar_matches(automatic, "I look.\n" + calls(one, {one.weather})));
    EXPECT_TRUE(
        grammar_matches(automatic, "I look. <<[[{" + calls(one, {one.ping}) + " and " + calls(one, {one.ping}) + "."));
    EXPECT_FALSE(grammar_matches(automatic, "I look.\n" + calls(one, {one.broken})));
    const std::string single = grammar(one.dialect, {.parallel = false});
    EXPECT_TRUE(grammar_matches(single, "I look." + calls(one, {one.ping})));
    EXPECT_FALSE(grammar_matches(single, calls(one, {one.ping}) + calls(one, {one.ping})));
  }
}

/// A marker that starts a call in another form than the grammar's would go around it.
TEST(Grammar, AutomaticForbidsOtherMarkers) {
  for (const Dialect* dialect : all_dialects()) {
    const std::string automatic = grammar(dialect->name, {});
    for (const Trigger& trigger : triggers(*dialect)) {
      if (trigger.at_start) continue;
      EXPECT_FALSE(grammar_matches(automatic, "x " + std::string(trigger.text) + " y"))
          << dialect->name << " " << trigger.text;
    }
  }
  EXPECT_FALSE(grammar_matches(grammar("generic", {}), R"({"name": "ping", "arguments": {"x": 1}})"));
  EXPECT_FALSE(grammar_matches(grammar("generic", {}), R"({"arguments": {}, "name": "ping"})"));
  EXPECT_FALSE(
      grammar_matches(grammar("generic", {}), "```json\n{\"name\": \"ping\", \"arguments\": {\"x\": 1}}\n```"));
  EXPECT_FALSE(grammar_matches(grammar("llama3", {}), R"([{"name": "ping", "parameters": {"x": 1}}])"));
  EXPECT_FALSE(grammar_matches(grammar("llama3", {}), "[ping(1)]"));
  EXPECT_FALSE(grammar_matches(grammar("generic", {}), "a <tool_call>{\"name\": \"ping\"}"));
}

TEST(Grammar, Reasoning) {
  for (const Written& one : written()) {
    SCOPED_TRACE(one.dialect);
    const Dialect& dialect = *find_dialect(one.dialect);
    const std::string call = calls(one, {one.ping});
    if (dialect.reasoning.empty()) {
      EXPECT_EQ(grammar(one.dialect, {.thinking = Thinking::optional}), grammar(one.dialect, {}));
      continue;
    }
    const std::string open(dialect.reasoning[0].open), close(dialect.reasoning[0].close);
    const std::string optional = grammar(one.dialect, {.choice = ToolChoice::required, .thinking = Thinking::optional});
    EXPECT_TRUE(grammar_matches(optional, open + "\nHm " + call + "\n" + close + "\n\n" + call));
    EXPECT_TRUE(grammar_matches(optional, call));
    EXPECT_FALSE(grammar_matches(optional, open + "Hm" + close));
    const std::string inside = grammar(one.dialect, {.choice = ToolChoice::required, .thinking = Thinking::open});
    EXPECT_TRUE(grammar_matches(inside, "Hm\n" + close + call));
    EXPECT_FALSE(grammar_matches(inside, call));
    EXPECT_TRUE(grammar_matches(grammar(one.dialect, {.thinking = Thinking::open}), "Hm" + close + "\nHello"));
  }
}

/// The parser finds in a text that the grammar accepts the calls it was made of.
TEST(Grammar, TheParserReadsWhatItAccepts) {
  for (const Written& one : written()) {
    const Reply reply = parse_reply(*find_dialect(one.dialect), test_tools(), calls(one, {one.weather, one.ping}));
    ASSERT_EQ(reply.calls.size(), 2u) << one.dialect;
    EXPECT_EQ(base::parse_json(reply.calls[0].arguments).value(), base::parse_json(R"({"location": "Paris"})").value());
    EXPECT_EQ(reply.calls[1].name, "ping");
    EXPECT_EQ(reply.content, "");
  }
}

TEST(Grammar, ParametersOfEveryKind) {
  const std::string xml = grammar("qwen_coder", {.choice = ToolChoice::required});
  EXPECT_TRUE(grammar_matches(
      xml,
      "<tool_call>\n<function=run>\n<parameter=code>\na <parameter> \"b\n</parameter>\n<parameter=count>\n5\n"
      "</parameter>\n<parameter=any>\n[1\n</parameter>\n</function>\n</tool_call>"));
  EXPECT_FALSE(grammar_matches(
      xml, "<tool_call>\n<function=run>\n<parameter=count>\nfive\n</parameter>\n</function>\n</tool_call>"));
  EXPECT_FALSE(grammar_matches(xml,
                               "<tool_call>\n<function=get_weather>\n<parameter=location>\nx\n</parameter>\n"
                               "<parameter=unit>\nkelvin\n</parameter>\n</function>\n</tool_call>"));
  const std::string gemma = grammar("gemma4", {.choice = ToolChoice::required});
  const auto call = [&](const std::string& arguments) {
    return grammar_matches(gemma, "<|tool_call>call:" + arguments + "<tool_call|>");
  };
  const std::string quote = "<|\"|>", word = quote + "a, }" + quote;
  EXPECT_TRUE(call("run{}"));
  EXPECT_TRUE(call("run{code:" + word + "}"));
  EXPECT_TRUE(call("run{any:[true,{x:" + word + "},-1.5],code:" + word + ",count:5,flag:false}"));
  EXPECT_TRUE(call("run{any:1,flag:false}"));
  EXPECT_FALSE(call("run{any:1flag:false}"));
  EXPECT_FALSE(call("run{,flag:false}"));
  EXPECT_FALSE(call("run{flag:false,}"));
  EXPECT_FALSE(call("run{flag:1}"));
  EXPECT_TRUE(call("get_weather{days:[1,2],location:" + word + ",unit:" + quote + "celsius" + quote + "}"));
  EXPECT_FALSE(call("get_weather{days:[1,2],unit:" + quote + "celsius" + quote + "}"));
  EXPECT_FALSE(call("get_weather{location:" + word + ",unit:" + quote + "kelvin" + quote + "}"));
  EXPECT_TRUE(call("create_event{event:{at:null,title:" + word + "},priority:" + word + "}"));
  EXPECT_FALSE(call("create_event{event:{at:5,title:" + word + "}}"));
  EXPECT_FALSE(call("create_event{event:{title:" + word + "},priority:true}"));
  EXPECT_TRUE(call("create_event{event:{at:" + word + ",title:" + word + "},priority:1}"));
  EXPECT_FALSE(call("create_event{event:{at:" + word + "}}"));
}

TEST(Grammar, PythonsArguments) {
  const std::string python = grammar("lfm2", {.choice = ToolChoice::required});
  const auto call = [&](const std::string& text) {
    return grammar_matches(python, "<|tool_call_start|>[" + text + "]<|tool_call_end|>");
  };
  EXPECT_TRUE(call("run()"));
  EXPECT_TRUE(call("run(code=\"a\", flag=True)"));
  EXPECT_TRUE(call("run(count=5), ping()"));
  EXPECT_TRUE(call("get_weather(location=\"a\", days=[1])"));
  EXPECT_FALSE(call("run(flag=1)"));
  EXPECT_FALSE(call("run(code=\"a\"flag=True)"));
  EXPECT_FALSE(call("run(flag=True, code=\"a\")"));
  EXPECT_FALSE(call("get_weather(days=[1])"));
}

/// Names, keys and constants come from outside; none may end its literal.
TEST(Grammar, HostileParameters) {
  const base::Json tools = base::parse_json(R"([{"name": "f", "parameters": {"type": "object", "properties": {
    "a\" | \"b": {"type": "string"}, "c\\": {"enum": ["x\"]\n\\", 5]}, "]}": {"type": "array", "items": {}}}}}])")
                               .value();
  const Tools parsed = Tools::parse(tools).value();
  for (const Dialect* dialect : all_dialects()) {
    const auto made = tool_grammar(*dialect, parsed, {.choice = ToolChoice::required});
    if (!made) {
      EXPECT_EQ(made.error().code, base::ErrorCode::unsupported) << dialect->name;
      continue;
    }
    EXPECT_FALSE(grammar_matches(*made, "b")) << *made;
  }
  const std::string xml = tool_grammar(*find_dialect("qwen_coder"), parsed, {.choice = ToolChoice::required}).value();
  EXPECT_TRUE(
      grammar_matches(xml,
                      "<tool_call>\n<function=f>\n<parameter=a\" | \"b>\nq\n</parameter>\n<parameter=c\\>\nx\"]\n\\\n"
                      "</parameter>\n</function>\n</tool_call>"))
      << xml;
  const base::Json needed =
      base::parse_json(R"([{"name": "f", "parameters": {"properties": {"a>b": {}}, "required": ["a>b"]}}])").value();
  EXPECT_FALSE(tool_grammar(*find_dialect("qwen_coder"), Tools::parse(needed).value(), {}));
}

TEST(Grammar, NothingToConstrain) {
  EXPECT_EQ(grammar("hermes", {.choice = ToolChoice::none}), "");
  EXPECT_EQ(tool_grammar(*find_dialect("hermes"), {}, {}).value(), "");
}

TEST(Grammar, Literals) {
  EXPECT_EQ(GrammarWriter::literal("a\"\\\n\x01]é"), "\"a\\\"\\\\\\n\\x01]é\"");
  EXPECT_EQ(GrammarWriter::literal(""), "");
  EXPECT_EQ(GrammarWriter::until("]\""), "%until(\"]\\\"\")");
}

// Hermes: the marks may be left out, the schema may not.
TEST(Grammar, ABareCallHasItsSchemaToo) {
  const std::string text = grammar("hermes", {.choice = ToolChoice::automatic});
  const std::string good = "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}";
  EXPECT_TRUE(grammar_matches(text, good));
  EXPECT_TRUE(grammar_matches(text, good + "\n" + good));
  EXPECT_FALSE(grammar_matches(text, "{\"name\": \"get_weather\", \"arguments\": {\"location\": 5}}"));
  EXPECT_FALSE(grammar_matches(text, "{\"name\": \"get_weather\", \"arguments\": {}}"));
  EXPECT_TRUE(grammar_matches(text, "{\"name\": \"Ann\"}")) << "an answer in JSON";
}

// The form of an answer holds beside calls, and alone.
TEST(Grammar, AnAnswerHasItsForm) {
  for (const Written& one : written()) {
    const std::string form = "\"yes\"";
    const std::string text = grammar(one.dialect, {.choice = ToolChoice::automatic, .answer = form});
    EXPECT_TRUE(grammar_matches(text, "yes")) << one.dialect;
    EXPECT_FALSE(grammar_matches(text, "no")) << one.dialect;
    EXPECT_TRUE(grammar_matches(text, calls(one, {one.weather}))) << one.dialect;
    const std::string alone = grammar(one.dialect, {.choice = ToolChoice::none, .answer = form});
    EXPECT_TRUE(grammar_matches(alone, "yes")) << one.dialect;
    EXPECT_FALSE(grammar_matches(alone, calls(one, {one.weather}))) << one.dialect;
  }
}

}  // namespace
}  // namespace ingle::assistant
