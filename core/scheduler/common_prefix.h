// How far two texts are the same.
#pragma once

#include <algorithm>
#include <span>

#include "core/engine/engine.h"

namespace ingle::core {

inline size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace ingle::core
