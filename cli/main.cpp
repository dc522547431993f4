// The command line. Everything it does is in cli/commands, one file per command; this file only starts it.
#include <string>
#include <vector>

#include "cli/environment.h"
#include "cli/session.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return ingle::cli::run_main(words, ingle::cli::Environment::of_process());
}
