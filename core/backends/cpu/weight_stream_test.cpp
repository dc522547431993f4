// What is read again in each run: enough, evenly spread, and never over what is still in use.
#include "core/backends/cpu/weight_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>

#include "core/backends/cpu/pack.h"
#include "core/backends/cpu/workers.h"
#include "core/quants/quant.h"

namespace ingle::core {
namespace {

/// Layers of three products in one phase, one alone and a gated one; then logits, from a larger matrix.
class WeightStreams : public testing::Test {
 protected:
  static constexpr uint32_t kColumns = 256, kLayers = 24;

  void SetUp() override {
    files_.push_back(base::MappedFile::zeros(uint64_t{64} << 20).value());
    for (uint32_t layer = 0; layer < kLayers; ++layer) {
      for (const uint32_t rows : {64u, 32u, 32u}) multiply(add(rows), rows == 64 || next_ % 3 != 0);
      program_.kernels.back().barrier = true;
      multiply(add(64), true);
      KernelDesc& gated = multiply(add(160), true);
      gated.gated = true;
      gated.gate_matrix = add(160);
    }
    multiply(add(2048), true).output_rows = true;
  }

  int32_t add(uint32_t rows) {
    MatrixSource source;
    source.format = find_quant("Q4_K");
    source.rows = rows;
    source.columns = kColumns;
    source.data = files_[0].bytes().data() + next_;
    source.multiplied = true;
    next_ += source.format->bytes(uint64_t{rows} * kColumns);
    constants_.matrices.push_back(source);
    return static_cast<int32_t>(constants_.matrices.size() - 1);
  }
  KernelDesc& multiply(int32_t matrix, bool barrier) {
    KernelDesc kernel;
    kernel.kind = KernelKind::matmul;
    kernel.matrix = matrix;
    kernel.barrier = barrier;
    program_.kernels.push_back(kernel);
    return program_.kernels.back();
  }
  uint64_t packed(int32_t matrix) const {
    return packed_bytes(plan_packed(constants_.matrices[static_cast<size_t>(matrix)]));
  }
  uint64_t most() const { return most_saved(constants_, program_, files_); }
  StreamPlan plan(uint64_t excess) const { return plan_stream(constants_, program_, files_, excess); }

  std::vector<base::MappedFile> files_;
  Constants constants_;
  Program program_;
  uint64_t next_ = 0;
};

TEST_F(WeightStreams, SaveWhatIsAskedForAndLittleMore) {
  ASSERT_GT(most(), 0u);
  for (const uint64_t excess : {uint64_t{1}, most() / 3, most() / 2, most() - 1, most()}) {
    const StreamPlan chosen = plan(excess);
    EXPECT_GE(chosen.saved() + 1, excess);
    EXPECT_LE(chosen.saved(), excess + packed(5));
    uint64_t bytes = 0;
    for (const StreamedMatrix& item : chosen.order) bytes += packed(item.matrix);
    EXPECT_EQ(bytes, chosen.bytes);
  }
  EXPECT_TRUE(plan(0).order.empty());
  EXPECT_TRUE(plan(most() + 1).order.empty());
  EXPECT_EQ(most_saved(constants_, program_, {}), 0u) << "what is in no file is in no copy";
}

TEST_F(WeightStreams, AreEvenlySpread) {
  const StreamPlan chosen = plan(most() / 2);
  std::vector<uint64_t> by_third(3);
  for (const StreamedMatrix& item : chosen.order) by_third[item.kernel * 3 / program_.kernels.size()] += 1;
  const auto [least, largest] = std::minmax_element(by_third.begin(), by_third.end());
  EXPECT_LE(*largest, *least + 3);
}

TEST_F(WeightStreams, LeaveOutLogitsAndWhatSeveralKernelsRead) {
  for (const StreamedMatrix& item : plan(most()).order) EXPECT_LT(item.kernel, program_.kernels.size() - 1);
  const uint64_t before = most();
  const int32_t shared = program_.kernels[0].matrix;
  multiply(shared, true);
  EXPECT_LT(most(), before);
  for (const StreamedMatrix& item : plan(most()).order) EXPECT_NE(item.matrix, shared);
}

// The reader fills a matrix's room with its number; kernels find that number there from their start to their phase's
// end.
TEST_F(WeightStreams, HaveEachMatrixThereUntilItsPhaseIsOver) {
  for (const uint64_t excess : {uint64_t{1}, most() / 2, most()}) {
    const StreamPlan chosen = plan(excess);
    for (const uint32_t threads : {1u, 2u, 3u}) {
      for (const bool slow_reader : {false, true}) {
        std::vector<std::atomic<int32_t>> ring(chosen.ring_bytes / kStreamAlignment);
        std::atomic<int> wrong{0};
        WeightStream stream(chosen, program_.kernels.size(), [&](const StreamedMatrix& item) {
          if (slow_reader) std::this_thread::sleep_for(std::chrono::microseconds(20));
          for (uint64_t at = item.place; at < item.place + item.room; at += kStreamAlignment)
            ring[at / kStreamAlignment] = item.matrix;
        });
        Workers workers(threads);
        const auto phases = std::make_unique<Phase[]>(program_.kernels.size());
        for (int run = 0; run < 20; ++run) {
          for (size_t i = 0; i < program_.kernels.size(); ++i) phases[i].reset();
          stream.begin_run();
          workers.run([&](uint32_t) {
            Counter counter;
            size_t begun = 0;  // of the phase
            const auto look = [&](size_t kernel) {
              for (const StreamedMatrix& item : chosen.order)
                if (item.kernel == kernel && (ring[item.place / kStreamAlignment] != item.matrix ||
                                              ring[(item.place + item.room - 1) / kStreamAlignment] != item.matrix))
                  ++wrong;
            };
            for (size_t i = 0; i < program_.kernels.size(); ++i) {
              counter.take_from(phases[i]);
              stream.await(i);
              counter.take(4, 1, [&](size_t, size_t) {
                if (!slow_reader) std::this_thread::yield();
                for (size_t k = begun; k <= i; ++k) look(k);
              });
              if (!program_.kernels[i].barrier) continue;
              workers.finish(counter);
              stream.done(i);
              begun = i + 1;
            }
          });
        }
        EXPECT_EQ(wrong, 0) << threads << " threads, " << chosen.order.size() << " matrices";
      }
    }
  }
}

TEST_F(WeightStreams, EndWhileNobodyWaits) {
  std::atomic<int> reads{0};
  {
    const WeightStream stream(plan(most() / 2), program_.kernels.size(), [&](const StreamedMatrix&) { ++reads; });
  }
  EXPECT_LT(reads, static_cast<int>(plan(most() / 2).order.size()));
}

}  // namespace
}  // namespace ingle::core
