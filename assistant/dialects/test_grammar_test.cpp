#include "assistant/dialects/test_grammar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "assistant/dialects/json_scanner.h"
#include "base/json.h"

namespace ingle::assistant {
namespace {

using base::Json;

struct Node {
  enum class Kind { literal, characters, rule, sequence, choice, repeat, json, until };
  Kind kind = Kind::sequence;
  std::string text;     // literal, until: the text; rule: its name
  bool others = false;  // characters: all but these
  std::vector<std::pair<char32_t, char32_t>> ranges;
  std::vector<std::unique_ptr<Node>> parts;
  bool none = false, many = false;  // repeat
  Json schema;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::map<std::string, std::unique_ptr<Node>> rules() {
    std::map<std::string, std::unique_ptr<Node>> out;
    while (skip(true), at_ < text_.size()) {
      const std::string name = word();
      skip(false);
      expect("::=");
      EXPECT_FALSE(name.empty() || out.contains(name)) << name;
      if (name.empty()) break;
      out[name] = choice();
    }
    return out;
  }

 private:
  void skip(bool lines) {
    while (at_ < text_.size() && (text_[at_] == ' ' || (lines && text_[at_] == '\n'))) ++at_;
  }
  bool next(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  void expect(std::string_view what) { EXPECT_TRUE(next(what)) << "no " << what << " at " << text_.substr(at_, 40); }
  std::string word() {
    const size_t from = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '-')) ++at_;
    return std::string(text_.substr(from, at_ - from));
  }
  char32_t character() {
    if (!next("\\")) {
      char32_t c = static_cast<unsigned char>(text_[at_++]);
      if (c >= 0x80) {
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        c &= c >= 0xf0 ? 7 : c >= 0xe0 ? 15 : 31;
        while (more-- > 0) c = (c << 6) | (static_cast<unsigned char>(text_[at_++]) & 63);
      }
      return c;
    }
    const char kind = text_[at_++];
    if (kind == 'n') return '\n';
    if (kind == 'x') {
      const std::string digits(text_.substr(at_, 2));
      at_ += 2;
      return static_cast<char32_t>(std::stoul(digits, nullptr, 16));
    }
    EXPECT_TRUE(kind == '"' || kind == '\\') << kind;
    return static_cast<unsigned char>(kind);
  }
  std::string quoted() {
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') append_utf8(out, character());
    expect("\"");
    return out;
  }
  std::unique_ptr<Node> choice() {
    auto node = std::make_unique<Node>();
    node->kind = Node::Kind::choice;
    do node->parts.push_back(sequence());
    while (skip(false), next("|"));
    return node;
  }
  std::unique_ptr<Node> sequence() {
    auto node = std::make_unique<Node>();
    while (skip(false), at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')' && text_[at_] != '\n') {
      const size_t before = at_;
      auto part = item();
      EXPECT_GT(at_, before) << text_.substr(at_, 40);
      if (at_ == before) break;
      for (const std::string_view mark : {"*", "+", "?"}) {
        if (!next(mark)) continue;
        auto repeat = std::make_unique<Node>();
        repeat->kind = Node::Kind::repeat;
        repeat->none = mark != "+";
        repeat->many = mark != "?";
        repeat->parts.push_back(std::move(part));
        part = std::move(repeat);
      }
      node->parts.push_back(std::move(part));
    }
    return node;
  }
  std::unique_ptr<Node> item() {
    auto node = std::make_unique<Node>();
    if (next("\"")) {
      node->kind = Node::Kind::literal;
      node->text = quoted();
    } else if (next("(")) {
      node = choice();
      skip(false);
      expect(")");
    } else if (next("[")) {
      node->kind = Node::Kind::characters;
      node->others = next("^");
      while (!next("]")) {
        const char32_t from = character();
        const bool range = text_[at_] == '-';
        if (range) ++at_;
        node->ranges.emplace_back(from, range ? character() : from);
      }
    } else if (next("%until(\"")) {
      node->kind = Node::Kind::until;
      node->text = quoted();
      expect(")");
    } else if (next("%json")) {
      node->kind = Node::Kind::json;
      JsonScanner scanner;
      std::string json;
      Take taken = Take::more;
      while (taken == Take::more && at_ < text_.size()) taken = scanner.take(text_[at_++], json);
      EXPECT_EQ(taken, Take::done);
      node->schema = base::parse_json(json).value();
    } else {
      node->kind = Node::Kind::rule;
      node->text = word();
    }
    return node;
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool valid(const Json& value, const Json& schema) {
  if (!schema.is_object()) return true;
  if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end()) return false;
  if (schema.contains("anyOf")) {
    return std::ranges::any_of(schema["anyOf"], [&](const Json& one) { return valid(value, one); });
  }
  const auto is = [&](const Json& type) {
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
           (type == "null" && value.is_null()) || (type == "number" && value.is_number()) ||
           (type == "integer" && value.is_number_integer());
  };
  if (schema.contains("type")) {
    const Json& type = schema["type"];
    if (type.is_array() ? std::ranges::none_of(type, is) : !is(type)) return false;
  }
  if (value.is_array() && schema.contains("items")) {
    return std::ranges::all_of(value, [&](const Json& one) { return valid(one, schema["items"]); });
  }
  if (!value.is_object() || !schema.contains("properties")) return true;
  for (const Json& key : schema.value("required", Json::array())) {
    if (!value.contains(key.get<std::string>())) return false;
  }
  for (const auto& [key, member] : value.items()) {
    if (!schema["properties"].contains(key) || !valid(member, schema["properties"][key])) return false;
  }
  return true;
}

class Matcher {
 public:
  Matcher(const std::map<std::string, std::unique_ptr<Node>>& rules, std::string_view text)
      : rules_(rules), text_(text) {}

