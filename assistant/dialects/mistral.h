// What the two dialects of Mistral share.
#pragma once

#include <span>

#include "assistant/dialects/dialect.h"

namespace ingle::assistant {

std::span<const Opener> mistral_openers();
std::span<const Reasoning> mistral_reasoning();
std::span<const std::string_view> mistral_visible();

}  // namespace ingle::assistant
