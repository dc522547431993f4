// Embeds for bench/embeddings.py, without a server around it: embed_worker MODEL THREADS [ISA]. Each line in is
// {"texts": [[token ids], …], "repeat": N}; each line out {"seconds": […], "embeddings": [[…], …]}. The first line out
// says what it runs on.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "base/json.h"
#include "core/engine/engine.h"

namespace {

using ingle::base::Json;
using ingle::core::TokenId;

int fail(const std::string& message) {
  std::fprintf(stderr, "embed_worker: %s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fail("usage: embed_worker MODEL THREADS [ISA]");
  ingle::core::EngineOptions options;
  options.threads = static_cast<uint32_t>(std::stoul(argv[2]));
  if (argc > 3) options.isa = argv[3];
  auto engine = ingle::core::Engine::load(argv[1], options);
  if (!engine.ok()) return fail(engine.error().message);
  std::cout << Json{{"isa", (*engine)->info().isa}, {"context", (*engine)->info().context_length}} << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const auto asked = ingle::base::parse_json(line);
    if (!asked.ok()) return fail(asked.error().message);
    const auto texts = (*asked)["texts"].get<std::vector<std::vector<TokenId>>>();
    std::vector<ingle::core::EncoderText> inputs;
    for (const auto& text : texts) inputs.push_back({text});
    Json seconds = Json::array(), embeddings = Json::array();
    for (int i = 0; i < (*asked)["repeat"].get<int>(); ++i) {
      const auto start = std::chrono::steady_clock::now();
      const auto found = (*engine)->embed(inputs);
      if (!found.ok()) return fail(found.error().message);
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      if (i > 0) continue;
      const size_t width = (*engine)->info().embedding_width;
      for (size_t at = 0; at < found->size(); at += width)
        embeddings.push_back(std::vector<float>(found->begin() + static_cast<std::ptrdiff_t>(at),
                                                found->begin() + static_cast<std::ptrdiff_t>(at + width)));
    }
    std::cout << Json{{"seconds", seconds}, {"embeddings", embeddings}} << std::endl;
  }
  return 0;
}
