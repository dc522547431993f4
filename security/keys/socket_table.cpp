#include "security/keys/socket_table.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>
#include <system_error>

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr unsigned kEstablished = 1;
constexpr unsigned kCloseWait = 8;
constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Error corrupt() {
  return Error{ErrorCode::corrupt, "the kernel's table of connections is not as it should be"};
}

// The next word of a line; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

template <typename T>
bool parse_number(std::string_view text, int base, T& out) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return failure == std::errc() && end == text.data() + text.size();
}

// Hexadecimal words of 32 bits, each as this machine reads the four bytes of the network's order.
bool parse_address(std::string_view text, SocketAddress& out) {
  const size_t colon = text.find(':');
  if ((colon != 8 && colon != 32) || text.size() != colon + 5) return false;
  if (!parse_number(text.substr(colon + 1), 16, out.port)) return false;
  const size_t bytes = colon / 2;
  for (size_t word = 0; word < bytes / 4; ++word) {
    uint32_t value = 0;
    if (!parse_number(text.substr(word * 8, 8), 16, value)) return false;
    const auto raw = std::bit_cast<std::array<uint8_t, 4>>(value);
    std::copy(raw.begin(), raw.end(), out.ip.end() - static_cast<ptrdiff_t>(bytes) + static_cast<ptrdiff_t>(word * 4));
  }
  if (bytes == 4) std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.ip.begin());
  return true;
}

}  // namespace

bool SocketAddress::version4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin());
}

bool SocketAddress::loopback() const {
  if (version4()) return ip[12] == 127;
  return ip[15] == 1 && std::all_of(ip.begin(), ip.end() - 1, [](uint8_t byte) { return byte == 0; });
}

bool SocketRow::owned() const {
  return inode != 0 && (state == kEstablished || state == kCloseWait);
}

// "   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1 …"
Result<SocketRow> parse_socket_row(std::string_view line) {
  SocketRow row;
  take_word(line);  // the number
  if (!parse_address(take_word(line), row.local) || !parse_address(take_word(line), row.remote)) return corrupt();
  if (!parse_number(take_word(line), 16, row.state)) return corrupt();
  for (int skipped = 0; skipped < 3; ++skipped) take_word(line);  // queues, timer, retransmissions
  if (!parse_number(take_word(line), 10, row.uid)) return corrupt();
  take_word(line);  // timeouts
  if (!parse_number(take_word(line), 10, row.inode)) return corrupt();
  return row;
}

Result<std::optional<SocketRow>> find_socket(std::string_view text, const SocketAddress& local,
                                             const SocketAddress& remote) {
  const size_t heading = text.find('\n');
  if (heading == std::string_view::npos) return corrupt();
  text.remove_prefix(heading + 1);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return corrupt();
    INGLE_TRY(SocketRow row, parse_socket_row(text.substr(0, end)));
    if (row.local == local && row.remote == remote) return std::optional(row);
    text.remove_prefix(end + 1);
  }
  return std::optional<SocketRow>();
}

}  // namespace ingle::security
