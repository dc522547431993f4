// GBNF, regular expressions and schemas: what is refused, and how; bounds.
#include "core/grammar/grammar.h"

#include <ctime>
#include <functional>

#include "core/grammar/test_grammar.h"

namespace ingle::core {
namespace {

using base::ErrorCode;

void expect_error(const base::Result<Grammar>& got, ErrorCode code, std::string_view part) {
  ASSERT_FALSE(got.ok()) << part;
  EXPECT_EQ(got.error().code, code) << got.error().message;
  EXPECT_NE(got.error().message.find(part), std::string::npos) << got.error().message;
}
base::Result<Grammar> compile(std::string_view schema, const GrammarLimits& limits = {}) {
  return Grammar::compile_json_schema(json(schema), {}, limits);
}

TEST(Gbnf, Language) {
  const Grammar list = gbnf(R"(# a list
root ::= item ("," ws
          item)* end?   # lines may break in parentheses
item ::= [a-c] | "x\x41\u00e9" |
         "\"" [^"\\]* "\""
ws   ::= " "{0,2}
end  ::= "\n" | .{2,})");
  for (const char* text : {"a", "a,b,  c", "xA\xc3\xa9", "\"\xe2\x82\xac, \",a\n", "a!!", "a\xf0\x9f\x98\x80!"})
    EXPECT_TRUE(takes(list, text)) << text;
  for (const char* text : {"", "d", "a,", "xA", "a!", "\"\\\"", "a\xf0\x9f\x98\x80"})
    EXPECT_FALSE(takes(list, text)) << text;
  EXPECT_TRUE(takes(gbnf("root ::= a-b_1{2}\na-b_1 ::= [\\]\\-x]"), "]-"));
}

TEST(Gbnf, Recursion) {
  const Grammar nested = gbnf("root ::= \"(\" root \")\" root | \"\"");
  for (const char* text : {"", "()", "(()())()", "((((()))))"}) EXPECT_TRUE(takes(nested, text)) << text;
  for (const char* text : {"(", ")", "(()", "())"}) EXPECT_FALSE(takes(nested, text)) << text;
  // As older JSON grammars have it: a rule that ends in itself.
  EXPECT_TRUE(takes(gbnf("root ::= ws \"a\"\nws ::= ([ \\t] ws)?"), std::string(50'000, ' ') + "a"));
  // Each text can be read in very many ways.
  EXPECT_TRUE(takes(gbnf("root ::= s\ns ::= \"a\" | \"a\" s | \"a\" s s"), std::string(300, 'a')));
}

TEST(Gbnf, Errors) {
  using G = Grammar;
  expect_error(G::compile_gbnf(""), ErrorCode::invalid_argument, "'root'");
  expect_error(G::compile_gbnf("root ::= a\n\nb ::= \"x\""), ErrorCode::invalid_argument,
               "line 1: there is no rule 'a'");
  expect_error(G::compile_gbnf("root ::= \"a\nroot ::= \"b\""), ErrorCode::invalid_argument, "line");
  expect_error(G::compile_gbnf("root ::= \"a\"\nroot ::= \"b\""), ErrorCode::invalid_argument,
               "line 2: the rule 'root' is defined twice");
  expect_error(G::compile_gbnf("root ::= root \"a\" | \"b\""), ErrorCode::invalid_argument, "left recursion");
  expect_error(G::compile_gbnf("root ::= x \"a\"\nx ::= y? z\ny ::= \"q\"\nz ::= root | \"c\""),
               ErrorCode::invalid_argument, "left recursion");
  expect_error(G::compile_gbnf("root ::= \"a\" root"), ErrorCode::invalid_argument, "no text");
  expect_error(G::compile_gbnf("root ::= [z-a]"), ErrorCode::invalid_argument, "out of order");
  expect_error(G::compile_gbnf("root ::= \"\\ud800\""), ErrorCode::invalid_argument, "no character");
  expect_error(G::compile_gbnf("root ::= \"\\q\""), ErrorCode::invalid_argument, "escape");
  expect_error(G::compile_gbnf("root ::= (\"a\""), ErrorCode::invalid_argument, "')'");
  expect_error(G::compile_gbnf("root ::= \"a\"{3,2}"), ErrorCode::invalid_argument, "out of order");
  expect_error(G::compile_gbnf("root ::= <[12]>"), ErrorCode::unsupported, "literals");
  expect_error(G::compile_gbnf("root ::= %json{\"contains\": {}}"), ErrorCode::unsupported, "'contains' at #");
  expect_error(G::compile_gbnf("root ::= %json{\"a\": \"}\""), ErrorCode::invalid_argument, "unfinished schema");
  expect_error(G::compile_gbnf("root ::= %until(\"\")"), ErrorCode::invalid_argument, "empty");
  expect_error(G::compile_gbnf("root ::= \"\xff\""), ErrorCode::invalid_argument, "UTF-8");
}

TEST(Regex, Errors) {
  using G = Grammar;
  for (const char* pattern :
       {"(?=a)", "(?!a)", "(?<=a)b", "\\bx", "(a)\\1", "\\p{L}", "(?i)a", "a^b", "a$b", "(a|^b)c$d", "\\A", "\\Z"})
    EXPECT_EQ(G::compile_regex(pattern).ok() ? ErrorCode::internal : G::compile_regex(pattern).error().code,
              ErrorCode::unsupported)
        << pattern;
  for (const char* pattern :
       {"(", ")", "a**", "*", "[a", "a{2,1}", "\\", "\\x1", "[b-a]", "\\ud800", "a{2}{3}", "\xff"})
    EXPECT_EQ(G::compile_regex(pattern).ok() ? ErrorCode::internal : G::compile_regex(pattern).error().code,
              ErrorCode::invalid_argument)
        << pattern;
  expect_error(G::compile_regex("a(b"), ErrorCode::invalid_argument, "at byte 3");
}

TEST(JsonSchema, RefusesByName) {
  for (const char* keyword : {"contains", "unevaluatedProperties", "unevaluatedItems", "minContains", "$anchor",
                              "$dynamicRef", "$dynamicAnchor", "$vocabulary", "format2"}) {
    const base::Json schema = {{"properties", {{"a/b", {{keyword, base::Json::object()}}}}}};
    expect_error(Grammar::compile_json_schema(schema), ErrorCode::unsupported,
                 std::string("'") + keyword + "' at #/properties/a~1b");
  }
  expect_error(compile(R"({"type":"array","prefixItems":[{}],"items":{},"uniqueItems":true})"), ErrorCode::unsupported,
               "'uniqueItems' at #");
  expect_error(compile(R"({"type":"array","items":{"type":"object"},"uniqueItems":true,"minItems":2})"),
               ErrorCode::unsupported, "'uniqueItems' at #");
  expect_error(compile(R"({"properties":{"a":{"not":{"format":"date"}}}})"), ErrorCode::unsupported,
               "'format' at #/properties/a/not");
  expect_error(compile(R"({"if":{"items":{"type":"null"}},"then":{"maxItems":2}})"), ErrorCode::unsupported,
               "'items' at #/if");
  expect_error(compile(R"({"dependencies":{"a":"b"}})"), ErrorCode::unsupported, "'dependencies' at #");
  EXPECT_TRUE(compile(R"({"uniqueItems":false,"x-any":1})").ok());
  expect_error(compile(R"({"$ref":"other.json"})"), ErrorCode::unsupported, "'$ref' at #");
  expect_error(compile(R"({"$ref":"#/$defs/x"})"), ErrorCode::invalid_argument, "nothing at #/$defs");
  expect_error(compile(R"({"properties":{"a":{"$id":"b","items":{"$ref":"#"}}}})"), ErrorCode::unsupported,
               "'$id' at #/properties/a");
  EXPECT_TRUE(compile(R"({"properties":{"a":{"$id":"#a"},"b":{"$id":"b"}}})").ok());
  expect_error(compile(R"({"type":"strin"})"), ErrorCode::invalid_argument, "'type' at #");
  expect_error(compile(R"({"minLength":-1})"), ErrorCode::invalid_argument, "'minLength'");
  expect_error(compile(R"({"properties":[]})"), ErrorCode::invalid_argument, "'properties'");
  expect_error(compile(R"({"required":[1]})"), ErrorCode::invalid_argument, "'required'");
  expect_error(compile(R"([])"), ErrorCode::invalid_argument, "a schema is missing");
  expect_error(Grammar::compile_json_schema({{"pattern", "(?=a)"}}), ErrorCode::unsupported, "'pattern' at #");
  expect_error(compile("false"), ErrorCode::invalid_argument, "no text");
  expect_error(compile(R"({"type":"integer","minimum":3,"maximum":2})"), ErrorCode::invalid_argument, "no text");
  expect_error(compile(R"({"type":"string","minLength":3,"maxLength":2})"), ErrorCode::invalid_argument, "no text");
  expect_error(compile(R"({"type":"object","required":["a"],"properties":{"a":false}})"), ErrorCode::invalid_argument,
               "no text");
}

TEST(JsonSchema, OneOfOnlyWhereProvablyDisjoint) {
  for (
      const char* schema : {
          R"({"oneOf":[{"type":"number"},{"type":"integer"}]})",
          R"({"oneOf":[{"type":"string"},{"type":"string","maxLength":3}]})",
          R"({"oneOf":[{"type":"object"},{"type":"object","properties":{"a":true}}]})",
          R"({"oneOf":[{"const":"auto"},{"type":"string","format":"date"}]})",
          R"({"oneOf":[{"type":"string","pattern":"^a"},{"type":"string","pattern":"b$"}]})",
          R"({"oneOf":[{"minimum":3,"type":"integer"},{"type":"integer","maximum":3}]})",
          R"({"oneOf":[{"required":["a"],"type":"object"},{"required":["a","b"],"type":"object","additionalProperties":true}]})",
      })
    expect_error(compile(schema), ErrorCode::unsupported, "'oneOf' at #: the branches");
  for (
      const char* schema : {
          R"({"oneOf":[{"type":"string","pattern":"^a"},{"type":"string","pattern":"^b"}]})",
          R"({"oneOf":[{"type":"array","maxItems":1},{"type":"array","minItems":2}]})",
          R"({"oneOf":[{"const":1},{"const":1.5},{"const":"1"},{"type":"null"}]})",
          R"({"type":["string","null"],"oneOf":[{"type":"string"},{"type":"null"}]})",
          R"({"oneOf":[{"type":"object","required":["a"],"properties":{"a":{"const":1}}},{"type":"object","properties":{"a":{"const":2}}}]})",
      })
    EXPECT_TRUE(compile(schema).ok()) << schema << ": " << compile(schema).error().message;
}

// Up to draft 7 what stands beside a reference says nothing: "ab" is then valid by both branches.
TEST(JsonSchema, ReferencesOfOldDrafts) {
  const std::string branches =
      R"("oneOf":[{"$ref":"#/$defs/s","minLength":3},{"type":"string","maxLength":2}],"$defs":{"s":{"type":"string"}}})";
  const Grammar now = schema("{" + branches);
  const Grammar then = schema(R"({"$schema":"http://json-schema.org/draft-07/schema#",)" + branches);
  EXPECT_TRUE(takes(now, "\"ab\""));
  EXPECT_TRUE(takes(now, "\"abc\""));
  EXPECT_FALSE(takes(then, "\"ab\""));
  EXPECT_TRUE(takes(then, "\"abc\""));
}

// A validator need not check formats, so `not` and `if` of one hold only where they do either way.
TEST(JsonSchema, NegatedFormats) {
  const Grammar constants = schema(R"({"enum":["2024-01-01","x",1],"not":{"type":"string","format":"date"}})");
  EXPECT_TRUE(takes(constants, "1"));
  EXPECT_FALSE(takes(constants, "\"x\""));
  EXPECT_FALSE(takes(constants, "\"2024-01-01\""));
  const Grammar twice = schema(R"({"enum":["2024-01-01","x",1],"not":{"not":{"type":"string","format":"date"}}})");
  EXPECT_TRUE(takes(twice, "\"2024-01-01\""));
  EXPECT_FALSE(takes(twice, "\"x\""));
  EXPECT_FALSE(takes(twice, "1"));
  const Grammar conditions = schema(
      R"({"enum":["ab","abc",1],"if":{"type":"string","format":"date"},"then":{"maxLength":2},"else":{"minLength":2}})");
  EXPECT_TRUE(takes(conditions, "\"ab\""));
  EXPECT_FALSE(takes(conditions, "\"abc\""));
  EXPECT_TRUE(takes(conditions, "1"));
}

// Behind two `not`, too, the branches of a oneOf are what is in question: 1 is in all of these.
TEST(JsonSchema, OneOfBehindNot) {
  const char* one_of = R"({"oneOf":[{"enum":["a",1]},{"enum":[false,1]},{"type":"integer"}]})";
  expect_error(compile(R"({"not":{"not":)" + std::string(one_of) + "}}"), ErrorCode::unsupported,
               "'oneOf' at #/not/not");
  const Grammar once = schema(R"({"enum":[1,2,"a","b",null],"not":)" + std::string(one_of) + "}");
  for (const char* text : {"\"b\"", "null"}) EXPECT_TRUE(takes(once, text)) << text;
  for (const char* text : {"2", "\"a\""}) EXPECT_FALSE(takes(once, text)) << text;
}

// What a validator may take is more than what we write: it need not check formats, so in how many branches of a oneOf
// inside a `not` a value is can't be told.
TEST(JsonSchema, TheOtherSide) {
  expect_error(compile(R"({"oneOf":[{"type":"integer","format":"int32"},{"type":"integer","minimum":3000000000}]})"),
               ErrorCode::unsupported, "'oneOf' at #");
  expect_error(
      compile(R"({"oneOf":[{"const":1},{"not":{"oneOf":[{"type":"integer"},{"type":["integer","string"]}]}}]})"),
      ErrorCode::unsupported, "'oneOf' at #");
  const Grammar formats =
      schema(R"({"enum":[["x"],[1]],"items":{"not":{"oneOf":[{"type":"string","format":"date"},{"type":"string"}]}}})");
  EXPECT_FALSE(takes(formats, R"(["x"])"));
  EXPECT_TRUE(takes(formats, "[1]"));
}

TEST(JsonSchema, ConstantsUnderLogic) {
  const Grammar inside = schema(R"({"enum":[{"a":1},{"a":2}],"properties":{"a":{"not":{"const":1}}}})");
  EXPECT_FALSE(takes(inside, R"({"a": 1})"));
  EXPECT_TRUE(takes(inside, R"({"a": 2})"));
  const Grammar dependent = schema(R"({"enum":[{"a":1},{"b":1},{"a":1,"b":2}],"dependentRequired":{"a":["b"]}})");
  EXPECT_FALSE(takes(dependent, R"({"a": 1})"));
  EXPECT_TRUE(takes(dependent, R"({"b": 1})"));
  EXPECT_TRUE(takes(dependent, R"({"a": 1, "b": 2})"));
}

TEST(JsonSchema, MadeOfItself) {
  for (const char* schema :
       {R"({"not":{"not":{"$ref":"#"}}})", R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})",
        R"({"anyOf":[{"$ref":"#"},{"type":"string"}]})",
        R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})",
        R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}}})"})
    expect_error(compile(schema), ErrorCode::invalid_argument, "made of itself");
  expect_error(compile(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})"),
               ErrorCode::invalid_argument, "no text");
}

TEST(JsonSchema, SurrogatesComeInPairs) {
  const Grammar one = schema(R"({"type":"string","minLength":1,"maxLength":1})");
  for (const char* text : {R"("\ud83d\ude00")", R"("\uD83D\uDE00")", R"("\ud7ff")", R"("\ue000")", R"("\u0000")"})
    EXPECT_TRUE(takes(one, text)) << text;
  for (const char* text : {R"("\ud83d")", R"("\ude00")", R"("\udc00")", R"("\ud83d\u0041")", R"("\ud83dx")",
                           R"("\udc00\udc00")", R"("\ud83d\ud83d")", R"("\u00g0")", R"("\x")"})
    EXPECT_FALSE(takes(one, text)) << text;
}

// The same unlisted key twice is one property.
TEST(JsonSchema, LeastNumberOfProperties) {
  const Grammar two =
      schema(R"({"type":"object","properties":{"a":true},"additionalProperties":true,"minProperties":2})");
  EXPECT_TRUE(takes(two, R"({"a": 1, "b": 2})"));
  EXPECT_FALSE(takes(two, R"({"b": 1, "b": 2})"));
}

// Where no item can be written, neither may a list be begun that must have some.
TEST(JsonSchema, ListsThatCannotBe) {
  const Grammar either = schema(
      R"({"anyOf":[{"type":"array","prefixItems":[{"type":"integer"}],"items":false,"minItems":3},{"type":"string"},{"type":"array","items":{"$ref":"#/$defs/n"},"minItems":2}],"$defs":{"n":{"type":"object","required":["n"],"properties":{"n":{"$ref":"#/$defs/n"}}}}})");
  EXPECT_TRUE(takes(either, "\"x\""));
  EXPECT_FALSE(begins(either, "["));
}

TEST(JsonSchema, Options) {
  const char* text = R"({"type":"object","properties":{"a":{"type":"integer"}}})";
  EXPECT_FALSE(takes(schema(text), R"({"b":1})"));
  EXPECT_TRUE(takes(schema(text, {.open_objects = true}), R"({"b":1})"));
  EXPECT_FALSE(takes(schema(text, {.open_objects = true}), R"({"a":"x"})"));
  EXPECT_FALSE(takes(schema(text, {.spacing = JsonSpacing::compact}), R"({"a": 1})"));
  EXPECT_FALSE(takes(schema(text), "{\n  \"a\": 1\n}"));
  EXPECT_TRUE(takes(schema(text, {.spacing = JsonSpacing::indented}), "{\n  \"a\": 1\n}"));
  EXPECT_FALSE(takes(schema(text, {.spacing = JsonSpacing::indented}), "{\n" + std::string(41, ' ') + "\"a\":1}"));
  const Grammar object = must(Grammar::compile_json_object());
  EXPECT_TRUE(takes(object, R"({"a": [1, {"b": null}], "": "\u00e9"})"));
  EXPECT_FALSE(takes(object, "[]"));
  EXPECT_FALSE(takes(object, R"({"a": "\ud800"})"));
  EXPECT_FALSE(takes(object, "{\"a\": \"\n\"}"));
}

TEST(Limits, AreNamed) {
  GrammarLimits limits;
  limits.max_depth = 8;
  expect_error(Grammar::compile_gbnf("root ::= " + std::string(50, '(') + "\"a\"" + std::string(50, ')'), limits),
               ErrorCode::limit_exceeded, "limit of 8");
  expect_error(Grammar::compile_regex(std::string(50, '(') + "a" + std::string(50, ')'), limits),
               ErrorCode::limit_exceeded, "limit of 8");
  limits = {};
  limits.max_source_bytes = 10;
  expect_error(Grammar::compile_gbnf("root ::= \"aaaaa\"", limits), ErrorCode::limit_exceeded, "limit of 10");
  expect_error(Grammar::compile_regex("aaaaaaaaaaaa", limits), ErrorCode::limit_exceeded, "limit of 10");
  limits = {};
  limits.max_states = 100;
  expect_error(
      compile(
          R"({"enum":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]})",
          limits),
      ErrorCode::limit_exceeded, "states");
  limits = {};
  limits.max_rules = 3;
  expect_error(
      compile(R"({"properties":{"a":{"type":"string"},"b":{"maxLength":3},"c":{"maxLength":4},"d":{"maxLength":5}}})",
              limits),
      ErrorCode::limit_exceeded, "limit of 3");
  limits = {};
  limits.max_repeat = 100;
  expect_error(Grammar::compile_gbnf("root ::= \"a\"{101}", limits), ErrorCode::limit_exceeded, "limit of 100");
  limits = {};
  limits.max_alternatives = 10;
  expect_error(
      compile(
          R"({"allOf":[{"anyOf":[{"minimum":1},{"minimum":2},{"minimum":3},{"minimum":4}]},{"anyOf":[{"maximum":1},{"maximum":2},{"maximum":3},{"maximum":4}]}]})",
          limits),
      ErrorCode::limit_exceeded, "limit of 10");
  limits = {};
  limits.max_work = 1000;
  expect_error(compile(R"({"type":"string","pattern":"^(a|b){1,50}$"})", limits), ErrorCode::limit_exceeded,
               "limit of 1000");
}

/// What takes long without bounds: each ends, by success or by a limit, in a few seconds even on a busy machine.
TEST(Limits, HostileSourcesEnd) {
  std::vector<std::function<base::Result<Grammar>()>> sources;
  const auto add_schema = [&](base::Json schema) {
    sources.push_back([s = std::move(schema)] { return Grammar::compile_json_schema(s); });
  };
  for (const char* pattern : {"(a|b)*a(a|b){40}", "((a{100}){100}){100}", "(((((((a+)+)+)+)+)+)+)+$", ".{1000000}",
                              "(.{1,30}x){1,30}", "(a?){500}(b?){500}"}) {
    sources.push_back([=] { return Grammar::compile_regex(pattern); });
    add_schema({{"type", "string"}, {"pattern", pattern}});
    add_schema({{"type", "string"}, {"pattern", pattern}, {"maxLength", 100'000}});
  }
  base::Json all = base::Json::array();
  for (int i = 0; i < 40; i++) {
    const std::string a(1, static_cast<char>('a' + i % 26)), b(1 + static_cast<size_t>(i) / 26, 'z');
    all.push_back({{"anyOf", {{{"required", {a + b}}}, {{"required", {b + a}}}}}});
  }
  add_schema({{"type", "object"}, {"allOf", all}});
  base::Json deep = {{"type", "string"}};
  for (int i = 0; i < 5000; i++) deep = base::Json{{"items", std::move(deep)}};
  add_schema(deep);
  base::Json wide = base::Json::object(), values = base::Json::array(), chain = base::Json::object();
  for (int i = 0; i < 12'000; i++) {
    const std::string name = "property_with_a_long_name_" + std::to_string(i * 7919);
    wide[name] = {{"type", "string"}, {"maxLength", i}};
    values.push_back(name);
    if (i < 4000) chain["d" + std::to_string(i)] = {{"$ref", "#/$defs/d" + std::to_string(i + 1)}};
  }
  add_schema({{"type", "object"}, {"properties", wide}});
  add_schema({{"type", "object"}, {"properties", wide}, {"additionalProperties", true}, {"minProperties", 5000}});
  add_schema({{"enum", values}});
  add_schema({{"not", {{"enum", values}}}});
  add_schema({{"not", {{"required", values}}}});
  add_schema({{"not", {{"properties", wide}}}});
  add_schema({{"type", "array"}, {"uniqueItems", true}, {"items", {{"enum", values}}}});
  add_schema({{"type", "array"}, {"uniqueItems", true}, {"items", {{"type", "string"}, {"maxLength", 100'000}}}});
  base::Json negated = {{"type", "string"}}, conditions = negated, dependent = base::Json::object();
  for (int i = 0; i < 5000; i++) negated = base::Json{{"not", std::move(negated)}};
  for (int i = 0; i < 200; i++) conditions = base::Json{{"if", std::move(conditions)}, {"then", {{"minLength", i}}}};
  for (int i = 0; i < 40; i++) dependent["a" + std::to_string(i)] = base::Json::array({"b" + std::to_string(i)});
  add_schema(negated);
  add_schema(conditions);
  add_schema({{"enum", {"x"}}, {"allOf", {conditions}}});
  add_schema({{"type", "object"}, {"dependentRequired", dependent}});
  add_schema({{"$ref", "#/$defs/d0"}, {"$defs", chain}});
  add_schema({{"type", "array"}, {"minItems", 1'000'000'000}, {"maxItems", 2'000'000'000}});
  add_schema({{"type", "string"}, {"minLength", 1'000'000'000}});
  sources.push_back([] { return Grammar::compile_gbnf("root ::= ((\"a\"{1000000} \"b\"){1000000} \"c\"){1000000}"); });
  sources.push_back([] { return Grammar::compile_gbnf("root ::= " + std::string(400'000, '.')); });
  sources.push_back([] {
    std::string text = "root ::= r0\n";
    for (int i = 0; i < 30'000; i++)
      text += "r" + std::to_string(i) + " ::= \"(\" r" + std::to_string(i + 1) + "? \")\"\n";
    return Grammar::compile_gbnf(text + "r30000 ::= \"x\"");
  });
  for (size_t i = 0; i < sources.size(); i++) {
    const std::clock_t begin = std::clock();
    const auto grammar = sources[i]();
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    EXPECT_LT(seconds, 20) << "source " << i;
    if (!grammar.ok()) {
      EXPECT_EQ(grammar.error().code, ErrorCode::limit_exceeded) << i << ": " << grammar.error().message;
      continue;
    }
    EXPECT_LT(grammar->memory_bytes(), 300u << 20) << "source " << i;
    Matcher matcher(Constraint::make(*grammar, byte_trie()));
    (void)mask_of(matcher);
  }
}

}  // namespace
}  // namespace ingle::core
