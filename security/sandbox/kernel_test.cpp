#include "security/sandbox/kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace ingle::security {
namespace {

const Protection& find(const std::vector<Protection>& list, std::string_view what) {
  return *std::find_if(list.begin(), list.end(), [&](const Protection& one) { return one.what == what; });
}

TEST(KernelTest, SaysWhoEnforcesWhat) {
  const Kernel debian12{.landlock = 2, .filter = true, .close_range = true};
  const auto list = describe(debian12);
  EXPECT_TRUE(std::all_of(list.begin(), list.end(), [](const Protection& one) { return one.enforced; }));
  EXPECT_EQ(find(list, "files that it was not given").by, "Landlock 2");
  EXPECT_EQ(find(list, "truncating files by name").by, "system call filter");
  EXPECT_THAT(missing_on(debian12), testing::IsEmpty());
}

TEST(KernelTest, SaysWhatIsMissing) {
  const Kernel container{
      .landlock_problem = "Landlock is switched off on this kernel (lsm=)", .filter = true, .close_range = true};
  EXPECT_FALSE(find(describe(container), "files that it was not given").enforced);
  EXPECT_THAT(missing_on(container), testing::ElementsAre(testing::HasSubstr("switched off")));
  const Kernel no_filter{.landlock = 6, .close_range = true};
  EXPECT_TRUE(find(describe(no_filter), "TCP connections").enforced);
  EXPECT_FALSE(find(describe(no_filter), "sockets of any kind").enforced);
  EXPECT_THAT(missing_on(no_filter), testing::ElementsAre(testing::HasSubstr("seccomp")));
}

TEST(KernelTest, ProbingChangesNothing) {
  const Kernel first = probe_kernel(), second = probe_kernel();
  EXPECT_EQ(first.landlock, second.landlock);
  EXPECT_EQ(first.landlock > 0, first.landlock_problem.empty());
}

}  // namespace
}  // namespace ingle::security
