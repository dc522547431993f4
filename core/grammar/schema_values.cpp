// The values of a set of schemas: constants, choices, kinds.
#include <algorithm>

#include "core/grammar/json_schema.h"
#include "core/grammar/schema_compiler.h"

namespace ingle::grammar {

using base::ErrorCode;
using base::Json;

RuleId add_json_schema(Draft& draft, const Json& schema, const core::JsonSchemaOptions& options) {
  return SchemaCompiler(draft, schema, options).run();
}
RuleId add_json_object(Draft& draft, const core::JsonSchemaOptions& options) {
  return JsonText(draft, options.spacing).object();
}

Kind kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return kNull;
    case Json::value_t::boolean:
      return kBoolean;
    case Json::value_t::string:
      return kString;
    case Json::value_t::array:
      return kArray;
    case Json::value_t::object:
      return kObject;
    case Json::value_t::number_float:
      return decimal_of(value).fraction.empty() ? kInteger : kFraction;
    default:
      return kInteger;
  }
}

Decimal decimal_of(const Json& number) {
  const auto decimal = parse_decimal(number.dump());
  if (!decimal) fail(ErrorCode::unsupported, "a number with such an exponent: " + number.dump());
  return *decimal;
}

bool same_value(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return compare(decimal_of(a), decimal_of(b)) == 0;
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_object()) {
    return std::all_of(a.items().begin(), a.items().end(), [&](const auto& item) {
      const auto other = b.find(item.key());
      return other != b.end() && same_value(item.value(), *other);
    });
  }
  if (!a.is_array()) return a == b;
  for (size_t i = 0; i < a.size(); i++) {
    if (!same_value(a[i], b[i])) return false;
  }
  return true;
}

RuleId SchemaCompiler::run() {
  const RuleId root = value({document_.root()});
  while (!jobs_.empty()) {
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    compile(job);
  }
  return root;
}

RuleId SchemaCompiler::value(const NodeSet& seeds, uint64_t alternatives) {
  bool never = false;
  NodeSet nodes = document_.expand(seeds, never);
  const auto [it, added] = rules_.try_emplace(std::move(nodes), 0);
  if (!added) return it->second;
  budget_.spend(it->first.size() * 4 + 16);
  it->second = draft_.add_rule("value");
  if (!never) jobs_.push_back({it->first, it->second, alternatives});
  return it->second;
}

void SchemaCompiler::compile(const Job& job) {
  if (compile_constants(job)) return;
  if (const auto choice = pending_choice(job.nodes)) {
    if (choice->exclusive) return compile_choice(job, keep_apart(job.nodes, choice->branches));
    std::vector<NodeSet> choices;
    for (const NodeId branch : choice->branches) choices.push_back({branch});
    return compile_choice(job, choices);
  }
  require_progress(job.nodes);
  compile_kinds(job, kinds_of(job.nodes));
}

/// The first choice of which no branch is in the set yet.
std::optional<Choice> SchemaCompiler::pending_choice(const NodeSet& nodes, Side side) {
  for (const NodeId node : nodes) {
    for (Choice& choice : document_.choices(node, side)) {
      budget_.spend(1 + choice.branches.size());
      const bool settled = std::any_of(choice.branches.begin(), choice.branches.end(), [&](NodeId branch) {
        return std::find(nodes.begin(), nodes.end(), branch) != nodes.end();
      });
      if (!settled) return std::move(choice);
    }
  }
  return std::nullopt;
}

/// Whether no value can be written, at a glance: no kind is left, or no constant for a property that must come. Choices
/// that contradict one another go, so that several of them (eight times `if`) don't multiply.
bool SchemaCompiler::impossible(const NodeSet& nodes) {
  bool never = false;
  const NodeSet all = document_.expand(nodes, never);
  if (never || kinds_of(all) == 0) return true;
  if (kinds_of(all) != kObject) return false;
  for (const std::string& name : required_names(all)) {
    const NodeSet wanted = document_.expand(property_schemas(all, name), never);
    if (never || kinds_of(wanted) == 0) return true;
    const auto values = constants(wanted);
    if (values && values->empty()) return true;
  }
  return false;
}

void SchemaCompiler::compile_choice(const Job& job, const std::vector<NodeSet>& branches) {
  std::vector<NodeSet> possible;
  for (const NodeSet& branch : branches) {
    NodeSet nodes = job.nodes;
    nodes.insert(nodes.end(), branch.begin(), branch.end());
    if (!impossible(nodes)) possible.push_back(std::move(nodes));
  }
  const uint64_t alternatives = job.alternatives * std::max<size_t>(possible.size(), 1);
  const uint32_t limit = budget_.limits().max_alternatives;
  if (alternatives > limit) fail_limit("the alternatives of one value", limit);
  Nfa nfa(budget_);
  for (const NodeSet& nodes : possible) nfa.add_call(nfa.start, value(nodes, alternatives), nfa.end);
  draft_.define(job.rule, nfa);
}