  const std::set<size_t>& ends(const Node& node, size_t at) {
    const auto [place, fresh] = known_.try_emplace({&node, at});
    if (fresh) {
      std::set<size_t> found = find(node, at);
      place->second = std::move(found);
    }
    return place->second;
  }

 private:
  std::set<size_t> find(const Node& node, size_t at) {
    const std::string_view rest = text_.substr(at);
    std::set<size_t> out;
    switch (node.kind) {
      case Node::Kind::literal:
        if (rest.starts_with(node.text)) out.insert(at + node.text.size());
        break;
      case Node::Kind::until:
        if (const size_t found = rest.find(node.text); found != rest.npos) out.insert(at + found + node.text.size());
        break;
      case Node::Kind::characters:
        return character(node, at);
      case Node::Kind::json:
        return json(node, at);
      case Node::Kind::rule: {
        const auto rule = rules_.find(node.text);
        EXPECT_NE(rule, rules_.end()) << "no rule " << node.text;
        if (rule != rules_.end()) return ends(*rule->second, at);
        break;
      }
      case Node::Kind::choice:
        for (const auto& part : node.parts) out.merge(std::set(ends(*part, at)));
        break;
      case Node::Kind::sequence:
        out = {at};
        for (const auto& part : node.parts) {
          std::set<size_t> next;
          for (const size_t from : out) next.merge(std::set(ends(*part, from)));
          out = std::move(next);
        }
        break;
      case Node::Kind::repeat: {
        std::vector<size_t> open = {at};
        std::set<size_t> seen;
        while (!open.empty()) {
          const size_t from = open.back();
          open.pop_back();
          for (const size_t end : ends(*node.parts[0], from)) {
            if (seen.insert(end).second && node.many) open.push_back(end);
          }
        }
        out = seen;
        if (node.none) out.insert(at);
        break;
      }
    }
    return out;
  }

  std::set<size_t> character(const Node& node, size_t at) const {
    if (at == text_.size()) return {};
    size_t size = 1;
    char32_t c = static_cast<unsigned char>(text_[at]);
    if (c >= 0xc0) {
      c &= c >= 0xf0 ? 7 : c >= 0xe0 ? 15 : 31;
      while (at + size < text_.size() && (static_cast<unsigned char>(text_[at + size]) & 0xc0) == 0x80) {
        c = (c << 6) | (static_cast<unsigned char>(text_[at + size++]) & 63);
      }
    }
    bool in = false;
    for (const auto& [from, to] : node.ranges) in = in || (c >= from && c <= to);
    return in != node.others ? std::set{at + size} : std::set<size_t>{};
  }

  std::set<size_t> json(const Node& node, size_t at) const {
    std::set<size_t> out;
    for (size_t end = at + 1; end <= text_.size(); ++end) {
      if (text_[at] == ' ' || text_[end - 1] == ' ' || text_[end - 1] == '\n') continue;
      const auto value = base::parse_json(text_.substr(at, end - at));
      if (value && valid(*value, node.schema)) out.insert(end);
    }
    return out;
  }

  const std::map<std::string, std::unique_ptr<Node>>& rules_;
  std::string_view text_;
  std::map<std::pair<const Node*, size_t>, std::set<size_t>> known_;
};

}  // namespace

bool grammar_matches(const std::string& grammar, std::string_view text) {
  const auto rules = Parser(grammar).rules();
  const auto root = rules.find("root");
  EXPECT_NE(root, rules.end()) << grammar;
  if (root == rules.end()) return false;
  return Matcher(rules, text).ends(*root->second, 0).contains(text.size());
}

TEST(TestGrammar, Matches) {
  const std::string grammar =
      "a-1 ::= \"x\\n\\\"\" | [^a-c\\x5D] a-1 | \"\"\nroot ::= ( a-1 \"!\" )+ %until(\"--\")? %json{\"type\": "
      "\"integer\"}\n";
  EXPECT_TRUE(grammar_matches(grammar, "zzx\n\"!12"));
  EXPECT_TRUE(grammar_matches(grammar, "!é!uu--12"));
  EXPECT_FALSE(grammar_matches(grammar, "!uu--1.5"));
  EXPECT_FALSE(grammar_matches(grammar, "a!12"));
  EXPECT_FALSE(grammar_matches(grammar, "]!12"));
  EXPECT_FALSE(grammar_matches(grammar, "12"));
}

}  // namespace ingle::assistant
