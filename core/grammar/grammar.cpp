// Grammar: the boundary where failures inside become results.
#include "core/grammar/grammar.h"

#include <new>

#include "base/utf8.h"
#include "core/grammar/gbnf.h"
#include "core/grammar/json_schema.h"
#include "core/grammar/program.h"
#include "core/grammar/regex.h"

namespace ingle::core {

namespace {

/// `what` names the front end in messages.
template <typename Fill>
base::Result<std::shared_ptr<const grammar::Program>> compile(const char* what, const GrammarLimits& limits,
                                                              Fill fill) {
  const std::string prefix = std::string(what) + ": ";
  try {
    grammar::Draft draft(limits);
    const grammar::RuleId root = fill(draft);
    return grammar::link(draft, root);
  } catch (const grammar::Failure& failure) {
    return base::Error{failure.code, prefix + failure.message};
  } catch (const std::bad_alloc&) {
    return base::Error{base::ErrorCode::out_of_memory, prefix + "out of memory"};
  }
}

}  // namespace

base::Result<Grammar> Grammar::compile_gbnf(std::string_view text, const GrammarLimits& limits,
                                            const JsonSchemaOptions& json) {
  INGLE_TRY(auto program,
            compile("grammar", limits, [&](grammar::Draft& draft) { return grammar::parse_gbnf(text, draft, json); }));
  return Grammar(std::move(program));
}

base::Result<Grammar> Grammar::compile_regex(std::string_view pattern, const GrammarLimits& limits) {
  INGLE_TRY(auto program, compile("regular expression", limits, [&](grammar::Draft& draft) {
              const grammar::RuleId root = draft.add_rule("root");
              draft.define(root, grammar::parse_regex(pattern, grammar::RegexUse::whole, limits));
              return root;
            }));
  return Grammar(std::move(program));
}

base::Result<Grammar> Grammar::compile_json_schema(const base::Json& schema, const JsonSchemaOptions& options,
                                                   const GrammarLimits& limits) {
  INGLE_TRY(auto program, compile("schema", limits, [&](grammar::Draft& draft) {
              return grammar::add_json_schema(draft, schema, options);
            }));
  return Grammar(std::move(program));
}

base::Result<Grammar> Grammar::compile_json_object(const JsonSchemaOptions& options) {
  INGLE_TRY(auto program, compile("JSON object", {},
                                  [&](grammar::Draft& draft) { return grammar::add_json_object(draft, options); }));
  return Grammar(std::move(program));
}

uint64_t Grammar::memory_bytes() const {
  const grammar::Program& p = *program_;
  return sizeof(p) + p.states.capacity() * sizeof(p.states[0]) + p.edges.capacity() * sizeof(p.edges[0]) +
         p.calls.capacity() * sizeof(p.calls[0]) + p.rows.capacity() * sizeof(p.rows[0]) +
         p.rules.capacity() * sizeof(p.rules[0]);
}

}  // namespace ingle::core
