#include "assistant/pacing/device_meter.h"

#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "assistant/pacing/system_file.h"

namespace ingle::assistant {
namespace {

/// Of "MemTotal:       16314624 kB".
uint64_t kilobytes(const std::string& text, const std::string& name) {
  const size_t at = text.find(name + ":");
  if (at == std::string::npos) return 0;
  std::istringstream words(text.substr(at + name.size() + 1, 64));
  uint64_t value = 0;
  words >> value;
  return value * 1024;
}

}  // namespace

DeviceReading DeviceMeter::read(int64_t now_ns, std::span<const int> own) {
  DeviceReading reading;
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double seconds = static_cast<double>(now_ns - last_ns_) * 1e-9;
  const bool first = std::exchange(last_ns_, now_ns) == 0 || seconds <= 0;
  const auto busy = busy_ticks(reading.cores);
  if (busy && busy_ && !first) reading.busy = static_cast<double>(*busy - std::min(*busy, *busy_)) / ticks / seconds;
  busy_ = busy;
  std::map<int, uint64_t> now;
  uint64_t spent = 0;
  for (const int process : own) {
    const auto used = process_ticks(process);
    if (!used) continue;
    now[process] = *used;
    const auto before = own_.find(process);
    if (before != own_.end()) spent += *used - std::min(*used, before->second);
    std::istringstream pages(read_text(proc_ / std::to_string(process) / "statm"));
    uint64_t size = 0, resident = 0;
    if (pages >> size >> resident)
      reading.resident_bytes[process] = resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  if (!first) reading.own_busy = static_cast<double>(spent) / ticks / seconds;
  own_ = std::move(now);
  const std::string memory = read_text(proc_ / "meminfo");
  reading.memory_bytes = kilobytes(memory, "MemTotal");
  reading.available_bytes = kilobytes(memory, "MemAvailable");
  const auto cpu = pressure("cpu"), of_memory = pressure("memory"), io = pressure("io");
  if (cpu && of_memory && io) reading.pressure = {*cpu, *of_memory, *io};
  return reading;
}

// The line "cpu", of all of them: user, nice, system, idle, iowait, irq, softirq, steal.
std::optional<uint64_t> DeviceMeter::busy_ticks(uint32_t& cores) const {
  std::istringstream lines(read_text(proc_ / "stat"));
  std::optional<uint64_t> busy;
  for (std::string line; std::getline(lines, line) && line.starts_with("cpu");) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name != "cpu") {
      ++cores;
      continue;
    }
    uint64_t sum = 0, value = 0;
    for (int i = 0; i < 8 && words >> value; ++i) sum += i == 3 || i == 4 ? 0 : value;
    busy = sum;
  }
  return busy;
}

// utime and stime, fields 14 and 15; the name in field 2 may have anything in it, but ends with the last bracket.
std::optional<uint64_t> DeviceMeter::process_ticks(int process) const {
  const std::string text = read_text(proc_ / std::to_string(process) / "stat");
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream words(text.substr(end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) words >> skipped;
  uint64_t user = 0, system = 0;
  if (!(words >> user >> system)) return std::nullopt;
  return user + system;
}

// "some avg10=1.23 avg60=…": percents.
std::optional<double> DeviceMeter::pressure(const char* of) const {
  const std::string text = read_text(proc_ / "pressure" / of);
  constexpr std::string_view kBefore = "some avg10=";
  if (!text.starts_with(kBefore)) return std::nullopt;
  std::istringstream rest(text.substr(kBefore.size()));
  double percent = 0;
  if (!(rest >> percent)) return std::nullopt;
  return std::clamp(percent / 100, 0.0, 1.0);
}

}  // namespace ingle::assistant
