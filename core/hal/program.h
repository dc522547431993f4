// A compiled program: a flat list of kernel descriptions whose buffers are all placed in one activation arena, and the
// constants that they name by number. It names no device; kernel_desc.h says what each description asks of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/hal/kernel_desc.h"
#include "core/quants/quant.h"

namespace ingle::core {

/// A weight matrix of rows x columns in a model file (rows are outputs), or a slice of a fused one's rows.
struct MatrixSource {
  std::string name;
  const QuantFormat* format = nullptr;
  const std::byte* data = nullptr;  ///< row-major, in the file's format
  uint32_t rows = 0, columns = 0;
  bool multiplied = false;  ///< some product reads it; else it is only looked up row by row
};

/// Rotary frequencies: the angle at position p is p * inverse_frequencies[i]; cosine and sine are times `factor`.
struct RopeSpec {
  std::vector<float> inverse_frequencies;  ///< [rotary dimensions / 2]
  float factor = 1.0f;
  bool interleaved = false;  ///< rotates pairs (2i, 2i + 1) instead of (i, i + rotary dimensions / 2)
};

/// What kernel descriptions name by number.
struct Constants {
  std::vector<MatrixSource> matrices;
  std::vector<std::vector<float>> vectors;
  std::vector<RopeSpec> ropes;
};

/// Where a value is that was to be kept, after a run and until the next.
struct KeptValue {
  int32_t value = -1;        ///< its number in the graph
  BufferRef buffer;          ///< BufferRef::kLogits where it is the logits
  bool output_rows = false;  ///< a row per wanted logit row instead of per token
};

/// A named value that some kernel writes as floats: where it is from then until something overwrites it.
struct PassingValue {
  int32_t value = -1;   ///< its number in the graph
  uint32_t kernel = 0;  ///< that writes it
  BufferRef buffer;
};

/// What the arena holds: a buffer, and the phases from whose beginning to whose end it is in use.
struct ArenaBuffer {
  uint64_t offset = 0, bytes = 0;
  uint32_t first_phase = 0, last_phase = 0;
  int32_t value = -1;  ///< of the graph, that it holds first; -1: none of its own
};

struct Program {
  std::vector<KernelDesc> kernels;
  uint64_t arena_bytes = 0;
  uint32_t max_rows = 0;              ///< tokens in one run
  uint32_t max_positions = 0;         ///< of one sequence
  std::vector<uint32_t> windows;      ///< by state group: how many positions its layers see; 0: all
  std::vector<KeptValue> kept;        ///< as PlanOptions::keep
  std::vector<PassingValue> passing;  ///< by kernel
  std::vector<ArenaBuffer> arena;     ///< by offset
  uint32_t phases = 0;
  bool logits_once = false;  ///< one product of output rows writes the logits, and nothing reads them
};

}  // namespace ingle::core
