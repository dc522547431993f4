// The kernel's table of connections on arbitrary bytes. The kernel is trusted, a file in its place in a container less.
#include <cstdlib>
#include <string_view>

#include "security/keys/socket_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingle::security;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto none = find_socket(text, {}, {});
  if (!none.ok() && none.error().message.empty()) std::abort();
  const auto row = parse_socket_row(text);
  if (!row.ok()) return 0;
  // What parses is found again in a table of one row.
  if (text.find('\n') != std::string_view::npos) return 0;
  const auto found = find_socket("heading\n" + std::string(text) + "\n", row->local, row->remote);
  if (!found.ok() || !found->has_value() || (*found)->uid != row->uid) std::abort();
  return 0;
}
