// The oracle is Python's jinja2 under transformers' settings: tests/template/make_goldens.py wrote what is compared
// here.
#include "core/template/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "base/test_source_folder.h"

namespace ingle::core {
namespace {

using base::ErrorCode;
using base::Json;
using ::testing::HasSubstr;

constexpr int64_t kNow = 1722006245;  // make_goldens.py's clock

std::string read(const std::string& name) {
  std::ifstream file(source_folder() + "/tests/data/template/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

Json read_json(const std::string& name) {
  auto json = base::parse_json(read(name));
  EXPECT_TRUE(json.ok()) << name;
  return json.ok() ? *json : Json();
}

base::Result<std::string> render(std::string_view source, const Json& context = Json::object(),
                                 const TemplateLimits& limits = {}) {
  auto parsed = ChatTemplate::parse(source, limits);
  if (!parsed) return parsed.error();
  return parsed->render(context, kNow);
}

std::string fnv(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(hash));
  return out;
}

TEST(ChatTemplate, RendersPublishedTemplatesAsJinja) {
  const Json contexts = read_json("contexts.json");
  size_t rendered = 0, refused = 0;
  for (const Json& row : read_json("models.json")) {
    const auto name = row["template"].get<std::string>();
    auto parsed = ChatTemplate::parse(read("models/" + name + ".jinja"));
    ASSERT_TRUE(parsed.ok()) << name << ": " << parsed.error().message;
    for (size_t i = 0; i < contexts.size(); ++i) {
      const std::string place = name + " with " + contexts[i]["name"].get<std::string>();
      const auto result = parsed->render(contexts[i]["context"], kNow);
      const Json& expected = row["results"][i];
      ASSERT_EQ(result.ok(), !expected.is_null()) << place << ": " << (result.ok() ? *result : result.error().message);
      if (!result.ok()) {
        ++refused;
        continue;
      }
      ++rendered;
      if (!row["shown"].is_null() && row["shown"][0] == i) {
        EXPECT_EQ(*result, row["shown"][1].get<std::string>()) << place;
      }
      EXPECT_EQ(result->size(), expected[1].get<size_t>()) << place << ":\n" << *result;
      EXPECT_EQ(fnv(*result), expected[0].get<std::string>()) << place << ":\n" << *result;
    }
  }
  EXPECT_GE(rendered, 2000u);
  EXPECT_GE(refused, 300u);
}

TEST(ChatTemplate, EvaluatesSnippetsAsJinja) {
  const Json context = read_json("snippet_context.json"), rows = read_json("snippets.json");
  EXPECT_GE(rows.size(), 10000u);
  for (const Json& row : rows) {
    const auto source = row[0].get<std::string>();
    const auto result = render(source, context);
    if (row.size() == 1) {
      EXPECT_FALSE(result.ok()) << source << "\n gave " << (result.ok() ? *result : "");
    } else {
      ASSERT_TRUE(result.ok()) << source << ": " << result.error().message;
      EXPECT_EQ(*result, row[1].get<std::string>()) << source;
    }
  }
}

TEST(ChatTemplate, KnowsTheVariablesItMentions) {
  const auto parsed = ChatTemplate::parse("{% if a is defined and not b.c %}enable_thinking {{ 'd' }}{% endif %}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->mentions("a"));
  EXPECT_TRUE(parsed->mentions("b"));
  for (const char* name : {"c", "d", "enable_thinking"}) EXPECT_FALSE(parsed->mentions(name)) << name;
}

TEST(ChatTemplate, NamesLineAndCauseOfErrors) {
  const auto message = [](std::string_view source) {
    const auto result = render(source);
    EXPECT_FALSE(result.ok()) << source;
    return result.ok() ? "" : result.error().message;
  };
  EXPECT_THAT(message("a\nb\n{{ x.y }}"), HasSubstr("line 3: 'x' is undefined"));
  EXPECT_THAT(message("\n{% if 1 %}"), HasSubstr("line 2: Unexpected end of template"));
  EXPECT_THAT(message("{{ raise_exception('roles must alternate') }}"), HasSubstr("roles must alternate"));
  EXPECT_THAT(message("{{ 1 | nosuch }}"), HasSubstr("No filter named 'nosuch'"));
  EXPECT_THAT(message("{{ (1, "), HasSubstr("unexpected"));
  EXPECT_EQ(render("{% include 'x' %}").error().code, ErrorCode::unsupported);
  EXPECT_EQ(render("{{ x.y }}").error().code, ErrorCode::invalid_argument);
}

TEST(ChatTemplate, RefusesWhatJsonAndUtf8CannotCarry) {
  EXPECT_FALSE(render("{{ 1 }}", Json::array()).ok());
  EXPECT_FALSE(ChatTemplate::parse("\xff").ok());
  EXPECT_FALSE(render("{{ x }}", Json{{"x", "\xc3"}}).ok());
  EXPECT_FALSE(render("{{ x }}", Json{{"x", 18446744073709551615u}}).ok());
  EXPECT_EQ(*render("{{ y }}", Json{{"x", "\xc3"}, {"y", 9223372036854775807}}), "9223372036854775807");
  EXPECT_FALSE(render("{{ 9223372036854775807 + 1 }}").ok());
  EXPECT_FALSE(render("{{ 9223372036854775808 }}").ok());
}

// Each of these asks for far more than it may have; each must be refused soon.
TEST(ChatTemplate, BoundsHostileTemplates) {
  TemplateLimits limits;
  limits.max_steps = 300'000;
  limits.max_memory_bytes = 8 << 20;
  limits.max_output_bytes = 1 << 20;
  const char* hostile[] = {
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "{{ 'a' * 1000000000 }}",
      "{{ [0] * 1000000000 }}",
      "{{ 'ab' * 4611686018427387904 }}",
      "{{ 'a'.ljust(1000000000) }}",
      "{{ 'a'.center(9223372036854775807) }}",
      "{{ '%999999999d' % 1 }}",
      "{{ '{:999999999}'.format(1) }}",
      "{{ '%.999999999f' % 1.0 }}",
      "{{ 'a'.zfill(1000000000) }}",
      "{{ '\\t'.expandtabs(1000000000) }}",
      "{{ 'a'|indent(1000000000) }}",
      "{{ 'a\\nb'|indent(1000000000) }}",
      "{{ [1]|tojson(indent=1000000000) }}",
      "{{ [1]|batch(1000000000, 0)|list }}",
      "{{ [1]|slice(1000000000)|list }}",
      "{{ range(99999)|list * 99999 }}",
      "{% set ns = namespace(s='a') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s='a') %}{% for i in range(64) %}{% set ns.s = ns.s.replace('a', 'aa') %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson "
      "}}",
      "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s] %}"
      "{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
      "{% set x = 'a' * 100000 %}{{ ([x] * 1000)|join }}",
      "{% set x = 'a' * 100000 %}{{ ''.join([x] * 1000) }}",
      "{% set x = 'a' * 100000 %}{{ ([x] * 1000)|tojson }}",
      "{% set x = 'a' * 100000 %}{{ [x] * 1000 }}",
      "{% set x = 'a' * 100000 %}{% for i in range(1000) %}{{ x }}{% endfor %}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m(n) %}{% if n %}{% for i in [1] %}{{ m(n) }}{% endfor %}{% endif %}{% endmacro %}{{ m(1) }}",
      "{% macro m() %}{% call m() %}{{ caller }}{% endcall %}{{ caller }}{% endmacro %}{{ m() }}",
      "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
      "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
      "{% set ns = namespace(x=1) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
      "{% set ns = namespace(x=1) %}{% for i in range(9999) %}{% set ns.x = (ns.x,) %}{% endfor %}{{ {ns.x: 1} }}",
  };
  for (const char* source : hostile) {
    const auto result = render(source, Json::object(), limits);
    ASSERT_FALSE(result.ok()) << source;
    EXPECT_EQ(result.error().code, ErrorCode::limit_exceeded) << source << ": " << result.error().message;
  }
}

TEST(ChatTemplate, BoundsHostileSources) {
  const auto code = [](const std::string& source) {
    const auto parsed = ChatTemplate::parse(source);
    EXPECT_FALSE(parsed.ok());
    return parsed.ok() ? ErrorCode::internal : parsed.error().code;
  };
  const auto times = [](size_t n, std::string_view text) {
    std::string out;
    for (size_t i = 0; i < n; ++i) out += text;
    return out;
  };
  EXPECT_EQ(code("{{ " + times(100000, "(") + times(100000, ")") + " }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ " + times(100000, "[") + times(100000, "]") + " }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ " + times(100000, "not ") + "1 }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ " + times(100000, "-") + "1 }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ 1" + times(100000, "+1") + " }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ x" + times(100000, ".x") + " }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ x" + times(100000, "|e") + " }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ 1" + times(100000, " if 1") + " }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ 1" + times(100000, " if 1 else 1") + " }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code(times(100000, "{% if 1 %}")), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{% if 1 %}" + times(100000, "{% elif 1 %}") + "{% endif %}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{% set " + times(100000, "(") + "x"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code("{{ [" + times(1500000, "1,") + "] }}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code(std::string(5 << 20, 'x')), ErrorCode::limit_exceeded);
}

TEST(ChatTemplate, FreesCyclesAndDeepValues) {  // under ASan a leak or an overflow fails here
  EXPECT_EQ(*render("{% set ns = namespace() %}{% set ns.x = [ns] %}{% set ns.m = {'k': ns} %}ok"), "ok");
  EXPECT_EQ(*render("{% macro m() %}{{ m is defined }}{% endmacro %}{% set ns = namespace(m=m) %}{{ m() }}"), "True");
  EXPECT_EQ(*render("{% set ns = namespace(x=1) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{% endfor %}ok"),
            "ok");
  EXPECT_EQ(*render("{% set ns = namespace() %}{% set ns.g = [ns]|map('string') %}ok"), "ok");
}

TEST(ChatTemplate, RendersLongConversationsWithinItsSteps) {
  Json messages = Json::array();
  for (int i = 0; i < 4000; ++i)
    messages.push_back({{"role", i % 2 == 0 ? "user" : "assistant"}, {"content", std::string(500, 'x')}});
  const auto result =
      render(read("models/Qwen-Qwen3-0.6B.jinja"), Json{{"messages", messages}, {"add_generation_prompt", true}});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_GT(result->size(), 2'000'000u);
}

TEST(ChatTemplate, OneTemplateRendersOnSeveralThreads) {
  const auto parsed = ChatTemplate::parse(
      "{% macro m(x) %}<{{ x }}>{% endmacro %}{% for i in range(200) %}{{ m('a' ~ i) }}{% endfor %}");
  ASSERT_TRUE(parsed.ok());
  const std::string expected = *parsed->render(Json::object());
  std::vector<std::string> results(4);
  std::vector<std::thread> threads;
  for (std::string& out : results) threads.emplace_back([&] { out = *parsed->render(Json::object()); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& out : results) EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace ingle::core
