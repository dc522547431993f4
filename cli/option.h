// One record per option: the flag's parsing, its help, the man page, shell completion, the environment variable and the
// configuration key are all read from it.
//
// A *setting* is an option with a lasting meaning: `--top-k 40`, `INGLE_TOP_K=40` and `top-k = 40` in config.toml are
// the same thing (settings.cpp). Any other option belongs to one command and exists as a flag only.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ingle::cli {

enum class ValueType {
  flag,     ///< --name
  toggle,   ///< --name, --no-name
  text,     ///< anything, also nothing
  path,     ///< a file or folder
  model,    ///< a model's name, path or address
  integer,  ///< within [minimum, maximum]
  number,   ///< within [minimum, maximum]
  bytes,    ///< 512M, 6G, 1.5GiB, 1000000
  choice,   ///< one of `choices`
};

/// Which settings a command takes.
enum Group : unsigned {
  group_none = 0,
  group_general = 1u << 0,   ///< every command
  group_engine = 1u << 1,    ///< whatever loads a model
  group_sampling = 1u << 2,  ///< whatever generates text
  group_chat = 1u << 3,
  group_server = 1u << 4,   ///< whatever serves
  group_modules = 1u << 5,  ///< whatever composes the assistant's core
  /// Whatever talks to a person.
  group_talk = group_general | group_engine | group_sampling | group_chat,
  group_all = ~0u,
};

struct Option {
  std::string_view name;  ///< without dashes: "top-k"
  char letter = 0;        ///< -n, or 0
  ValueType type = ValueType::flag;
  std::string_view metavar{};        ///< for help: N, FILE
  std::string_view help{};           ///< one line, lower case, without a full stop
  std::string_view fallback{};       ///< the default as it would be typed; empty: none
  std::string_view fallback_note{};  ///< what help says about the default where `fallback` is empty: "the model's"
  std::string_view choices{};        ///< "auto always never"
  double minimum = std::numeric_limits<double>::lowest();
  double maximum = std::numeric_limits<double>::max();
  bool above_minimum = false;  ///< the minimum itself is not allowed
  bool repeatable = false;
  std::string_view asked{};  ///< of a model: the KIND that completion asks `ingle __complete` for; empty: models
  Group group = group_none;  ///< of a setting
  base::Status (*check)(std::string_view text) = nullptr;  ///< a further rule for one value
};

inline bool takes_value(const Option& option) {
  return option.type != ValueType::flag && option.type != ValueType::toggle;
}

/// Whether `text` is a value of the option. Errors: invalid_argument, naming `where` (the flag, variable or file line
/// it was read from), the value and what is allowed.
base::Status check_value(const Option& option, std::string_view text, std::string_view where);

/// "yes", "true", "1", "on" and their opposites.
base::Result<bool> parse_bool(std::string_view text);
base::Result<double> parse_number(std::string_view text);
/// Errors: invalid_argument; limit_exceeded for a whole number that 64 bits do not hold.
base::Result<int64_t> parse_integer(std::string_view text);
/// Bytes with an optional unit: K M G T are powers of 1024, as are KiB, MiB, …
base::Result<uint64_t> parse_bytes(std::string_view text);

/// INGLE_TOP_K for "top-k".
std::string environment_name(std::string_view option_name);

/// The candidate nearest to `text`, or empty where none is near (Damerau-Levenshtein distance, a third of the length).
template <typename Range>
std::string_view nearest(std::string_view text, const Range& candidates);
size_t edit_distance(std::string_view a, std::string_view b);

template <typename Range>
std::string_view nearest(std::string_view text, const Range& candidates) {
  std::string_view best;
  size_t best_distance = (text.size() + 2) / 3 + 1;
  for (const std::string_view candidate : candidates) {
    const size_t distance = edit_distance(text, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace ingle::cli
