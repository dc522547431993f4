// Reads tokenizer.json without building a tree of its vocabulary, which has hundreds of thousands of members.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ingle::core {

struct HfTokenizerJson {
  nlohmann::json root;  ///< all but model.vocab and model.merges
  std::vector<std::pair<std::string, uint32_t>> vocabulary;
  std::vector<std::string> merges;                      ///< where the file has "left right", or:
  std::vector<std::array<std::string, 2>> merge_pairs;  ///< where it has ["left", "right"]
};

/// Errors: corrupt (with the place), limit_exceeded (more than 2^20 other values, deeper than 64). `file` starts the
/// message.
base::Result<HfTokenizerJson> read_hf_json(std::string_view text, std::string_view file);

}  // namespace ingle::core
