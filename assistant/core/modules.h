// The six modules as a table: what each does, which profiles switch it on, what is so without it, and how it starts.
// Everything else asks the table: settings, `ingle doctor --modules`, the core itself.
//
// The security module's first duties are no entry of it, as nothing switches them off: who may ask (security/keys),
// what each may ask for (server/server.h), and that nothing which reads a model can connect to anybody (core.h).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "assistant/core/profile.h"
#include "base/result.h"

namespace ingle::assistant {

class Core;
struct CoreOptions;

enum class ModuleId : uint8_t { sandbox, memory, engine, hardware, extensions, updates };

class ModuleSet {
 public:
  constexpr ModuleSet() = default;
  constexpr ModuleSet(std::initializer_list<ModuleId> list) {
    for (const ModuleId id : list) set(id, true);
  }
  constexpr bool has(ModuleId id) const { return (bits_ >> static_cast<unsigned>(id) & 1u) != 0; }
  constexpr void set(ModuleId id, bool on) {
    const auto bit = static_cast<uint8_t>(1u << static_cast<unsigned>(id));
    bits_ = static_cast<uint8_t>(on ? bits_ | bit : bits_ & ~bit);
  }
  friend constexpr bool operator==(ModuleSet, ModuleSet) = default;

 private:
  uint8_t bits_ = 0;
};

struct Module {
  ModuleId id;
  std::string_view name;             ///< of its setting: module-NAME
  std::string_view title;            ///< "memory manager"
  std::string_view does;             ///< one line, when it is on
  std::string_view without;          ///< one line: what is so when it is off
  std::array<bool, 3> in_profile{};  ///< by ProfileId: whether it is on
  /// What its absence changes of how the others run; nullptr: nothing.
  void (*leave_out)(CoreOptions& options) = nullptr;
  /// Starts it; nullptr: it has nothing of its own that runs.
  base::Status (*start)(Core& core) = nullptr;
};

/// In the order in which they start. They end in the reverse order.
std::span<const Module> all_modules();
const Module& module_of(ModuleId id);
/// Those that the profile switches on.
ModuleSet modules_in(ProfileId profile);

}  // namespace ingle::assistant
