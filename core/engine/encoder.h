// An encoder's runs: texts side by side in one pass over the weights, each with pages of its own for the keys and
// values of the layer at work. Nothing of a text stays behind.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "core/engine/engine.h"
#include "core/hal/device.h"
#include "core/memory/sequence_state.h"

namespace ingle::core {

/// Texts in one run at most: each takes a page at least.
inline constexpr uint32_t kMostEncoderTexts = 64;

/// The most pages that a run's texts have.
constexpr uint32_t encoder_pages(uint32_t max_rows) {
  return max_rows / kPagePositions + kMostEncoderTexts;
}

/// What a run's keys and values take.
inline uint64_t encoder_state_bytes(const Program& program, uint64_t page_bytes) {
  return encoder_pages(program.max_rows) * page_bytes;
}

class Encoder {
 public:
  /// Of a prepared device with a program that keeps its result: a row per token, of which the mean is taken, or one per
  /// text. `normalise`: to a length of 1.
  Encoder(Device& device, const Program& program, bool normalise)
      : device_(device),
        max_rows_(program.max_rows),
        result_(program.kept.front()),
        normalise_(normalise),
        pool_(device, device.state_page_bytes(0)) {}

  /// Error: out_of_memory.
  base::Status prepare();

  uint32_t width() const { return result_.buffer.width; }
  /// The first of these texts that go into one run: their number, at least 1. None has more than Program::max_rows.
  size_t fitting(std::span<const EncoderText> texts) const;
  /// Runs that many. Writes [texts][width].
  void run(std::span<const EncoderText> texts, float* out);

 private:
  void pool(size_t text, size_t first_row, float* out) const;

  Device& device_;
  const uint32_t max_rows_;
  const KeptValue result_;
  const bool normalise_;
  PagePool pool_;
  std::vector<std::byte*> pages_;  ///< texts take them one after the other
  // Of a run; with room for all that one can have.
  std::vector<PageTable> tables_;
  std::vector<SequenceRows> sequences_;
  std::vector<TokenId> tokens_;
  std::vector<int32_t> types_;
  std::vector<uint32_t> first_rows_;
};

}  // namespace ingle::core
