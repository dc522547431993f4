// The file of keys on arbitrary bytes. Whatever is read is written the same way and read again.
#include <cstdlib>
#include <string_view>

#include "base/hash.h"
#include "base/json.h"
#include "security/keys/key_file.h"

namespace {

void check(std::string_view text) {
  using namespace ingle::security;
  const auto keys = parse_key_file(text);
  if (!keys.ok()) {
    if (keys.error().message.empty()) std::abort();
    return;
  }
  if (keys->size() > kMaxKeys) std::abort();
  const std::string written = write_key_file(*keys);
  const auto again = parse_key_file(written);
  if (!again.ok() || again->size() != keys->size() || write_key_file(*again) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text);
  // A checksum keeps nearly all of them out: once more as the "keys" of a file whose checksum is right.
  const auto keys = ingle::base::parse_json(text, {.max_bytes = 1 << 20, .max_depth = 6});
  if (!keys.ok() || !keys->is_array()) return 0;
  const std::string dumped = keys->dump(-1, ' ', false, ingle::base::Json::error_handler_t::replace);
  const std::string hash = ingle::base::hash128_hex(std::as_bytes(std::span(dumped)));
  check("{\"version\":1,\"keys\":" + dumped + ",\"check\":\"" + hash + "\"}");
  return 0;
}
