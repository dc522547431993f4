// What a piece of work took of the machine besides time: seconds of cores, instructions, joules.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"

namespace ingle::cli {

struct Cost {
  double core_seconds = 0;             ///< of all threads of this process; waiting in a loop counts, sleeping does not
  std::optional<double> instructions;  ///< of all threads of this process, outside the system's kernel
  std::optional<double> joules;        ///< of the whole processor package or machine, whatever else runs on it
};

/// Counts from start() to stop(). To be made before the threads that are to be counted.
class CostMeter {
 public:
  /// `sysfs`: where the system shows its energy counters; another folder for tests.
  explicit CostMeter(const std::filesystem::path& sysfs = "/sys");

  void start();
  Cost stop() const;

  /// "RAPL" or "battery"; empty: there is neither.
  const std::string& energy_source() const { return energy_source_; }
  /// Why there is no count of instructions; empty: there is one.
  const std::string& no_instructions() const { return no_instructions_; }

 private:
  struct Reading {
    double core_seconds = 0;
    std::optional<double> instructions;
    std::vector<std::optional<double>> joules;  ///< by counter
  };
  /// One that only grows and starts again from zero after `range` (RAPL), or one that falls (a battery).
  struct EnergyCounter {
    std::filesystem::path folder;
    double range_joules = 0;
    bool battery = false;
    std::optional<double> read() const;
  };

  void find_energy(const std::filesystem::path& sysfs);
  void open_instructions();
  Reading read() const;
  std::optional<double> joules_between(const Reading& before, const Reading& after) const;

  base::FileDescriptor instructions_;
  std::vector<EnergyCounter> counters_;
  std::string energy_source_, no_instructions_;
  Reading begin_;
};

}  // namespace ingle::cli
