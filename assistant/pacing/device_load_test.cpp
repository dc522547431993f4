// Signals from made-up trees of /proc and /sys, also ones that no kernel writes.
#include "assistant/pacing/device_load.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <string>

#include "base/clock.h"
#include "core/backends/cpu/cores.h"

namespace ingle::assistant {
namespace {

using std::filesystem::path;

constexpr int64_t kSecond = 1'000'000'000;

class DeviceLoadTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
    reader_.emplace(std::vector<uint32_t>{0, 1}, LoadReader::Places{root_ / "proc", root_ / "sys"});
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const path& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  /// user, nice, system, idle, iowait, irq, softirq, steal of a CPU, in ticks.
  static std::string cpu(const std::string& name, const std::array<int, 8>& ticks) {
    std::string line = name;
    for (const int each : ticks) line += " " + std::to_string(each);
    return line + " 0 0\n";
  }
  /// Ticks that are so many seconds.
  static int ticks(double seconds) { return static_cast<int>(seconds * static_cast<double>(::sysconf(_SC_CLK_TCK))); }
  void write_thread(int process, int thread, int64_t running_ns, int64_t waiting_ns) {
    write(path("proc") / std::to_string(process) / "task" / std::to_string(thread) / "schedstat",
          std::to_string(running_ns) + " " + std::to_string(waiting_ns) + " 17\n");
  }
  DeviceLoad read(double seconds) {
    return reader_->read(static_cast<int64_t>(seconds * kSecond), std::array<int, 2>{40, 50});
  }

