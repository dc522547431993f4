#include "assistant/core/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assistant/core/modules.h"

namespace ingle::assistant {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20, kGiB = uint64_t{1} << 30;

ProfileId chosen(uint64_t total, uint64_t available, double cores) {
  return choose_profile({total, available, cores}).profile;
}

TEST(ProfileTest, IsChosenByMemoryAndCores) {
  // A notebook of 8 GB, of which a graphics processor keeps some, and larger ones.
  EXPECT_EQ(chosen(7600 * kMiB, 5 * kGiB, 4), ProfileId::full);
  EXPECT_EQ(chosen(6 * kGiB, 2 * kGiB, 2), ProfileId::full);
  EXPECT_EQ(chosen(64 * kGiB, 40 * kGiB, 16), ProfileId::full);
  // A board of 4 GB; a larger machine on which others take nearly all; one core.
  EXPECT_EQ(chosen(3800 * kMiB, 3 * kGiB, 4), ProfileId::light);
  EXPECT_EQ(chosen(6 * kGiB - 1, 5 * kGiB, 4), ProfileId::light);
  EXPECT_EQ(chosen(8 * kGiB, 2 * kGiB - 1, 4), ProfileId::light);
  EXPECT_EQ(chosen(8 * kGiB, 6 * kGiB, 1), ProfileId::light);
  EXPECT_EQ(chosen(8 * kGiB, 6 * kGiB, 1.5), ProfileId::light);
  // Boards of 2 GB and less, and whatever has nearly nothing left.
  EXPECT_EQ(chosen(2 * kGiB, 1500 * kMiB, 4), ProfileId::minimal);
  EXPECT_EQ(chosen(512 * kMiB, 400 * kMiB, 1), ProfileId::minimal);
  EXPECT_EQ(chosen(16 * kGiB, 512 * kMiB - 1, 8), ProfileId::minimal);
}

TEST(ProfileTest, WhatIsNotKnownSpeaksAgainstNothing) {
  EXPECT_EQ(chosen(0, 0, 0), ProfileId::full);
  EXPECT_EQ(chosen(8 * kGiB, 0, 0), ProfileId::full);
  EXPECT_EQ(chosen(kGiB, 0, 0), ProfileId::minimal);
}

TEST(ProfileTest, SaysWhatWasMeasured) {
  EXPECT_THAT(choose_profile({4 * kGiB, 3 * kGiB, 4}).reason, HasSubstr("4.0 GiB of memory, less than 6.0 GiB"));
  EXPECT_THAT(choose_profile({8 * kGiB, kGiB, 4}).reason, HasSubstr("1.0 GiB free"));
  EXPECT_THAT(choose_profile({8 * kGiB, 6 * kGiB, 1}).reason, HasSubstr("core"));
}

TEST(ProfileTest, ASmallerOneTakesNoMoreOfAnything) {
  const auto profiles = all_profiles();
  for (size_t i = 0; i < profiles.size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(profiles[i].id), i);
    EXPECT_EQ(find_profile(profiles[i].name), &profiles[i]);
    if (i == 0) continue;
    const Bounds &larger = profiles[i - 1].bounds, &smaller = profiles[i].bounds;
    EXPECT_GT(smaller.context_length, 0u);
    EXPECT_TRUE(larger.context_length == 0 || smaller.context_length <= larger.context_length);
    EXPECT_LE(smaller.models, larger.models);
    EXPECT_LE(smaller.running, larger.running);
    EXPECT_LE(smaller.kept_prefixes, larger.kept_prefixes);
    EXPECT_LE(smaller.prefix_file_bytes, larger.prefix_file_bytes);
    for (const Module& module : all_modules())
      EXPECT_GE(modules_in(profiles[i - 1].id).has(module.id), modules_in(profiles[i].id).has(module.id))
          << module.name;
  }
  EXPECT_EQ(find_profile("auto"), nullptr);
}

}  // namespace
}  // namespace ingle::assistant
