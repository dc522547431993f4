// How fast models answered here: per model's file the last runs, of which the median is told. So a prediction stands
// beside what came of it.
//
// speeds.json of the state folder: {"version": 1, "checksum": hash64 of the entries' text, "entries": [{"file": …,
// "decode_tps": […], "prefill_tps": […]}]}, the model that answered last first.
#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/scheduler/request.h"

namespace ingle::server {

struct MeasuredSpeed {
  double tokens_per_second = 0;  ///< the median
  size_t runs = 0;               ///< of so many
};

/// For any thread.
class Speeds {
 public:
  /// `soon` runs what takes moments. An empty folder: nothing is kept. A file that can't be read counts as none.
  Speeds(const std::filesystem::path& state_folder, std::function<void(std::function<void()>)> soon);
  ~Speeds();
  Speeds(const Speeds&) = delete;
  Speeds& operator=(const Speeds&) = delete;

  /// Takes down what an answer says of a model's speed, if it was long enough to say something. `file`: which model's,
  /// by what stays the same however it is called. Returns at once.
  void note(const std::string& file, const core::GenerationStats& stats);
  std::optional<MeasuredSpeed> decode(const std::string& file) const;
  std::optional<MeasuredSpeed> prefill(const std::string& file) const;
  void forget(const std::string& file);

 private:
  struct Entry {
    std::string file;
    std::vector<double> decode, prefill;  ///< the latest last
  };

  void read();
  void save();
  void save_soon();
  const Entry* find(const std::string& file) const;

  const std::filesystem::path path_;
  const std::function<void(std::function<void()>)> soon_;
  std::mutex saving_;         ///< of the file
  mutable std::mutex mutex_;  ///< of all below; taken after saving_
  std::list<Entry> entries_;
  bool saving_soon_ = false;
};

}  // namespace ingle::server
