// Cores from made-up trees of /sys/devices, also ones that no kernel writes, and which of them threads get.
#include "core/backends/cpu/cores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <string>

namespace ingle::core {
namespace {

using std::filesystem::path;

class Cores : public testing::Test {
 protected:
  void SetUp() override {
    root_ = path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const path& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  void write_cpu(uint32_t cpu, const std::string& file, const std::string& text) {
    write(path("system/cpu") / ("cpu" + std::to_string(cpu)) / file, text + "\n");
  }
  void add_cpu(uint32_t cpu, const std::string& siblings, uint32_t capacity, uint32_t kilohertz) {
    write_cpu(cpu, "topology/thread_siblings_list", siblings);
    if (capacity != 0) write_cpu(cpu, "cpu_capacity", std::to_string(capacity));
    if (kilohertz != 0) write_cpu(cpu, "cpufreq/cpuinfo_max_freq", std::to_string(kilohertz));
  }
  // Two P-cores with two threads each, one of which may clock higher, and four E-cores.
  void make_hybrid(uint32_t capacity) {
    for (uint32_t cpu = 0; cpu < 4; ++cpu) add_cpu(cpu, cpu < 2 ? "0-1" : "2-3", capacity, cpu < 2 ? 5000000 : 5100000);
    for (uint32_t cpu = 4; cpu < 8; ++cpu) add_cpu(cpu, std::to_string(cpu), capacity, 3700000);
    write("cpu_core/cpus", "0-3\n");
    write("cpu_atom/cpus", "4-7\n");
  }
  std::vector<Core> find(const CpuSet& allowed) const { return find_cores(root_, allowed); }

  path root_;
};

CpuSet first_cpus(uint32_t count) {
  CpuSet cpus(count);
  std::iota(cpus.begin(), cpus.end(), 0u);
  return cpus;
}

std::vector<CpuSet> sets(const std::vector<Core>& cores) {
  std::vector<CpuSet> out;
  for (const Core& core : cores) out.push_back(core.cpus);
  return out;
}

using Sets = std::vector<CpuSet>;

// The system gives all CPUs of a hybrid with hyper-threading the same capacity, or none.
TEST_F(Cores, OfAHybridIntel) {
  for (const uint32_t capacity : {0u, 1024u}) {
    make_hybrid(capacity);
    const auto cores = find(first_cpus(8));
    EXPECT_EQ(sets(cores), (Sets{{2, 3}, {0, 1}, {4}, {5}, {6}, {7}}));
    EXPECT_DOUBLE_EQ(cores[0].speed, 1);
    EXPECT_DOUBLE_EQ(cores[1].speed, 50.0 / 51);
    EXPECT_DOUBLE_EQ(cores[2].speed, 0.75 * 37 / 51);
    EXPECT_EQ(useful_cores(cores), 6);
    // One thread isn't tied to the one core with the higher clock: another process would be, too.
    EXPECT_EQ(fast_enough(cores, 1), (CpuSet{0, 1, 2, 3}));
    EXPECT_EQ(fast_enough(cores, 2), (CpuSet{0, 1, 2, 3}));
    for (const uint32_t threads : {0u, 3u, 6u, 99u}) EXPECT_EQ(fast_enough(cores, threads), CpuSet()) << threads;
  }
}

TEST_F(Cores, OfAHybridWithoutClocksOrOfItsSlowCoresAlone) {
  for (uint32_t cpu = 0; cpu < 4; ++cpu) add_cpu(cpu, std::to_string(cpu), 0, 0);
  write("cpu_atom/cpus", "0-1\n");
  const auto cores = find(first_cpus(4));
  EXPECT_EQ(sets(cores), (Sets{{2}, {3}, {0}, {1}}));
  EXPECT_DOUBLE_EQ(cores[2].speed, 0.75);
  make_hybrid(0);
  const auto slow = find({4, 6});
  EXPECT_EQ(sets(slow), (Sets{{4}, {6}}));
  EXPECT_DOUBLE_EQ(slow[1].speed, 1);
  EXPECT_EQ(useful_cores(slow), 2);
}

TEST_F(Cores, OfABigLittleArm) {
  for (uint32_t cpu = 0; cpu < 8; ++cpu) {
    add_cpu(cpu, std::to_string(cpu), cpu < 4 ? 400 : 1024, cpu < 4 ? 1800000 : 2400000);
    write_cpu(cpu, "topology/core_id", std::to_string(cpu % 4));  // counted in each cluster
    write_cpu(cpu, "topology/physical_package_id", "0");
  }
  const auto cores = find(first_cpus(8));
  EXPECT_EQ(sets(cores), (Sets{{4}, {5}, {6}, {7}, {0}, {1}, {2}, {3}}));
  EXPECT_DOUBLE_EQ(cores[7].speed, 400.0 / 1024);
  EXPECT_EQ(useful_cores(cores), 4);
  EXPECT_EQ(fast_enough(cores, 4), (CpuSet{4, 5, 6, 7}));
  EXPECT_EQ(fast_enough(cores, 5), CpuSet());
}

TEST_F(Cores, WithHyperThreadsOfWhichSomeMayBeUsed) {
  for (uint32_t cpu = 0; cpu < 8; ++cpu)
    add_cpu(cpu, std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4), 1024, 3000000);
  EXPECT_EQ(sets(find(first_cpus(8))), (Sets{{0, 4}, {1, 5}, {2, 6}, {3, 7}}));
  const auto cores = find({1, 5, 6});
  EXPECT_EQ(sets(cores), (Sets{{1, 5}, {6}}));
  EXPECT_EQ(useful_cores(cores), 2);
  EXPECT_EQ(fast_enough(cores, 1), CpuSet());  // alike: wherever the system likes
}

TEST_F(Cores, AreAlikeWhereNothingIsKnown) {
  EXPECT_EQ(find({}).size(), 0);
  const auto cores = find({0, 1, 70});
  EXPECT_EQ(sets(cores), (Sets{{0}, {1}, {70}}));
  for (const Core& core : cores) EXPECT_DOUBLE_EQ(core.speed, 1);
  EXPECT_EQ(useful_cores(cores), 3);
}

TEST_F(Cores, IgnoreWhatIsNoList) {
  std::string numbers = "0";
  for (int i = 1; i < 40000; ++i) numbers += "," + std::to_string(i);
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("0-8192"), std::string("0-99999999999999999999"),
        std::string("1-0"), std::string("1,0"), std::string("0,0-1"), std::string("0-1,"), std::string("0--1"),
        std::string("-1"), std::string("0 1"), std::string(" 0-1"), std::string("0-1\0", 4), std::string("5-6"),
        numbers}) {
    for (const uint32_t cpu : {0u, 1u}) add_cpu(cpu, text, 0, 0);
    write("cpu_atom/cpus", text + "\n");
    const auto cores = find({0, 1});
    ASSERT_EQ(sets(cores), (Sets{{0}, {1}})) << text.substr(0, 30);
    EXPECT_DOUBLE_EQ(cores[1].speed, 1) << text.substr(0, 30);
  }
  add_cpu(0, "0-1", 0, 0);
  add_cpu(1, "0-1", 0, 0);
  EXPECT_EQ(sets(find({0, 1})), (Sets{{0, 1}}));
  std::filesystem::remove(root_ / "system/cpu/cpu0/topology/thread_siblings_list");
  std::filesystem::create_directory(root_ / "system/cpu/cpu0/topology/thread_siblings_list");
  EXPECT_EQ(sets(find({0, 1})), (Sets{{0, 1}}));  // CPU 1 still says so
}

