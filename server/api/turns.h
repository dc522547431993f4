// Which turns of a chat to drop where its prompt exceeds the context. A turn is a user's message with all up to the
// next one, so a tool's result never stays without its call; what stands before the first is a turn, too. The system's
// messages are no part of turns and always stay, and so does the last turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ingle::server {

/// What is done with a chat that is too long, by its names in kOverflows.
enum class Overflow : uint8_t {
  error,
  drop_oldest,  ///< the oldest turns go
  drop_middle,  ///< … but the first one with a user's message stays
  summarise,    ///< the oldest turns go, and a summary of them comes before the first that stays
};
inline constexpr std::string_view kOverflows[] = {"error", "drop_oldest", "drop_middle", "summarise"};
std::string_view overflow_name(Overflow policy);
/// By its name; nothing: there is none.
std::optional<Overflow> find_overflow(std::string_view name);

/// Indices of messages.
using Turn = std::vector<size_t>;

/// The turns that may go, in the order in which they do.
std::vector<Turn> droppable_turns(const base::Json& messages, Overflow policy);

/// The tokens of these messages' prompt.
using TokenCounter = std::function<base::Result<size_t>(const base::Json& messages)>;

struct Cut {
  base::Json kept = base::Json::array(), dropped = base::Json::array();  ///< messages, in their order
  size_t tokens = 0;                                                     ///< of the prompt of those that are kept
};

/// Drops as few of these turns, from the first on, as it takes for a prompt of at most so many tokens; all of them,
/// where nothing suffices. Counts about log2 of their number of prompts. Errors: the counter's.
base::Result<Cut> cut_turns(const base::Json& messages, const std::vector<Turn>& turns, size_t most_tokens,
                            const TokenCounter& count);

}  // namespace ingle::server
