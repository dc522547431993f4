#include "assistant/pacing/device_load.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "assistant/pacing/system_file.h"
#include "base/control_groups.h"

namespace ingle::assistant {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostNumber = int64_t{1} << 60;  // larger ones are none
constexpr size_t kMostThreads = 4096, kMostZones = 64, kMostTrips = 32, kMostSupplies = 32;
constexpr int64_t kSlowNs = 1'000'000'000;  // between two looks at what changes slowly, and takes long to be read

// The next word of a text, which loses it.
std::string_view next_word(std::string_view& text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\n"), text.size());
  const size_t end = std::min(text.find_first_of(" \t\n", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::string_view next_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// Whole decimal numbers, below 0 only where `negative`.
std::optional<int64_t> number(std::string_view word, bool negative = false) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || word.empty()) return std::nullopt;
  if (value > kMostNumber || value < (negative ? -kMostNumber : 0)) return std::nullopt;
  return value;
}

std::optional<int64_t> read_number(const fs::path& path, bool negative = false) {
  const std::string text = read_text(path);
  std::string_view rest = text;
  return number(next_word(rest), negative);
}

std::string read_word(const fs::path& path) {
  const std::string text = read_text(path);
  std::string_view rest = text;
  return std::string(next_word(rest));
}

// The first so many entries of a folder, sorted; none where there is no such folder.
std::vector<fs::path> entries(const fs::path& folder, std::string_view prefix, size_t most) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end && found.size() < most; at.increment(error))
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path());
  std::ranges::sort(found);
  return found;
}

// The number of "cpu12", if that is the line's first word.
std::optional<uint32_t> cpu_of(std::string_view& line) {
  const std::string_view word = next_word(line);
  if (!word.starts_with("cpu")) return std::nullopt;
  const auto cpu = number(word.substr(3));
  return cpu && *cpu <= UINT32_MAX ? std::optional(static_cast<uint32_t>(*cpu)) : std::nullopt;
}

// Whether the process runs with a lower priority: field 19 of its stat, after a name that may hold anything.
bool is_nice(const fs::path& process) {
  const std::string text = read_text(process / "stat");
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return false;
  std::string_view rest = std::string_view(text).substr(name_end + 1);
  for (int field = 3; field < 19; ++field) next_word(rest);
  return number(next_word(rest), true).value_or(0) > 0;
}

// `now` and `before` in units of so many nanoseconds.
std::optional<double> average(std::optional<int64_t> now, std::optional<int64_t>& before, int64_t own, double elapsed,
                              int64_t unit = 1) {
  const std::optional<int64_t> last = std::exchange(before, now);
  if (!now || !last || elapsed <= 0) return std::nullopt;
  const double all = static_cast<double>(*now - *last) * static_cast<double>(unit);
  return std::max(all - static_cast<double>(own), 0.0) / elapsed;
}

}  // namespace

LoadReader::LoadReader(std::vector<uint32_t> cpus, Places places)
    : cpus_(std::move(cpus)), places_(std::move(places)) {}

DeviceLoad LoadReader::read(int64_t now_ns, std::span<const int> own) {
  DeviceLoad load;
  const bool nice = !own.empty() && is_nice(places_.proc / std::to_string(own.front()));
  const Times mine = read_own(own);
  const double elapsed = first_ ? 0 : static_cast<double>(now_ns - last_ns_);
  const int64_t tick_ns = 1'000'000'000 / std::max(::sysconf(_SC_CLK_TCK), 1L);
  load.others_running = average(read_busy_ticks(nice), busy_ticks_, mine.running_ns, elapsed, tick_ns);
  load.others_waiting = average(read_waiting_ns(), waiting_ns_, mine.waiting_ns, elapsed);
  if (!load.others_waiting) load.others_waiting = average(read_pressure_ns(), pressure_ns_, mine.waiting_ns, elapsed);
  if (first_ || now_ns - last_slow_ns_ >= kSlowNs) {
    heat_margin_ = read_heat_margin();
    battery_ = read_battery();
    last_slow_ns_ = now_ns;
  }
  load.throttled = read_throttled();
  load.heat_margin = heat_margin_;
  load.battery = battery_;
  last_ns_ = now_ns;
  first_ = false;
  return load;
}

// What our threads took since the last reading; that of a thread which has ended meanwhile is not known.
LoadReader::Times LoadReader::read_own(std::span<const int> own) {
  Times sum;
  std::map<std::pair<int, int>, Times> threads;
  for (const int process : own)
    for (const fs::path& thread : entries(places_.proc / std::to_string(process) / "task", "", kMostThreads)) {
      const auto id = number(thread.filename().string());
      const std::string text = read_text(thread / "schedstat");
      std::string_view rest = text;
      const auto running = number(next_word(rest)), waiting = number(next_word(rest));
      if (!id || *id > INT32_MAX || !running || !waiting || threads.size() >= kMostThreads) continue;
      const std::pair key(process, static_cast<int>(*id));
      const Times& last = threads_[key];
      sum.running_ns += std::max<int64_t>(*running - last.running_ns, 0);
      sum.waiting_ns += std::max<int64_t>(*waiting - last.waiting_ns, 0);
      threads[key] = {*running, *waiting};
    }
  threads_ = std::move(threads);
  return sum;
}

