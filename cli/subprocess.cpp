// posix_spawn of /proc/self/exe.
#include "cli/subprocess.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr size_t max_output_bytes = size_t{16} << 20;
constexpr const char* own_program = "/proc/self/exe";

Result<std::string> read_all(int descriptor) {
  std::string output;
  char buffer[4096];
  while (true) {
    const ssize_t n = ::read(descriptor, buffer, sizeof buffer);
    if (n == 0) return output;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::errno_error(errno, "read from", own_program);
    output.append(buffer, static_cast<size_t>(n));
    if (output.size() > max_output_bytes) return Error{ErrorCode::limit_exceeded, "a child process printed too much"};
  }
}

}  // namespace

Result<Finished> run_self(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"ingle"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  int ends[2];
  if (pipe(ends) != 0) return base::errno_error(errno, "open a pipe to", own_program);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  pid_t child = 0;
  const int failure = posix_spawn(&child, own_program, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failure != 0) {
    close(ends[0]);
    return base::errno_error(failure, "start", own_program);
  }
  auto output = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!output) return std::move(output).error();
  Finished finished;
  finished.output = std::move(*output);
  finished.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

}  // namespace ingle::cli
