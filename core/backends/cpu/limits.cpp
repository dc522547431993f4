#include "core/backends/cpu/limits.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "base/clock.h"

namespace ingle::core {
namespace {

constexpr int kPasses = 5;
// A worker that wakes late may find nothing left of a pass.
constexpr int kMostPasses = 50;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr size_t kReadPiece = size_t{1} << 20;
constexpr int64_t kPieceNs = 1'000'000;
constexpr size_t kPiecesPerWorker = 8;
// How far ahead of what is read memory is asked for; which is best depends on the processor.
constexpr size_t kAhead[] = {0, 1024, 4096};

double seconds(int64_t ns) {
  return static_cast<double>(std::max<int64_t>(ns, 1)) * 1e-9;
}

using Piece = std::span<const std::byte>;

// Whole blocks of 256 bytes of the parts, in pieces that workers take in turn.
std::vector<Piece> cut(std::span<const Piece> parts) {
  std::vector<Piece> pieces;
  for (const Piece part : parts) {
    const Piece whole = part.first(part.size() / 256 * 256);
    for (size_t at = 0; at < whole.size(); at += kReadPiece)
      pieces.push_back(whole.subspan(at, std::min(kReadPiece, whole.size() - at)));
  }
  return pieces;
}

class Measurement {
 public:
  Measurement(Workers& workers, const LimitLoops& loops)
      : workers_(workers), loops_(loops), operands_(workers.count()), shortest_(workers.count()) {}

  /// Bytes per second of the best pass.
  double read(std::span<const Piece> parts) {
    const std::vector<Piece> pieces = cut(parts);
    size_t bytes = 0;
    for (const Piece piece : pieces) bytes += piece.size();
    double best = 0;
    for (const size_t ahead : kAhead)
      for (int pass = 0; pass < kPasses; ++pass) {
        const double took = share_out(pieces.size(), [&](size_t i, uint32_t worker) {
          loops_.read(pieces[i].data(), pieces[i].size(), ahead, operands_[worker]);
        });
        best = std::max(best, static_cast<double>(bytes) / took);
      }
    return best;
  }

  /// Multiply-adds per second: the sum of what each worker reached in its best piece of the best loop. So what other
  /// programs take of the processor meanwhile counts little. 0: there is no loop.
  double products(std::span<const LimitLoop> loops) {
    double best = 0;
    for (const LimitLoop& loop : loops) {
      const uint64_t rounds = rounds_of_a_piece(loop);
      std::fill(shortest_.begin(), shortest_.end(), kNever);
      for (int pass = 0; pass < kMostPasses && (pass < kPasses || !all_took_part()); ++pass)
        share_out(kPiecesPerWorker * workers_.count(), [&](size_t, uint32_t worker) {
          const int64_t begin = base::monotonic_ns();
          loop.run(rounds, operands_[worker]);
          shortest_[worker] = std::min(shortest_[worker], base::monotonic_ns() - begin);
        });
      double sum = 0;
      for (const int64_t ns : shortest_)
        if (ns != kNever) sum += static_cast<double>(rounds) * loop.multiply_adds / seconds(ns);
      best = std::max(best, sum);
    }
    return best;
  }

 private:
  // The seconds until work(item, worker) is done for all.
  template <typename Work>
  double share_out(size_t items, Work work) {
    Phase phase;
    const int64_t begin = base::monotonic_ns();
    workers_.run([&](uint32_t worker) {
      Counter counter;
      counter.take_from(phase);
      counter.take(items, 1, [&](size_t i, size_t) { work(i, worker); });
    });
    return seconds(base::monotonic_ns() - begin);
  }

  uint64_t rounds_of_a_piece(const LimitLoop& loop) {
    for (uint64_t rounds = 64;; rounds *= 2) {
      const int64_t begin = base::monotonic_ns();
      loop.run(rounds, operands_[0]);
      if (base::monotonic_ns() - begin >= kPieceNs / 2) return rounds * 2;
    }
  }

  bool all_took_part() const { return std::ranges::find(shortest_, kNever) == shortest_.end(); }

  Workers& workers_;
  const LimitLoops& loops_;
  std::vector<LimitOperands> operands_;  ///< by worker
  std::vector<int64_t> shortest_;        ///< nanoseconds of a piece, by worker
};

}  // namespace

base::Result<MachineLimits> measure_limits(Workers& workers, const LimitLoops& loops, HardwareOps& device,
                                           std::span<const std::span<const std::byte>> weights, uint64_t large_bytes) {
  Measurement measurement(workers, loops);
  MachineLimits limits;
  limits.byte_products = measurement.products(loops.bytes);
  limits.float_products = measurement.products(loops.floats);
  limits.tile_products = measurement.products(loops.tiles);
  limits.weight_bytes = measurement.read(weights);

  INGLE_TRY(std::byte* const large, device.allocate(large_bytes));
  (void)::madvise(large, large_bytes, MADV_HUGEPAGE);
  // Pages that nobody has written are all the same one, which the nearest cache holds.
  std::memset(large, 1, large_bytes);
  const Piece whole(large, large_bytes);
  limits.large_buffer = large_bytes;
  limits.large_bytes = measurement.read({&whole, 1});
  device.deallocate(large, large_bytes);
  return limits;
}

}  // namespace ingle::core
