#include "assistant/conversations/conversation.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace ingle::assistant {
namespace {

constexpr std::string_view kRoles[] = {"user", "assistant", "tool"};
constexpr std::string_view kStates[] = {"complete", "writing", "stopped", "interrupted", "failed"};

template <typename T>
std::optional<T> find_in(std::span<const std::string_view> names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<T>(found - names.begin());
}

}  // namespace

std::string_view role_name(Role role) {
  return kRoles[static_cast<size_t>(role)];
}

std::optional<Role> find_role(std::string_view name) {
  return find_in<Role>(kRoles, name);
}

std::string_view state_name(MessageState state) {
  return kStates[static_cast<size_t>(state)];
}

std::optional<MessageState> find_state(std::string_view name) {
  return find_in<MessageState>(kStates, name);
}

}  // namespace ingle::assistant
