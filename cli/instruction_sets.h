// Which instruction sets the kernels of this build can use on this machine.
#pragma once

#include <string>
#include <vector>

namespace ingle::cli {

struct InstructionSet {
  std::string name;    ///< as --isa takes it
  bool works = false;  ///< the processor and the system offer it, and its kernels passed their self-test
  bool chosen = false;
  std::string note;  ///< why not, or when it was proven
};

/// In ascending order of speed. Empty where the engine can't say.
std::vector<InstructionSet> probe_instruction_sets();

}  // namespace ingle::cli
