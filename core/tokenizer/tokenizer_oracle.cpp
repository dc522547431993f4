// A filter for the oracle scripts in tests/tokenizer; built with the tests, never shipped.
//   tokenizer_oracle MODEL [special] [add] < strings > ids
// MODEL is a GGUF file or a folder with a tokenizer.json. Standard input is a sequence of strings, each a 32-bit
// little-endian length and that many bytes; the output, for each, the same for its ids (count, ids) and for what they
// decode to. With "time" instead: encodes each string three times and prints bytes, ids, the best CPU seconds.
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "core/tokenizer/definition.h"

namespace {

using ingle::core::TokenId;

ingle::base::Result<std::unique_ptr<ingle::core::Tokenizer>> load(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    auto file = ingle::core::ModelFile::open(path);
    if (!file) return std::move(file).error();
    return ingle::core::load_tokenizer(*file);
  }
  ingle::core::ModelFile file;
  file.container = ingle::core::ContainerFormat::safetensors;
  file.folder = path;
  return ingle::core::load_tokenizer(file);
}

bool read_string(std::string& out) {
  unsigned char header[4];
  if (std::fread(header, 1, 4, stdin) != 4) return false;
  const uint32_t size = header[0] | header[1] << 8 | header[2] << 16 | static_cast<uint32_t>(header[3]) << 24;
  out.resize(size);
  return std::fread(out.data(), 1, size, stdin) == size;
}

void write_u32(uint32_t value) {
  const char bytes[4] = {static_cast<char>(value), static_cast<char>(value >> 8), static_cast<char>(value >> 16),
                         static_cast<char>(value >> 24)};
  std::fwrite(bytes, 1, 4, stdout);
}

/// Of this thread, so that a busy machine does not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  ingle::core::EncodeOptions options;
  bool time = false;
  for (int i = 2; i < argc; i++) {
    options.parse_special |= std::strcmp(argv[i], "special") == 0;
    options.add_special |= std::strcmp(argv[i], "add") == 0;
    time |= std::strcmp(argv[i], "time") == 0;
  }
  const double start = cpu_seconds();
  const auto tokenizer = load(argv[1]);
  if (!tokenizer) {
    std::fprintf(stderr, "%s\n", tokenizer.error().message.c_str());
    return 1;
  }
  if (time) std::fprintf(stdout, "load %.1f ms\n", (cpu_seconds() - start) * 1e3);
  std::string text;
  while (read_string(text)) {
    if (!time) {
      const std::vector<TokenId> ids = (*tokenizer)->encode(text, options);
      write_u32(static_cast<uint32_t>(ids.size()));
      for (const TokenId id : ids) write_u32(static_cast<uint32_t>(id));
      const std::string decoded = (*tokenizer)->decode(ids, true);
      write_u32(static_cast<uint32_t>(decoded.size()));
      std::fwrite(decoded.data(), 1, decoded.size(), stdout);
      continue;
    }
    double best = 1e9;
    size_t count = 0;
    for (int i = 0; i < 3; i++) {
      const double begin = cpu_seconds();
      count = (*tokenizer)->encode(text, options).size();
      best = std::min(best, cpu_seconds() - begin);
    }
    std::fprintf(stdout, "%zu bytes %zu ids %.4f s %.2f MB/s\n", text.size(), count, best,
                 static_cast<double>(text.size()) / best / 1e6);
  }
  return 0;
}
