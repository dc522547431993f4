// The test program starts itself again as a confined child: the first argument is kProgramFlag, the second the name of
// one of the small programs in programs_test.cpp and attempts_test.cpp. They write to descriptor 1 what is not as it
// should be, and end with status 0 where all is.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "security/sandbox/confine.h"
#include "security/sandbox/launch.h"

namespace ingle::security::test {

constexpr bool kSanitized = kSanitizedBuild;

constexpr const char* kProgramFlag = "--confined-program";
constexpr int kDataFd = 5;    // a file with kData, opened for reading
constexpr int kResultFd = 6;  // a pipe's writing end
constexpr int kSocketFd = 7;  // a TCP socket, not connected
constexpr const char* kData = "what the child was given";

using Arguments = std::span<const std::string>;
using Program = std::function<int(Arguments)>;
using Programs = std::map<std::string, Program>;

Programs basic_programs();    // programs_test.cpp
Programs attempt_programs();  // attempts_test.cpp

/// One thing that a confined process is not to do. `run` gives 0 if it worked, or errno.
struct Attempt {
  std::string name;
  std::function<int()> run;
  std::string call;        ///< the hostile system call that Answer::kill reports; empty: refused with any answer
  bool works_else = true;  ///< an ordinary process can do it, so that the test would notice
  bool at_launch = true;   ///< closed by launch() already
  bool in_sanitizers = true;
};
std::vector<Attempt> attempts();

/// An Access, and a Policy, as the tests use them; `sanitizers` set in such builds.
Access compute_access(Answer answer = Answer::refuse);
Policy launch_policy(Access access = compute_access());

/// Notes on descriptor 1 what is not so.
class Checks {
 public:
  void expect(bool condition, const std::string& what);
  int status() const { return failed_ ? 1 : 0; }

 private:
  bool failed_ = false;
};

/// The child's standard output and how it ended.
struct Finished {
  std::string output;
  Exit exit;
};
Finished run_confined(const Policy& policy, const std::string& program, std::vector<std::string> arguments = {},
                      std::vector<PassedFd> descriptors = {}, const Kernel& kernel = probe_kernel());

base::FileDescriptor data_file();
std::string read_to_end(int fd);
struct Ends {
  base::FileDescriptor read, write;
};
Ends make_pipe();

}  // namespace ingle::security::test