// A speed counts only where it is known of all cores.
TEST_F(Cores, IgnoreWhatIsNoSpeed) {
  for (const std::string text : {"", "0", "-5", "nan", "1e3", "400 ", "99999999999999999999", "1000000001"}) {
    for (const char* file : {"cpu_capacity", "cpufreq/cpuinfo_max_freq"}) {
      for (const uint32_t cpu : {0u, 1u}) add_cpu(cpu, std::to_string(cpu), 0, 0);
      write_cpu(0, file, "400");
      write_cpu(1, file, text);
      const auto cores = find({0, 1});
      EXPECT_DOUBLE_EQ(cores[0].speed, 1) << text;
      EXPECT_DOUBLE_EQ(cores[1].speed, 1) << text;
      write_cpu(1, file, "800");
      EXPECT_DOUBLE_EQ(find({0, 1})[1].speed, 0.5) << file;
      write_cpu(1, file, "400");
    }
  }
}

TEST(UsableCores, CoverWhatThisThreadMayUse) {
  CpuSet cpus;
  for (const Core& core : usable_cores()) cpus.insert(cpus.end(), core.cpus.begin(), core.cpus.end());
  std::ranges::sort(cpus);
  EXPECT_EQ(cpus, allowed_cpus());
  EXPECT_GE(useful_cores(usable_cores()), 1);
}

TEST_F(Cores, GetNoMoreThreadsThanThereIsTimeFor) {
  const std::vector<Core> four(4);
  EXPECT_EQ(useful_cores(four), 4);
  EXPECT_EQ(useful_cores(four, 0.5), 1);
  EXPECT_EQ(useful_cores(four, 2.5), 2);
  EXPECT_EQ(useful_cores(four, 64), 4);
}

class Quota : public Cores {
 protected:
  std::optional<double> quota() const { return cpu_quota(root_ / "groups", root_ / "self"); }
};

// The least of the group's and those around it; what is no number, or is cut short, is no limit.
TEST_F(Quota, OfVersion2) {
  write("self", "0::/user/app\n");
  EXPECT_FALSE(quota());
  write("groups/user/app/cpu.max", "max 100000\n");
  EXPECT_FALSE(quota());
  write("groups/user/app/cpu.max", "250000 100000\n");
  EXPECT_EQ(quota(), 2.5);
  write("groups/user/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
  for (const char* nonsense : {"", "50000", "50000 ", "50000 0\n", "-1 100000\n", "50000 100000 1\n", "0 100000\n",
                               "99999999999999999999999 1\n"}) {
    write("groups/user/cpu.max", nonsense);
    EXPECT_EQ(quota(), 2.5) << nonsense;
  }
}

TEST_F(Quota, OfVersion1AndOfAContainer) {
  write("self", "9:cpuset:/a\n4:cpu,cpuacct:/docker/0123\n");
  write("groups/cpu/cpu.cfs_quota_us", "-1\n");
  write("groups/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(quota());
  write("groups/cpu/cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(quota(), 3);
  write("groups/cpu.max", "100000 100000\n");  // where version 2 has it, which this process is not in
  EXPECT_EQ(quota(), 3);
  write("self", "4:cpu:/../outside\n");
  write("groups/outside/cpu.cfs_quota_us", "100000\n");
  write("groups/outside/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 3);
}

}  // namespace
}  // namespace ingle::core