/// A branch that was chosen must not hold only because of itself (A is one of: A, …).
void SchemaCompiler::require_progress(const NodeSet& nodes) {
  std::vector<NodeId> grounded;
  const auto is_grounded = [&](NodeId node) {
    return std::find(grounded.begin(), grounded.end(), node) != grounded.end();
  };
  const auto is_settled = [&](const Choice& choice) {
    budget_.spend(1 + choice.branches.size());
    return std::any_of(choice.branches.begin(), choice.branches.end(), is_grounded);
  };
  for (bool more = true; more;) {
    more = false;
    for (const NodeId node : nodes) {
      if (is_grounded(node)) continue;
      const NodeSet direct = document_.direct(node);
      if (!std::all_of(direct.begin(), direct.end(), is_grounded)) continue;
      const std::vector<Choice> choices = document_.choices(node);
      if (!std::all_of(choices.begin(), choices.end(), is_settled)) continue;
      grounded.push_back(node);
      more = true;
    }
  }
  if (grounded.size() == nodes.size()) return;
  const NodeId stuck = *std::find_if(nodes.begin(), nodes.end(), [&](NodeId node) { return !is_grounded(node); });
  const std::vector<Choice> choices = document_.choices(stuck);
  document_.fail_at(stuck, choices.empty() ? "allOf" : choices.front().keyword, "a schema that is made of itself",
                    ErrorCode::invalid_argument);
}

/// The values that enum and const leave, each checked against the whole set. Nothing where neither is given.
std::optional<std::vector<Json>> SchemaCompiler::constants(const NodeSet& nodes) {
  for (const NodeId node : nodes) {
    const Json* list = document_.array(node, "enum");
    const Json* single = document_.find(node, "const");
    if (list == nullptr && single == nullptr) continue;
    std::vector<Json> out;
    const auto consider = [&](const Json& value) {
      const auto same = [&](const Json& other) { return same_value(value, other); };
      budget_.spend(nodes.size());
      if (!std::all_of(nodes.begin(), nodes.end(), [&](NodeId n) { return admits(n, value); })) return;
      if (out.size() > 64 || std::none_of(out.begin(), out.end(), same)) out.push_back(value);
    };
    if (single != nullptr) consider(*single);
    for (size_t i = 0; single == nullptr && i < list->size(); i++) consider((*list)[i]);
    return out;
  }
  return std::nullopt;
}

bool SchemaCompiler::compile_constants(const Job& job) {
  const auto values = constants(job.nodes);
  if (!values) return false;
  Nfa nfa(budget_);
  for (const Json& value : *values) nfa.add_text_to(nfa.start, text_.constant(value), nfa.end);
  draft_.define(job.rule, nfa);
  return true;
}

namespace {
constexpr std::pair<std::string_view, uint32_t> kTypes[] = {
    {"null", kNull},     {"boolean", kBoolean}, {"integer", kInteger}, {"number", kNumber},
    {"string", kString}, {"array", kArray},     {"object", kObject}};
}  // namespace

std::vector<std::string> type_names(uint32_t kinds) {
  std::vector<std::string> out;
  for (const auto& [name, bits] : kTypes) {
    if ((kinds & bits) == bits) out.emplace_back(name);
  }
  return out;
}

uint32_t SchemaCompiler::kinds_of(NodeId node) {
  if (const Json* list = document_.find_own(node, kNotEnum)) {
    uint32_t others = kAnyKind;
    bool listed[2] = {};
    for (const Json& constant : *list) {
      if (constant.is_boolean())
        listed[constant.get<bool>() ? 1 : 0] = true;
      else if (!constant.is_string())
        others &= ~kind_of(constant);
    }
    return listed[0] && listed[1] ? others & ~kBoolean : others;
  }
  const Json* type = document_.find(node, "type");
  if (type == nullptr) return document_.json(node) == Json(false) ? 0u : uint32_t{kAnyKind};
  uint32_t kinds = 0;
  const auto add = [&](const Json& name) {
    for (const auto& [known, bits] : kTypes) {
      if (!name.is_string() || name.get_ref<const std::string&>() != known) continue;
      kinds |= bits;
      return;
    }
    document_.fail_at(node, "type", "an unknown type", ErrorCode::invalid_argument);
  };
  if (!type->is_array()) add(*type);
  for (size_t i = 0; type->is_array() && i < type->size(); i++) add((*type)[i]);
  return kinds;
}

uint32_t SchemaCompiler::kinds_of(const NodeSet& nodes) {
  uint32_t kinds = kAnyKind;
  for (const NodeId node : nodes) kinds &= kinds_of(node);
  return kinds;
}

/// Whether a `not` names this constant.
bool SchemaCompiler::left_out(const NodeSet& nodes, const Json& constant) {
  return std::any_of(nodes.begin(), nodes.end(), [&](NodeId node) {
    const Json* list = document_.find_own(node, kNotEnum);
    return list != nullptr &&
           std::any_of(list->begin(), list->end(), [&](const Json& other) { return same_value(other, constant); });
  });
}

void SchemaCompiler::compile_kinds(const Job& job, uint32_t kinds) {
  Nfa nfa(budget_);
  const auto add = [&](RuleId rule) { nfa.add_call(nfa.start, rule, nfa.end); };
  if ((kinds & kObject) != 0) add(object_rule(job.nodes));
  if ((kinds & kArray) != 0) add(array_rule(job.nodes));
  if ((kinds & kString) != 0) add(string_rule(job.nodes));
  if ((kinds & kNumber) != 0) add(number_rule(job.nodes, (kinds & kFraction) == 0));
  for (const bool constant : {true, false}) {
    if ((kinds & kBoolean) != 0 && !left_out(job.nodes, constant))
      nfa.add_text_to(nfa.start, constant ? "true" : "false", nfa.end);
  }
  if ((kinds & kNull) != 0) nfa.add_text_to(nfa.start, "null", nfa.end);
  draft_.define(job.rule, nfa);
}

}  // namespace ingle::grammar
