#include "core/backends/cpu/weight_stream.h"

#include <algorithm>
#include <map>

#include "core/backends/cpu/pack.h"
#include "core/backends/cpu/weights.h"

namespace ingle::core {
namespace {

struct Candidate {
  int32_t matrix;
  size_t kernel;
  uint64_t bytes;
};

/// How much of the ring a matrix takes: the sectors around it.
uint64_t room_for(uint64_t bytes) {
  return (bytes + 2 * kStreamAlignment - 1) / kStreamAlignment * kStreamAlignment;
}

/// The matrices that could be streamed, in the program's order.
std::vector<Candidate> find_candidates(const Constants& constants, const Program& program,
                                       std::span<const base::MappedFile> files) {
  std::vector<Candidate> found;
  std::map<int32_t, int> uses;
  for (size_t i = 0; i < program.kernels.size(); ++i) {
    const KernelDesc& kernel = program.kernels[i];
    if (kernel.kind != KernelKind::matmul) continue;
    for (const int32_t matrix : {kernel.matrix, kernel.gated ? kernel.gate_matrix : -1}) {
      if (matrix < 0 || ++uses[matrix] > 1 || kernel.output_rows) continue;
      const MatrixSource& source = constants.matrices[static_cast<size_t>(matrix)];
      if (file_of(source, files)) found.push_back({matrix, i, packed_bytes(plan_packed(source))});
    }
  }
  // A place in the ring is one kernel's.
  std::erase_if(found, [&](const Candidate& candidate) { return uses[candidate.matrix] > 1; });
  return found;
}

/// Room for a few matrices ahead of those that the workers are at, and always for all of a phase: it ends for all of
/// its matrices at once. Beyond a phase there is room for the gap at the ring's end and for the next matrix.
uint64_t ring_size(const std::vector<Candidate>& candidates, const Program& program) {
  uint64_t largest = 0, phase = 0, largest_phase = 0;
  size_t kernel = 0;
  for (const Candidate& candidate : candidates) {
    for (; kernel < candidate.kernel; ++kernel)
      if (program.kernels[kernel].barrier) phase = 0;
    phase += room_for(candidate.bytes);
    largest_phase = std::max(largest_phase, phase);
    largest = std::max(largest, room_for(candidate.bytes));
  }
  return std::max(4 * largest, largest_phase + 2 * largest);
}

uint64_t sum_of(const std::vector<Candidate>& candidates) {
  uint64_t sum = 0;
  for (const Candidate& candidate : candidates) sum += candidate.bytes;
  return sum;
}

/// Gives the matrices their places, one behind the other.
void place(StreamPlan& plan) {
  uint64_t at = 0;
  for (StreamedMatrix& item : plan.order) {
    if (at + item.room > plan.ring_bytes) at = 0;
    item.place = at;
    at += item.room;
  }
  const auto count = static_cast<uint32_t>(plan.order.size());
  for (uint32_t i = 0; i < count; ++i) {
    StreamedMatrix& item = plan.order[i];
    const auto overlaps = [&](uint32_t back) {
      const StreamedMatrix& other = plan.order[(i + count - back) % count];
      return other.place < item.place + item.room && item.place < other.place + other.room;
    };
    for (item.after = 1; !overlaps(item.after);) ++item.after;  // its own place of the run before, at the latest
  }
}

/// Counts that may have overflowed: whether a is b or beyond.
bool reached(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) >= 0;
}

}  // namespace

uint64_t most_saved(const Constants& constants, const Program& program, std::span<const base::MappedFile> files) {
  const std::vector<Candidate> candidates = find_candidates(constants, program, files);
  const uint64_t all = sum_of(candidates), ring = ring_size(candidates, program);
  return all > ring ? all - ring : 0;
}

StreamPlan plan_stream(const Constants& constants, const Program& program, std::span<const base::MappedFile> files,
                       uint64_t excess) {
  const std::vector<Candidate> candidates = find_candidates(constants, program, files);
  const uint64_t all = sum_of(candidates), ring = ring_size(candidates, program);
  if (excess == 0 || excess + ring > all) return {};
  StreamPlan plan;
  plan.ring_bytes = ring;
  // Of each stretch of the program the same share.
  const double share = static_cast<double>(excess + ring) / static_cast<double>(all);
  uint64_t passed = 0;
  for (const Candidate& candidate : candidates) {
    passed += candidate.bytes;
    const bool last = passed == all;
    const auto due = last ? excess + ring : static_cast<uint64_t>(share * static_cast<double>(passed));
    if (plan.bytes >= due) continue;
    plan.order.push_back({.matrix = candidate.matrix, .kernel = candidate.kernel, .room = room_for(candidate.bytes)});
    plan.bytes += candidate.bytes;
  }
  place(plan);
  return plan;
}

WeightStream::WeightStream(const StreamPlan& plan, size_t kernels, Read read)
    : order_(plan.order), read_(std::move(read)), until_(kernels), start_(0u - static_cast<uint32_t>(order_.size())) {
  for (const StreamedMatrix& item : order_) ++until_[item.kernel];
  for (size_t i = 1; i < kernels; ++i) until_[i] += until_[i - 1];
  thread_ = std::thread([this] { loop(); });
}

WeightStream::~WeightStream() {
  stopping_.store(true, std::memory_order_release);
  done_.fetch_add(1, std::memory_order_release);  // only a change wakes it
  done_.notify_all();
  thread_.join();
}

bool WeightStream::await(size_t kernel) {
  if (until_[kernel] == (kernel == 0 ? 0 : until_[kernel - 1])) return false;
  for (uint32_t now; !reached(now = loaded_.load(std::memory_order_acquire), start_ + until_[kernel]);)
    loaded_.wait(now, std::memory_order_acquire);
  return true;
}

void WeightStream::done(size_t kernel) {
  const uint32_t wanted = start_ + until_[kernel];
  uint32_t now = done_.load(std::memory_order_relaxed);
  while (!reached(now, wanted))
    if (done_.compare_exchange_weak(now, wanted, std::memory_order_acq_rel)) return done_.notify_all();
}

void WeightStream::loop() {
  const auto count = static_cast<uint32_t>(order_.size());
  for (uint32_t number = 0, next = 0;; ++number, next = next + 1 == count ? 0 : next + 1) {
    const StreamedMatrix& item = order_[next];
    for (uint32_t now; !reached(now = done_.load(std::memory_order_acquire), number + 1 - item.after);) {
      if (stopping_.load(std::memory_order_acquire)) return;
      done_.wait(now, std::memory_order_acquire);
    }
    if (stopping_.load(std::memory_order_acquire)) return;
    read_(item);
    loaded_.store(number + 1, std::memory_order_release);
    loaded_.notify_all();
  }
}

}  // namespace ingle::core
