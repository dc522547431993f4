// The description of updates on arbitrary bytes. Whatever is read is written the same way and read again.
#include <cstdlib>
#include <span>
#include <string_view>

#include "assistant/core/update_file.h"
#include "base/hash.h"
#include "base/json.h"

namespace {

void check(std::string_view text) {
  using namespace ingle::assistant;
  const auto release = parse_update_file(text);
  if (!release.ok()) {
    if (release.error().message.empty()) std::abort();
    return;
  }
  const auto again = parse_update_file(write_update_file(*release));
  if (!again.ok() || again->version != release->version || again->summary != release->summary) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ingle::base::Json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text);
  // A checksum keeps nearly all of them out: once more as the "release" of a file whose checksum is right.
  const auto release = ingle::base::parse_json(text, {.max_bytes = 1 << 14, .max_depth = 4});
  if (!release.ok() || !release->is_object()) return 0;
  const std::string dumped = release->dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string hash = ingle::base::hash128_hex(std::as_bytes(std::span(dumped)));
  check("{\"version\":1,\"release\":" + dumped + ",\"check\":\"" + hash + "\"}");
  return 0;
}
