#include "server/app/speeds.h"

#include <algorithm>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"

namespace ingle::server {
namespace {

using base::Json;

constexpr int kVersion = 1;
constexpr uint64_t kMostFileBytes = 1 << 18;
constexpr size_t kMostModels = 64, kMostRuns = 9;
/// Fewer tokens than these say more of how long it takes to begin.
constexpr uint32_t kFewestDecoded = 16, kFewestPrompt = 64;

std::optional<MeasuredSpeed> median(std::vector<double> runs) {
  if (runs.empty()) return std::nullopt;
  const auto middle = runs.begin() + static_cast<ptrdiff_t>(runs.size() / 2);
  std::ranges::nth_element(runs, middle);
  return MeasuredSpeed{*middle, runs.size()};
}

void add(std::vector<double>& runs, double speed) {
  runs.push_back(speed);
  if (runs.size() > kMostRuns) runs.erase(runs.begin());
}

std::vector<double> read_runs(const Json& entry, const char* name) {
  std::vector<double> runs;
  if (const auto found = entry.find(name); found != entry.end() && found->is_array())
    for (const Json& run : *found)
      if (run.is_number() && run.get<double>() > 0) add(runs, run.get<double>());
  return runs;
}

}  // namespace

Speeds::Speeds(const std::filesystem::path& state_folder, std::function<void(std::function<void()>)> soon)
    : path_(state_folder.empty() ? state_folder : state_folder / "speeds.json"), soon_(std::move(soon)) {
  read();
}

// What was to be done soon is not done any more where the program ends.
Speeds::~Speeds() {
  if (saving_soon_) save();
}

void Speeds::read() {
  if (path_.empty()) return;
  const auto text = base::read_file(path_, kMostFileBytes);
  if (!text) return;
  const auto json = base::parse_json(*text);
  if (!json || !json->is_object() || json->value("version", Json()) != kVersion || !json->contains("entries") ||
      !(*json)["entries"].is_array() || json->value("checksum", Json()) != base::hash64_hex((*json)["entries"].dump()))
    return;
  for (const Json& entry : (*json)["entries"])
    if (entry.is_object() && entry.contains("file") && entry["file"].is_string() && entries_.size() < kMostModels)
      entries_.push_back({entry["file"], read_runs(entry, "decode_tps"), read_runs(entry, "prefill_tps")});
}

void Speeds::save() {
  const std::lock_guard saving(saving_);
  Json entries = Json::array();
  {
    const std::lock_guard lock(mutex_);
    saving_soon_ = false;
    for (const Entry& entry : entries_)
      entries.push_back({{"file", entry.file}, {"decode_tps", entry.decode}, {"prefill_tps", entry.prefill}});
  }
  std::error_code failure;
  std::filesystem::create_directories(path_.parent_path(), failure);
  const Json file = {{"version", kVersion}, {"checksum", base::hash64_hex(entries.dump())}, {"entries", entries}};
  // What can't be kept is measured again.
  static_cast<void>(base::write_file_atomic(path_, file.dump(1) + "\n"));
}

// With mutex_.
void Speeds::save_soon() {
  if (path_.empty() || saving_soon_) return;
  saving_soon_ = true;
  soon_([this] { save(); });
}

void Speeds::note(const std::string& file, const core::GenerationStats& stats) {
  const uint32_t decoded = stats.generated_tokens > 0 ? stats.generated_tokens - 1 : 0;
  const uint32_t computed = stats.prompt_tokens - stats.cached_tokens;
  // Tokens that were computed along say how much the text repeats itself.
  const bool decode = decoded >= kFewestDecoded && stats.decode_ms > 0 && stats.taken_tokens * 10 <= decoded;
  const bool prefill = computed >= kFewestPrompt && stats.prefill_ms > 0;
  if (file.empty() || stats.preemptions > 0 || (!decode && !prefill)) return;
  const std::lock_guard lock(mutex_);
  Entry entry{file, {}, {}};
  if (const auto found = std::ranges::find(entries_, file, &Entry::file); found != entries_.end()) {
    entry = std::move(*found);
    entries_.erase(found);
  }
  if (decode) add(entry.decode, decoded * 1000 / stats.decode_ms);
  if (prefill) add(entry.prefill, computed * 1000 / stats.prefill_ms);
  entries_.push_front(std::move(entry));
  if (entries_.size() > kMostModels) entries_.pop_back();
  save_soon();
}

// With mutex_.
const Speeds::Entry* Speeds::find(const std::string& file) const {
  const auto found = std::ranges::find(entries_, file, &Entry::file);
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<MeasuredSpeed> Speeds::decode(const std::string& file) const {
  const std::lock_guard lock(mutex_);
  const Entry* entry = find(file);
  return entry == nullptr ? std::nullopt : median(entry->decode);
}

std::optional<MeasuredSpeed> Speeds::prefill(const std::string& file) const {
  const std::lock_guard lock(mutex_);
  const Entry* entry = find(file);
  return entry == nullptr ? std::nullopt : median(entry->prefill);
}

void Speeds::forget(const std::string& file) {
  const std::lock_guard lock(mutex_);
  if (std::erase_if(entries_, [&](const Entry& entry) { return entry.file == file; }) > 0) save_soon();
}

}  // namespace ingle::server
