#include "assistant/pacing/system_file.h"

#include <fstream>

namespace ingle::assistant {

std::string read_text(const std::filesystem::path& path) {
  constexpr size_t kMostBytes = size_t{1} << 20;
  std::string text;
  std::ifstream file(path, std::ios::binary);
  for (char buffer[4096]; text.size() < kMostBytes && (file.read(buffer, sizeof buffer), file.gcount() > 0);)
    text.append(buffer, static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace ingle::assistant
