// Any text as an expression: never a crash, a hang or an exception; a result within its bound that, where it is exact,
// is an expression of itself; or an error that says where and why.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "assistant/tools/expression.h"
#include "base/utf8.h"

namespace {

using namespace ingle::assistant;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = calculate({reinterpret_cast<const char*>(data), size});
  if (!value) {
    const ingle::base::Error& error = value.error();
    require(error.code == ingle::base::ErrorCode::invalid_argument ||
            error.code == ingle::base::ErrorCode::limit_exceeded);
    require(!error.message.empty() && error.message.size() < 500 && ingle::base::is_valid_utf8(error.message));
    return 0;
  }
  require(!value->text.empty() && value->text.size() <= 3012);
  if (!value->exact || value->text.size() > max_expression_bytes) return 0;
  const auto again = calculate(value->text);
  require(again && again->exact && again->text == value->text);
  return 0;
}