  path root_;
  std::optional<LoadReader> reader_;
};

TEST_F(DeviceLoadTest, IsUnknownWhereNothingTells) {
  for (int i = 1; i < 4; ++i) {
    const DeviceLoad load = read(i);
    EXPECT_FALSE(load.others_running || load.others_waiting || load.throttled || load.heat_margin || load.battery);
  }
}

// Two CPUs of four: others' time is that of all less ours, of both our processes and of a thread that began meanwhile.
TEST_F(DeviceLoadTest, CountsWhatOthersRun) {
  const auto all = [&](double busy) {
    // What is given to other machines (steal) or to who is nice is nobody's need; other CPUs are not ours.
    write("proc/stat", cpu("cpu", {999999, 0, 0, 0, 0, 0, 0, 0}) +
                           cpu("cpu0", {ticks(busy / 2), ticks(busy * 9), ticks(busy / 4), 5, 6, 0, ticks(busy / 4),
                                        ticks(busy * 7)}) +
                           cpu("cpu1", {ticks(busy), 0, 0, 5000, 6000, 0, 0, 0}) +
                           cpu("cpu2", {ticks(busy * 100), 0, 0, 0, 0, 0, 0, 0}) + "intr 1 2 3\n");
  };
  all(10);
  write_thread(40, 40, 1 * kSecond, 0);
  write_thread(50, 51, 2 * kSecond, 0);
  EXPECT_FALSE(read(1).others_running);  // since when?
  all(11.5);                             // three seconds of CPU time more
  write_thread(40, 40, 1 * kSecond + kSecond / 2, 0);
  write_thread(50, 51, 2 * kSecond + kSecond / 4, 0);
  write_thread(50, 52, kSecond / 4, 0);
  EXPECT_NEAR(read(3).others_running.value(), 2.0 / 2, 0.03);
  // Nothing but ours; and never less than nothing, as ticks are coarse.
  write_thread(50, 52, kSecond, 0);
  EXPECT_EQ(read(4).others_running, 0);
  // One of ours has gone, and its number is another's: what it had is not known.
  all(12);
  std::filesystem::remove_all(root_ / "proc" / "40");
  write_thread(50, 52, 1, 0);
  EXPECT_NEAR(read(5).others_running.value(), 1, 0.03);
}

// Years of CPU time since the start are no reason not to know.
TEST_F(DeviceLoadTest, GoesOnWhereTheMachineHasRunForYears) {
  const int64_t year = 365 * 24 * 3600, hertz = ::sysconf(_SC_CLK_TCK);
  const auto all = [&](double seconds) {
    const auto more = static_cast<int64_t>(seconds * static_cast<double>(hertz));
    const std::string busy = " " + std::to_string(10 * year * hertz + more) + " 0 0 0 0 0 0 0 0 0\n";
    write("proc/stat", "cpu0" + busy + "cpu1" + busy);
    const std::string waiting =
        " 0 0 0 0 0 0 0 " + std::to_string(year * kSecond + static_cast<int64_t>(seconds * kSecond));
    write("proc/schedstat", "version 17\ncpu0" + waiting + " 9\ncpu1" + waiting + " 9\n");
  };
  all(0);
  read(1);
  all(0.5);
  const DeviceLoad load = read(2);
  EXPECT_NEAR(load.others_running.value(), 1, 0.03);
  EXPECT_NEAR(load.others_waiting.value(), 1, 0.001);
}

TEST_F(DeviceLoadTest, CountsWhatRunsWithALowPriorityWhereWeDo) {
  const std::string name = "40 (a (b) 7) S";
  std::string stat = name;
  for (int field = 4; field < 19; ++field) stat += " 0";
  for (const int nice : {0, 5}) {
    SetUp();
    write("proc/40/stat", stat + " " + std::to_string(nice) + " 1 0\n");
    write("proc/stat", cpu("cpu0", {0, 0, 0, 0, 0, 0, 0, 0}));
    read(1);
    write("proc/stat", cpu("cpu0", {0, ticks(0.5), 0, 0, 0, 0, 0, 0}));
    EXPECT_NEAR(read(2).others_running.value(), nice == 0 ? 0 : 0.5, 0.02);
  }
}

TEST_F(DeviceLoadTest, CountsWhoWaitsWithoutUs) {
  const auto schedstat = [&](int64_t waiting) {
    write("proc/schedstat", "version 17\ntimestamp 1\ncpu0 1 2 3 4 5 6 7 " + std::to_string(waiting) +
                                " 9\ndomain0 MC 3 1 2 3\ncpu1 0 0 0 0 0 0 0 " + std::to_string(2 * waiting) +
                                " 9\ncpu2 0 0 0 0 0 0 0 77777777777777 0\n");
  };
  const auto pressure = [&](int64_t total) {
    write("proc/pressure/cpu", "some avg10=1.00 avg60=0.00 avg300=0.00 total=" + std::to_string(total) +
                                   "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  };
  write_thread(40, 40, 0, 0);
  pressure(1'000'000);
  read(1);
  pressure(1'800'000);
  write_thread(40, 40, 0, kSecond / 2);
  EXPECT_NEAR(read(2).others_waiting.value(), 0.3, 1e-9);
  pressure(1'900'000);
  write_thread(40, 40, 0, kSecond);
  EXPECT_EQ(read(3).others_waiting, 0);  // we waited ourselves
  schedstat(100 * kSecond);
  read(4);
  schedstat(101 * kSecond);
  write_thread(40, 40, 0, kSecond * 3 / 2);
  EXPECT_NEAR(read(5).others_waiting.value(), 2.5, 1e-9);
}

TEST_F(DeviceLoadTest, SaysHowOftenAControlGroupStopsUs) {
  write("proc/self/cgroup", "0::/user/app\n");
  const auto stat = [&](const path& group, int periods, int throttled) {
    write("sys/fs/cgroup" / group / "cpu.stat", "usage_usec 1\nnr_periods " + std::to_string(periods) +
                                                    "\nnr_throttled " + std::to_string(throttled) +
                                                    "\nthrottled_usec 5\n");
  };
  stat("user/app", 100, 50);
  stat("user", 10, 10);
  EXPECT_FALSE(read(1).throttled);
  EXPECT_FALSE(read(2).throttled);  // no period has gone by
  stat("user/app", 110, 55);
  stat("user", 20, 12);
  EXPECT_EQ(read(3).throttled, 0.5);
  stat("user", 30, 21);
  EXPECT_EQ(read(4).throttled, 0.9);
}

TEST_F(DeviceLoadTest, FindsTheHottestPart) {
  const path zones = "sys/class/thermal";
  const auto zone = [&](int number, const std::string& temperature,
                        const std::vector<std::array<std::string, 2>>& trips) {
    const path folder = zones / ("thermal_zone" + std::to_string(number));
    write(folder / "temp", temperature + "\n");
    for (size_t i = 0; i < trips.size(); ++i) {
      write(folder / ("trip_point_" + std::to_string(i) + "_type"), trips[i][0] + "\n");
      write(folder / ("trip_point_" + std::to_string(i) + "_temp"), trips[i][1] + "\n");
    }
  };
  zone(0, "60000", {{"critical", "105000"}, {"passive", "95000"}, {"active", "50000"}});
  EXPECT_EQ(read(1).heat_margin, 35);
  zone(1, "-20000", {{"passive", "0"}, {"hot", "90000"}});  // 0: not in use
  EXPECT_EQ(read(1.5).heat_margin, 35);
  zone(2, "97500", {{"passive", "95000"}});
  EXPECT_EQ(read(1.9).heat_margin, 35);  // not looked at more than once a second
  EXPECT_EQ(read(2.1).heat_margin, -2.5);
  for (const char* nonsense : {"", "x", "95000 ", "9999999", "99999999999999999999", "9e4", "-300000000000000000000"}) {
    zone(2, nonsense, {{"passive", "95000"}});
    read(100);
    SetUp();
    zone(2, "50000", {{"passive", nonsense}, {"hot", nonsense}});
    const auto margin = read(1).heat_margin;
    EXPECT_TRUE(!margin || *margin == 45) << nonsense;
  }
}

TEST_F(DeviceLoadTest, FindsTheEmptiestBatteryInUse) {
  const auto supply = [&](const std::string& name, const std::string& type, const std::string& status,
                          const std::string& capacity) {
    write(path("sys/class/power_supply") / name / "type", type + "\n");
    if (!status.empty()) write(path("sys/class/power_supply") / name / "status", status + "\n");
    write(path("sys/class/power_supply") / name / "capacity", capacity + "\n");
  };
  supply("AC", "Mains", "", "3");
  supply("BAT0", "Battery", "Charging", "10");
  EXPECT_FALSE(read(1).battery);
  supply("BAT0", "Battery", "Discharging", "64");
  EXPECT_EQ(read(3).battery, 0.64);
  supply("BAT1", "Battery", "Discharging", "12");
  supply("mouse", "Battery", "Discharging", "2");
  write("sys/class/power_supply/mouse/scope", "Device\n");
  EXPECT_EQ(read(5).battery, 0.12);
  for (const char* nonsense : {"", "-1", "101", "x", "1e1", "99999999999999999999"}) {
    supply("BAT1", "Battery", "Discharging", nonsense);
    reader_.emplace(std::vector<uint32_t>{0}, LoadReader::Places{root_ / "proc", root_ / "sys"});
    EXPECT_EQ(read(1).battery, 0.64) << nonsense;
  }
}

// Neither a crash nor a number that is none.
TEST_F(DeviceLoadTest, IgnoresWhatIsNotOfItsForm) {
  std::string many = "cpu0";
  for (int i = 0; i < 300'000; ++i) many += " 9223372036854775807";
  for (const std::string& text :
       {std::string(), std::string("cpu0"), std::string("cpu0 1 2 3"), std::string("cpu0 -1 -1 -1 -1 -1 -1 -1 -1 -1\n"),
        std::string("cpu0 x y z\n"), std::string("cpu99999999999999999999 1 1 1 1 1 1 1 1 1\n"),
        std::string("\0\0\n", 3),
        std::string("cpu0 9223372036854775807 9223372036854775807 9 9 9 9 9223372036854775807 9223372036854775807 9\n"),
        std::string("some total=99999999999999999999\n"), std::string("some total=\n"), std::string("some"),
        std::string("some total=1152921504606846976\n"), many}) {
    SetUp();
    for (int i = 1; i < 4; ++i) {
      for (const char* file :
           {"proc/stat", "proc/schedstat", "proc/pressure/cpu", "proc/40/task/40/schedstat", "proc/40/stat",
            "proc/40/task/x/schedstat", "proc/self/cgroup", "sys/fs/cgroup/cpu.stat"})
        write(file, text);
      const DeviceLoad load = read(i);
      EXPECT_FALSE(load.others_running || load.others_waiting || load.throttled) << text.substr(0, 40);
    }
  }
}

// On this machine, whatever else runs: two readers differ by what we had ourselves.
TEST(DeviceLoadOfThisMachine, TellsOursFromOthers) {
  if (!std::filesystem::exists("/proc/self/schedstat") || !std::filesystem::exists("/proc/stat"))
    GTEST_SKIP() << "this system does not tell how long threads run";
  LoadReader with(core::allowed_cpus(), {}), without(core::allowed_cpus(), {});
  const std::array<int, 1> own{::getpid()};
  const auto cpu_seconds = [] {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  with.read(base::monotonic_ns(), own);
  without.read(base::monotonic_ns(), {});
  const int64_t begin = base::monotonic_ns();
  const double cpu_begin = cpu_seconds();
  while (base::monotonic_ns() - begin < kSecond) continue;
  const double ours = cpu_seconds() - cpu_begin;
  const double others = with.read(base::monotonic_ns(), own).others_running.value();
  const double all = without.read(base::monotonic_ns(), {}).others_running.value();
  EXPECT_GT(all, 0.2);
  EXPECT_NEAR(all - others, std::min(ours, all), 0.1);
}

}  // namespace
}  // namespace ingle::assistant
