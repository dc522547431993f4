// Profiles: how much of the assistant a device carries. Each says which modules it switches on (modules.h) and bounds
// what a model may take; the device's memory and cores choose one where the person does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ingle::assistant {

enum class ProfileId : uint8_t { full, light, minimal };

/// The most that is taken. 0: as everywhere else, that is, what the model and the memory allow.
struct Bounds {
  uint32_t context_length = 0;  ///< tokens
  uint32_t batch = 0;           ///< tokens of a prompt computed at once
  size_t models = 3;            ///< in memory at a time
  uint32_t running = 32;        ///< requests answered at a time
  uint32_t kept_prefixes = 64;  ///< conversations whose beginning stays computed, in memory
  uint64_t prefix_file_bytes = 0;
  bool preload = true;  ///< weights that the system has dropped are brought back while idle
};

struct Profile {
  ProfileId id;
  std::string_view name;
  std::string_view help;  ///< one line
  Bounds bounds;
};

/// By falling size; the place of each is its ProfileId.
std::span<const Profile> all_profiles();
inline const Profile& profile(ProfileId id) {
  return all_profiles()[static_cast<size_t>(id)];
}
/// nullptr: there is none.
const Profile* find_profile(std::string_view name);

/// What was measured of a device; 0: the system does not tell.
struct Measured {
  uint64_t total_memory = 0;      ///< bytes, of the machine or of the control group that we are in
  uint64_t available_memory = 0;  ///< of them: what can be taken now without pushing others out
  double cores = 0;               ///< physical, that we may use; a control group may allow a part of one
};

struct ProfileChoice {
  ProfileId profile = ProfileId::full;
  std::string reason;  ///< a line for people, with what was measured
};
/// What is not known speaks against nothing.
ProfileChoice choose_profile(const Measured& device);

}  // namespace ingle::assistant
