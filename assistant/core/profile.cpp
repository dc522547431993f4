#include "assistant/core/profile.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ingle::assistant {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20, kGiB = uint64_t{1} << 30;

constexpr auto kProfiles = std::to_array<Profile>({
    {ProfileId::full,
     "full",
     "all modules; several models and many requests at a time",
     {.prefix_file_bytes = 2 * kGiB}},
    {ProfileId::light,
     "light",
     "no extensions; one model, 4096 tokens, eight requests at a time",
     {.context_length = 4096, .models = 1, .running = 8, .kept_prefixes = 8, .prefix_file_bytes = 512 * kMiB}},
    {ProfileId::minimal,
     "minimal",
     "no extensions and updates; one model, 2048 tokens, one request at a time; a 135M model takes less than 256 MB",
     {.context_length = 2048,
      .batch = 256,
      .models = 1,
      .running = 1,
      .kept_prefixes = 2,
      .prefix_file_bytes = 128 * kMiB,
      .preload = false}},
});

/// From here on a device is one of "8 GB", of which the firmware and a graphics processor keep up to 2 GB.
constexpr uint64_t kFullMemory = 6 * kGiB;
/// A model of 1 to 2 GB and what else the person does have to fit in what is free.
constexpr uint64_t kFullAvailable = 2 * kGiB;
/// On one core an extension's process and the model take turns.
constexpr double kFullCores = 2;
/// Devices of "2 GB" and less: a system with a desktop leaves about half of that.
constexpr uint64_t kLightMemory = 2 * kGiB + kGiB / 2;
/// Twice what `minimal` takes with the smallest model: with less, nothing larger would run.
constexpr uint64_t kLightAvailable = 512 * kMiB;

std::string gib(uint64_t bytes) {
  const auto tenths = static_cast<uint64_t>(std::llround(static_cast<double>(bytes) * 10 / static_cast<double>(kGiB)));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

bool lacks(uint64_t measured, uint64_t needed) {
  return measured != 0 && measured < needed;
}

}  // namespace

std::span<const Profile> all_profiles() {
  return kProfiles;
}

const Profile* find_profile(std::string_view name) {
  const auto found = std::ranges::find(kProfiles, name, &Profile::name);
  return found == kProfiles.end() ? nullptr : &*found;
}

ProfileChoice choose_profile(const Measured& device) {
  const std::string memory = gib(device.total_memory) + " of memory", free = gib(device.available_memory) + " free";
  if (lacks(device.total_memory, kLightMemory))
    return {ProfileId::minimal, memory + ", less than " + gib(kLightMemory)};
  if (lacks(device.available_memory, kLightAvailable))
    return {ProfileId::minimal, free + ", less than " + gib(kLightAvailable)};
  if (lacks(device.total_memory, kFullMemory)) return {ProfileId::light, memory + ", less than " + gib(kFullMemory)};
  if (lacks(device.available_memory, kFullAvailable))
    return {ProfileId::light, free + ", less than " + gib(kFullAvailable)};
  if (device.cores > 0 && device.cores < kFullCores) return {ProfileId::light, "less than two cores"};
  if (device.total_memory == 0) return {ProfileId::full, "the system does not tell its memory"};
  return {ProfileId::full, memory + ", " + free};
}

}  // namespace ingle::assistant
