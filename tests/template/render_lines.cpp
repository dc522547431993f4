// Renders requests line by line, for tests/template/differential.py: a line of JSON {"t": template, "c": context,
// "now": seconds} in, a line of JSON {"o": output} or {"e": error} out. Not part of any build; by hand:
//   c++ -std=c++20 -O1 -I. tests/template/render_lines.cpp -o render_lines BUILD/core/template/libingle_template.a
//       BUILD/base/libingle_base.a -lutf8proc
#include <iostream>
#include <string>

#include "base/json.h"
#include "core/template/template.h"

int main() {
  using ingle::base::Json;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto request = ingle::base::parse_json(line);
    if (!request) return 1;
    Json reply;
    auto parsed = ingle::core::ChatTemplate::parse((*request)["t"].get<std::string>());
    auto result = parsed ? parsed->render((*request)["c"], (*request)["now"].get<int64_t>())
                         : ingle::base::Result<std::string>(parsed.error());
    if (result) {
      reply["o"] = *result;
    } else {
      reply["e"] = result.error().message;
    }
    std::cout << reply.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }
  return 0;
}
