#include "assistant/pacing/device_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace ingle::assistant {
namespace {

class DeviceMeterTest : public testing::Test {
 protected:
  DeviceMeterTest() : proc_(testing::TempDir() + "meter-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(proc_);
    write("stat", "cpu  100 10 50 1000 40 1 2 3 0 0\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n");
    write("meminfo", "MemTotal:       2000 kB\nMemFree: 1 kB\nMemAvailable:    500 kB\n");
    write("7/stat", "7 (a) b) R 1 2 3 4 5 6 7 8 9 10 200 100 0 0\n");
    write("7/statm", "100 25 3\n");
  }
  ~DeviceMeterTest() override { std::filesystem::remove_all(proc_); }
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((proc_ / name).parent_path());
    std::ofstream(proc_ / name) << text;
  }
  const std::filesystem::path proc_;
};

TEST_F(DeviceMeterTest, MeasuresBetweenTwoReadings) {
  DeviceMeter meter(proc_);
  const int own[] = {7, 99};
  const DeviceReading first = meter.read(1'000'000'000, own);
  EXPECT_EQ(first.cores, 2u);
  EXPECT_FALSE(first.busy);
  EXPECT_FALSE(first.own_busy);
  EXPECT_EQ(first.memory_bytes, 2000u * 1024);
  EXPECT_EQ(first.available_bytes, 500u * 1024);
  EXPECT_THAT(first.resident_bytes, testing::ElementsAre(testing::Pair(7, 25 * ::sysconf(_SC_PAGESIZE))));
  EXPECT_FALSE(first.pressure);

  const auto hertz = static_cast<unsigned>(::sysconf(_SC_CLK_TCK));
  // Idle and waiting for disks are not busy.
  write("stat", "cpu  " + std::to_string(100 + 3 * hertz) + " 10 50 9000 4000 1 2 3 0 0\ncpu0 1\ncpu1 1\n");
  write("7/stat", "7 (a) b) R 1 2 3 4 5 6 7 8 9 10 " + std::to_string(200 + hertz) + " " + std::to_string(100 + hertz) +
                      " 0 0\n");
  for (const char* of : {"cpu", "memory", "io"})
    write("pressure/" + std::string(of), "some avg10=25.00 avg60=1.00 avg300=0.00 total=1\nfull avg10=9.00\n");
  const DeviceReading second = meter.read(3'000'000'000, own);
  EXPECT_DOUBLE_EQ(second.busy.value(), 1.5);
  EXPECT_DOUBLE_EQ(second.own_busy.value(), 1.0);
  EXPECT_DOUBLE_EQ(second.pressure.value().io, 0.25);
}

TEST_F(DeviceMeterTest, WhatIsNotThereIsNotTold) {
  DeviceMeter meter(proc_ / "nowhere");
  const int own[] = {7};
  meter.read(1, own);
  const DeviceReading reading = meter.read(1'000'000'001, own);
  EXPECT_FALSE(reading.busy);
  EXPECT_EQ(reading.memory_bytes, 0u);
  EXPECT_TRUE(reading.resident_bytes.empty());
}

}  // namespace
}  // namespace ingle::assistant
