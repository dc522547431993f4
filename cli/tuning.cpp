#include "cli/tuning.h"

#include <algorithm>
#include <thread>

#include "base/files.h"
#include "base/hash.h"
#include "cli/system.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

constexpr int version = 1;
constexpr uint64_t max_file_bytes = uint64_t{1} << 20;
constexpr uint32_t most_threads = 1024, most_batch = 65536;  // as the settings have it

Error damaged(const std::filesystem::path& path) {
  return Error{ErrorCode::corrupt, path.string() + " is damaged; 'ingle tune --forget' removes it"};
}

Result<Tuning> parse(const Json& entry, const std::filesystem::path& path) {
  Tuning tuning;
  const auto text = [&](const char* key, std::string& into) {
    if (entry.contains(key) && entry[key].is_string()) into = entry[key].get<std::string>();
    return !into.empty();
  };
  const auto count = [&](const char* key, uint32_t most, uint32_t& into) {
    if (!entry.contains(key) || !entry[key].is_number_unsigned() || entry[key].get<uint64_t>() > most) return false;
    into = entry[key].get<uint32_t>();
    return into != 0;
  };
  const auto rate = [&](const char* key, double& into) {
    if (entry.contains(key) && entry[key].is_number()) into = entry[key].get<double>();
  };
  const bool whole = entry.is_object() && text("machine", tuning.machine) && text("shape", tuning.shape) &&
                     text("model", tuning.model) && count("threads", most_threads, tuning.threads) &&
                     count("batch", most_batch, tuning.batch) &&
                     count("saturating_threads", most_threads, tuning.saturating);
  if (!whole) return damaged(path);
  rate("prefill_tps", tuning.prefill_tps);
  rate("decode_tps", tuning.decode_tps);
  return tuning;
}

}  // namespace

Json to_json(const Tuning& tuning) {
  return {
      {"machine", tuning.machine},         {"shape", tuning.shape},          {"model", tuning.model},
      {"threads", tuning.threads},         {"batch", tuning.batch},          {"saturating_threads", tuning.saturating},
      {"prefill_tps", tuning.prefill_tps}, {"decode_tps", tuning.decode_tps}};
}

std::filesystem::path tuning_path(const Session& session) {
  return session.paths.cache / "tuning.json";
}

Result<std::vector<Tuning>> read_tunings(const std::filesystem::path& path) {
  auto text = base::read_file(path, max_file_bytes);
  if (!text.ok() && text.error().code == ErrorCode::not_found) return std::vector<Tuning>();
  if (!text.ok()) return std::move(text).error();
  const auto json = base::parse_json(*text);
  if (!json.ok() || !json->is_object() || !json->contains("version")) return damaged(path);
  if ((*json)["version"] != version)
    return Error{ErrorCode::unsupported, path.string() + " has version " + (*json)["version"].dump() +
                                             ", and this program reads version " + std::to_string(version) +
                                             "; 'ingle tune --forget' removes it"};
  if (!json->contains("entries") || !(*json)["entries"].is_array() ||
      json->value("checksum", Json()) != base::hash64_hex((*json)["entries"].dump()))
    return damaged(path);
  std::vector<Tuning> tunings;
  for (const Json& entry : (*json)["entries"]) {
    INGLE_TRY(Tuning tuning, parse(entry, path));
    tunings.push_back(std::move(tuning));
  }
  return tunings;
}

Status write_tunings(const std::filesystem::path& path, const std::vector<Tuning>& tunings) {
  std::error_code failure;
  if (tunings.empty()) {
    std::filesystem::remove(path, failure);
    return failure ? Status(base::errno_error(failure.value(), "remove", path)) : Status();
  }
  Json entries = Json::array();
  for (const Tuning& tuning : tunings) entries.push_back(to_json(tuning));
  std::filesystem::create_directories(path.parent_path(), failure);  // writing says what is wrong
  const Json file = {{"version", version}, {"checksum", base::hash64_hex(entries.dump())}, {"entries", entries}};
  return base::write_file_atomic(path, file.dump(1) + "\n");
}

std::string machine_fingerprint(const Session& session) {
  std::string out = processor_name() + ", " + std::to_string(core::default_threads()) + " threads";
  for (const char* name : {"isa", "precision"})
    if (session.values.is_set(name)) out += ", " + session.values.text(name);
  return out;
}

const Tuning* find_tuning(const std::vector<Tuning>& tunings, const std::string& machine, const std::string& shape) {
  const auto found = std::ranges::find_if(tunings, [&](const Tuning& tuning) { return tuning.is_of(machine, shape); });
  return found == tunings.end() ? nullptr : &*found;
}

void use_tuning(const Session& session, core::EngineOptions& options) {
  const bool threads = !session.values.is_set("threads"), batch = !session.values.is_set("batch");
  if (!threads && !batch) return;
  auto tunings = read_tunings(tuning_path(session));
  if (!tunings.ok()) {
    session.terminal.notice("ingle: not tuned: " + tunings.error().message);
    return;
  }
  const std::string machine = machine_fingerprint(session);
  for (const Tuning& tuning : *tunings)
    if (tuning.machine == machine)
      options.tuned.push_back({tuning.shape, threads ? tuning.threads : 0, batch ? tuning.batch : 0});
}

}  // namespace ingle::cli
