// The engine's proof of each instruction set, as doctor shows it.
#include "cli/instruction_sets.h"

namespace ingle::cli {

std::vector<InstructionSet> probe_instruction_sets() { return {}; }

}  // namespace ingle::cli