std::optional<int64_t> LoadReader::read_busy_ticks(bool with_nice) const {
  constexpr int64_t kMostTicks = int64_t{1} << 40;  // centuries; as many as there may be CPUs and columns still fit
  const std::string text = read_text(places_.proc / "stat");
  std::optional<int64_t> sum;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = next_line(rest);
    const auto cpu = cpu_of(line);
    if (!cpu || !std::ranges::binary_search(cpus_, *cpu)) continue;
    // user nice system idle iowait irq softirq …; what follows are times of other machines.
    int64_t ticks = 0;
    for (int column = 0; column < 7; ++column) {
      const auto value = number(next_word(line));
      if (!value || *value > kMostTicks) return std::nullopt;
      if (column != 3 && column != 4 && (column != 1 || with_nice)) ticks += *value;
    }
    sum = sum.value_or(0) + ticks;
  }
  return sum;
}

std::optional<int64_t> LoadReader::read_waiting_ns() const {
  const std::string text = read_text(places_.proc / "schedstat");
  std::optional<int64_t> sum;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = next_line(rest);
    const auto cpu = cpu_of(line);
    if (!cpu || !std::ranges::binary_search(cpus_, *cpu)) continue;
    for (int column = 1; column < 8; ++column) next_word(line);
    const auto waiting = number(next_word(line));
    sum = sum.value_or(0) + waiting.value_or(0);
    if (!waiting || *sum > kMostNumber) return std::nullopt;
  }
  return sum;
}

std::optional<int64_t> LoadReader::read_pressure_ns() const {
  const std::string text = read_text(places_.proc / "pressure" / "cpu");
  std::string_view rest = text;
  std::string_view line = next_line(rest);
  if (next_word(line) != "some") return std::nullopt;
  while (!line.empty()) {
    const std::string_view word = next_word(line);
    if (!word.starts_with("total=")) continue;
    const auto total = number(word.substr(6));
    return total && *total <= kMostNumber / 1000 ? std::optional(*total * 1000) : std::nullopt;
  }
  return std::nullopt;
}

// The most of the groups that we are in.
std::optional<double> LoadReader::read_throttled() {
  std::optional<double> most;
  for (const base::ControlGroup& group :
       base::control_groups("cpu", places_.sys / "fs" / "cgroup", places_.proc / "self" / "cgroup")) {
    const std::string text = read_text(group.folder / "cpu.stat");
    std::optional<int64_t> all, throttled;
    for (std::string_view rest = text; !rest.empty();) {
      std::string_view line = next_line(rest);
      const std::string_view name = next_word(line);
      if (name == "nr_periods") all = number(next_word(line));
      if (name == "nr_throttled") throttled = number(next_word(line));
    }
    if (!all || !throttled) continue;
    const auto [known, added] = periods_.try_emplace(group.folder, Periods{*all, *throttled});
    const Periods last = std::exchange(known->second, {*all, *throttled});
    if (added || *all <= last.all) continue;
    const double share = static_cast<double>(*throttled - last.throttled) / static_cast<double>(*all - last.all);
    most = std::max(most.value_or(0), std::clamp(share, 0.0, 1.0));
  }
  return most;
}

std::optional<double> LoadReader::read_heat_margin() const {
  constexpr int64_t kHottest = 200'000;
  std::optional<double> least;
  for (const fs::path& zone : entries(places_.sys / "class" / "thermal", "thermal_zone", kMostZones)) {
    const auto now = read_number(zone / "temp", true);
    if (!now || *now > kHottest) continue;
    for (size_t trip = 0; trip < kMostTrips; ++trip) {
      const std::string name = "trip_point_" + std::to_string(trip);
      const std::string type = read_word(zone / (name + "_type"));
      if (type.empty()) break;
      if (type != "passive" && type != "hot" && type != "critical") continue;  // "active": a fan
      const auto limit = read_number(zone / (name + "_temp"));
      if (!limit || *limit == 0 || *limit > kHottest) continue;
      const double margin = static_cast<double>(*limit - *now) / 1000;
      least = std::min(least.value_or(margin), margin);
    }
  }
  return least;
}

std::optional<double> LoadReader::read_battery() const {
  std::optional<double> least;
  for (const fs::path& supply : entries(places_.sys / "class" / "power_supply", "", kMostSupplies)) {
    // A mouse has a battery, too.
    if (read_word(supply / "type") != "Battery" || read_word(supply / "scope") == "Device") continue;
    if (read_word(supply / "status") != "Discharging") continue;
    const auto capacity = read_number(supply / "capacity");
    if (!capacity || *capacity > 100) continue;
    const double full = static_cast<double>(*capacity) / 100;
    least = std::min(least.value_or(full), full);
  }
  return least;
}

}  // namespace ingle::assistant
