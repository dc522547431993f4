// What goes on inside of an engine, for who wants to see it. It looks at passes that are computed anyway, and costs
// nothing while nobody looks.
//
//   Inspector* inspector = engine->inspector();
//   std::vector<float> layers(inspector->layer_floats());
//   inspector->observe_next(rows, layers.data());         // rows: {0}
//   engine->forward(…);                                    // that pass is looked at
//   inspector->lens(layers, chosen_token, 5);
//   inspector->attention(*sequence, layers, position, layer);
//
// The logit lens is nostalgebraist's (2020, "interpreting GPT: the logit lens"): the residual stream after a layer goes
// through the model's last norm and its output matrix, as if no layer followed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

class Sequence;

struct TokenProbability {
  TokenId token = 0;
  float probability = 0;
};

/// What would be said next if the model ended here.
struct LensLayer {
  std::string name;       ///< "embedding", then "0", "1", …: after that layer
  float entropy = 0;      ///< bits
  float probability = 0;  ///< of the token that was chosen
  uint32_t rank = 0;      ///< … how many are likelier
  std::vector<TokenProbability> likeliest;
};

/// Where a token's query looked in one layer.
struct AttentionWeights {
  uint32_t heads = 0, first = 0, position = 0;  ///< the positions seen: from first to its own
  std::vector<float> weights;                   ///< [heads][position + 1 - first]; of each head, the sum is 1
};

/// Where memory is, at this moment.
struct MemoryMap {
  struct Buffer {
    std::string name;  ///< of the value that it holds first; empty: none that has a name
    uint64_t offset = 0, bytes = 0;
    uint32_t first_phase = 0, last_phase = 0;  ///< in which it is in use
  };
  struct Pages {
    uint32_t window = 0;  ///< positions that the layers of these pages see; 0: all
    uint64_t page_bytes = 0;
    uint32_t page_positions = 0;
    std::vector<uint32_t> users;  ///< by page: how many sequences have it
  };
  uint64_t weight_bytes = 0, streamed_bytes = 0;
  uint64_t arena_bytes = 0;
  uint32_t phases = 0;          ///< of a pass
  std::vector<Buffer> buffers;  ///< of the arena
  std::vector<Pages> states;    ///< the KV cache, by window
};

/// Used as its engine is: by one thread at a time, between passes.
class Inspector {
 public:
  virtual ~Inspector() = default;

  /// How many floats observe_next() leaves of a row. 0: the model's layers can't be looked at.
  virtual size_t layer_floats() const = 0;
  /// Of these rows of the next pass (which no other call may split), the residual stream after the embedding and after
  /// each layer, and each layer's queries: to into[rows][layer_floats()]. Both are there until the pass has ended.
  virtual void observe_next(std::span<const uint32_t> rows, float* into) = 0;
  /// What that has taken, of all passes so far.
  virtual double observing_seconds() const = 0;

  /// `layers`: of one row, as observed. Errors: invalid_argument; unsupported (weights are read from disk in each
  /// pass); as Engine::forward.
  virtual base::Result<std::vector<LensLayer>> lens(std::span<const float> layers, TokenId chosen, uint32_t count) = 0;
  /// The row was the sequence's `position`, which it still holds. Errors: invalid_argument; not_found (a window has
  /// left behind what the query saw).
  virtual base::Result<AttentionWeights> attention(const Sequence& sequence, std::span<const float> layers,
                                                   uint32_t position, uint32_t layer) = 0;

  /// Keeps when each kernel ran on which thread, of passes that fit into so many bytes. Error: out_of_memory.
  virtual base::Status start_timeline(uint64_t bytes) = 0;
  virtual void stop_timeline() = 0;
  /// The last one, as JSON for Chrome and Perfetto.
  virtual std::string timeline() const = 0;

  virtual MemoryMap memory_map() const = 0;
};

}  // namespace ingle::core
