// Costs, with energy counters in a folder that stands for /sys.
#include "cli/cost.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace ingle::cli {
namespace {

class CostTest : public testing::Test {
 protected:
  void SetUp() override {
    sysfs_ = std::filesystem::temp_directory_path() / ("ingle-sysfs-" + std::to_string(::getpid()));
    std::filesystem::create_directories(sysfs_);
  }
  void TearDown() override { std::filesystem::remove_all(sysfs_); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((sysfs_ / name).parent_path());
    std::ofstream(sysfs_ / name) << text << "\n";
  }
  void package(const std::string& folder, const std::string& name, const std::string& microjoules) const {
    write("class/powercap/" + folder + "/name", name);
    write("class/powercap/" + folder + "/energy_uj", microjoules);
    write("class/powercap/" + folder + "/max_energy_range_uj", "10000000");
  }
  std::filesystem::path sysfs_;
};

// This process's time on cores; sleeping is none.
void compute(double core_seconds) {
  const auto used = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  for (const double begin = used(); used() - begin < core_seconds;) {
  }
}

TEST_F(CostTest, CoreSecondsOfAllThreadsWithoutSleep) {
  CostMeter meter(sysfs_);
  meter.start();
  std::thread other([] { compute(0.05); });
  compute(0.05);
  other.join();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const Cost cost = meter.stop();
  EXPECT_GE(cost.core_seconds, 0.095);
  EXPECT_LT(cost.core_seconds, 0.3);
  EXPECT_EQ(cost.instructions.has_value(), meter.no_instructions().empty());
  if (cost.instructions) {
    EXPECT_GT(*cost.instructions, 1e6);
  }
  EXPECT_FALSE(cost.joules);
  EXPECT_EQ(meter.energy_source(), "");
}

TEST_F(CostTest, PackagesAddUpAndStartAgainFromZero) {
  package("intel-rapl:0", "package-0", "1000000");
  package("intel-rapl:1", "package-1", "9000000");
  package("intel-rapl:0:0", "core", "1");
  package("intel-rapl:2", "psys", "1");
  package("intel-rapl-mmio:0", "package-0", "1000000");
  CostMeter meter(sysfs_);
  EXPECT_EQ(meter.energy_source(), "RAPL");
  meter.start();
  package("intel-rapl:0", "package-0", "3500000");  // 2.5 J
  package("intel-rapl:1", "package-1", "500000");   // 1 J to the end of its range and 0.5 more
  package("intel-rapl:0:0", "core", "1000001");
  EXPECT_NEAR(meter.stop().joules.value_or(0), 4.0, 1e-9);
}

TEST_F(CostTest, ABatteryCountsWhileItIsUsed) {
  const std::string battery = "class/power_supply/BAT0/";
  write(battery + "type", "Battery");
  write(battery + "status", "Charging");
  write(battery + "energy_now", "50000000");
  EXPECT_EQ(CostMeter(sysfs_).energy_source(), "");
  write(battery + "status", "Discharging");
  CostMeter meter(sysfs_);
  EXPECT_EQ(meter.energy_source(), "battery");
  meter.start();
  EXPECT_FALSE(meter.stop().joules);  // no step of its gauge
  write(battery + "energy_now", "49990000");
  EXPECT_NEAR(meter.stop().joules.value_or(0), 36.0, 1e-6);
}

TEST_F(CostTest, ABatteryThatCountsCharge) {
  const std::string battery = "class/power_supply/BAT1/";
  write(battery + "type", "Battery");
  write(battery + "status", "Discharging");
  write(battery + "charge_now", "4000000");
  write(battery + "voltage_now", "12000000");
  CostMeter meter(sysfs_);
  meter.start();
  write(battery + "charge_now", "3999000");
  EXPECT_NEAR(meter.stop().joules.value_or(0), 43.2, 1e-6);  // 1 mAh at 12 V
}

}  // namespace
}  // namespace ingle::cli
