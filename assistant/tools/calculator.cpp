// calculator: an expression's value, in full where it is exact. The grammar is in expression.h.
#include "assistant/tools/expression.h"
#include "assistant/tools/tool.h"

namespace ingle::assistant {
namespace {

using base::Json;

base::Result<Json> run(const Json& arguments, const ToolContext&) {
  INGLE_TRY(const Calculated value, calculate(arguments.at("expression").get_ref<const std::string&>()));
  return Json{{"result", value.text}, {"exact", value.exact}};
}

constexpr std::string_view kParameters =
    R"json({
      "type": "object",
      "properties": {
        "expression": {
          "type": "string",
          "maxLength": 1000,
          "description": ")json"
    "Numbers with + - * / ^ ( ), % for the remainder, 15% of 80 for percentages, n! for factorials, pi, e, tau, and "
    "the functions sqrt cbrt abs exp ln log10 log2 log(x, base) sin cos tan asin acos atan (radians) deg(radians) "
    "rad(degrees) floor ceil trunc round(x, digits) min max sum mean gcd lcm. Write 1000000, not 1,000,000. "
    "Example: round(1250.5 * 1.19, 2)"
    R"json("
        }
      },
      "required": ["expression"],
      "additionalProperties": false
    })json";

}  // namespace

extern const ToolRecord calculator_record;
const ToolRecord calculator_record = {
    .name = "calculator",
    .description =
        "Calculates an arithmetic expression exactly, or to 30 digits where that is impossible (\"exact\": false). "
        "Use it for every calculation that is not trivial.",
    .parameters = kParameters,
    .effect = Effect::none,
    .run = run,
};

}  // namespace ingle::assistant
