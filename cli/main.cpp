// The command line. Everything it does is in cli/commands, one file per command; this file only starts it.
#include <string>
#include <vector>

#include "assistant/inference/engine_host.h"
#include "assistant/model_view/viewer_host.h"
#include "cli/environment.h"
#include "cli/session.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  // What runs a model for `ingle serve` (cli/commands/serve.cpp), or looks at one, has no environment or settings to be
  // a command with.
  if (words == std::vector<std::string>{"__engine"}) return ingle::assistant::run_engine_host();
  if (words == std::vector<std::string>{"__viewer"}) return ingle::assistant::run_viewer_host();
  return ingle::cli::run_main(words, ingle::cli::Environment::of_process());
}
