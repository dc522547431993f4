// The record of `ingle synth` names what core/synth has.
#include <gtest/gtest.h>

#include "cli/command.h"
#include "core/synth/mixes.h"

namespace ingle::cli {
namespace {

TEST(Synth, OffersEveryMix) {
  const Command* command = find_command("synth");
  ASSERT_NE(command, nullptr);
  std::string mixes;
  for (const core::Mix& mix : core::all_mixes()) mixes += (mixes.empty() ? "" : " ") + std::string(mix.name);
  for (const Option& option : command->options) {
    if (option.name != "mix") continue;
    EXPECT_EQ(option.choices, mixes);
    EXPECT_NE(core::find_mix(option.fallback), nullptr);
    return;
  }
  ADD_FAILURE() << "no --mix";
}

}  // namespace
}  // namespace ingle::cli
