// The golden logits of tests/data/models, for this module's tests; tests/models/README.md describes the index.
#pragma once

#include <cstring>
#include <filesystem>
#include <limits>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/test_source_folder.h"
#include "core/engine/engine.h"

namespace ingle::core {

struct Golden {
  std::string name;
  std::filesystem::path file;
  std::vector<LoraSpec> loras;
  std::vector<TokenId> tokens;
  std::vector<float> logits;  ///< [rows][vocabulary], every stride-th token id
  uint32_t rows = 0, vocabulary = 0, stride = 1, context = 0;
  /// How far off (NMSE) transformers is without an ingredient of the model.
  std::vector<std::pair<std::string, double>> without;
};

/// For gtest, which would print the bytes.
inline void PrintTo(const Golden& golden, std::ostream* out) {
  *out << golden.name;
}

/// The engine's bound on its distance (NMSE) from transformers in reference precision.
inline constexpr double kGoldenBound = 1e-6;

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(source_folder()) / "tests" / "data" / "models";
}

/// `models` is where the model files are.
inline std::vector<Golden> load_goldens(const std::filesystem::path& models, const std::filesystem::path& index_file) {
  const auto index = base::parse_json(*base::read_file(index_file, 1 << 24));
  std::vector<Golden> goldens;
  for (const auto& entry : (*index)["goldens"]) {
    Golden golden;
    golden.name = entry["name"];
    golden.file = models / entry["file"].get<std::string>();
    if (!std::filesystem::exists(golden.file)) continue;  // a real model that was not fetched
    for (const auto& lora : entry.value("loras", base::Json::array()))
      golden.loras.push_back({models / lora["file"].get<std::string>(), lora["scale"].get<float>()});
    golden.tokens = entry["tokens"].get<std::vector<TokenId>>();
    golden.rows = entry["rows"];
    golden.vocabulary = entry["vocab"];
    golden.stride = entry.value("stride", 1u);
    golden.context = entry.value("context", golden.rows);
    const base::Json without = entry.value("without", base::Json::object());
    for (const auto& [what, effect] : without.items()) golden.without.emplace_back(what, effect.get<double>());
    const auto bytes = base::read_file(index_file.parent_path() / entry["logits"].get<std::string>(), 1 << 24);
    golden.logits.resize(bytes->size() / sizeof(float));
    std::memcpy(golden.logits.data(), bytes->data(), bytes->size());
    goldens.push_back(std::move(golden));
  }
  return goldens;
}

inline std::vector<Golden> tiny_goldens() {
  std::vector<Golden> all;
  for (const char* index : {"index.json", "index-lora.json", "index-formats.json"})
    for (Golden& golden : load_goldens(golden_folder(), golden_folder() / index)) all.push_back(std::move(golden));
  return all;
}

/// Normalised mean squared error: |expected - actual|^2 / |expected|^2. Not a number where the sizes differ, so that no
/// bound holds.
inline double nmse(std::span<const float> expected, std::span<const float> actual) {
  if (expected.size() != actual.size()) return std::numeric_limits<double>::quiet_NaN();
  double error = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += (double{expected[i]} - actual[i]) * (double{expected[i]} - actual[i]);
    norm += double{expected[i]} * expected[i];
  }
  return error / norm;
}

/// A golden's name as gtest takes it.
inline std::string golden_test_name(const std::string& name) {
  std::string result = name;
  for (char& c : result)
    if (c == '-' || c == '.') c = '_';
  return result;
}

}  // namespace ingle::core
