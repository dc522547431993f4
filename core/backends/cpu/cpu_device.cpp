#include "core/backends/cpu/cpu_device.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>

#include "base/clock.h"
#include "core/backends/cpu/pack.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

size_t widest_matrix(const Constants& constants) {
  size_t widest = 32;
  for (const MatrixSource& matrix : constants.matrices) widest = std::max<size_t>(widest, matrix.columns);
  return widest;
}

void ask_for(const float* row, size_t width) {
  for (size_t i = 0; i < width; i += 16) __builtin_prefetch(row + i);
}

bool has_tiles(const CpuOptions& options) {
  return options.kernels->matmul_tiles != nullptr && !options.reference && !options.deterministic;
}

// The values of panels [begin, end) in args.out.
void cap_panels(const Kernels& kernels, const MatmulArgs& args, float cap, size_t begin, size_t end) {
  const size_t first = begin * kPanelRows, count = std::min<size_t>(end * kPanelRows, args.weight->rows) - first;
  for (size_t row = 0; row < args.rows / args.terms; ++row) {
    float* const values = args.out + row * args.out_stride + first;
    kernels.scale(values, 1.0f, cap, count, values);
  }
}

}  // namespace

uint64_t plan_weight_bytes(const Graph& graph) {
  uint64_t bytes = 0;
  for (const MatrixSource& matrix : graph.matrices)
    if (matrix.multiplied) bytes += packed_bytes(plan_packed(matrix));
  return bytes;
}

size_t scratch_bytes_per_worker(const Constants& constants, const Program& program, const CpuOptions& options) {
  const size_t bytes =
      std::max(matmul_scratch_bytes(widest_matrix(constants)), attention_scratch_bytes(program, has_tiles(options)));
  return has_tiles(options) ? std::max(bytes, tile_scratch_bytes()) : bytes;
}

PlanOptions cpu_plan_options(uint32_t max_rows, uint32_t max_positions, bool reference) {
  PlanOptions plan;
  plan.max_rows = max_rows;
  plan.max_positions = max_positions;
  plan.takes_quantized = [reference](const MatrixSource& source) { return !reference && takes_quantized(source); };
  return plan;
}

PlanOptions cpu_tile_plan_options(uint32_t max_rows, uint32_t max_positions) {
  PlanOptions plan = cpu_plan_options(max_rows, max_positions, false);
  plan.second_terms = false;
  plan.takes_quantized = [](const MatrixSource& source) {
    return plan_packed(source).storage != PackedMatrix::Storage::blocks && source.columns % kTileColumns == 0;
  };
  return plan;
}

CpuDevice::CpuDevice(const CpuOptions& options)
    : options_(options),
      kernels_(*options.kernels),
      use_tiles_(has_tiles(options)),
      workers_(options.threads, options.places),
      weights_(*this, workers_),
      attention_(kernels_, options.kv, use_tiles_ && options.kv != KvFormat::f32) {}

CpuDevice::~CpuDevice() {
  attention_.release(*this);
  best_logits_.release(*this);
  deallocate(arena_, program_.arena_bytes);
  deallocate(scratch_, scratch_stride_ * workers_.count());
}

base::Result<std::byte*> CpuDevice::allocate(uint64_t bytes) {
  if (bytes == 0) bytes = 1;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return Error{ErrorCode::out_of_memory,
                 "cannot allocate " + std::to_string(bytes >> 20) + " MiB; use a smaller model or context"};
  return static_cast<std::byte*>(memory);
}

void CpuDevice::deallocate(std::byte* memory, uint64_t bytes) {
  if (memory != nullptr) ::munmap(memory, bytes == 0 ? 1 : bytes);
}

void CpuDevice::copy(std::byte* to, const std::byte* from, uint64_t bytes) {
  std::memcpy(to, from, bytes);
}

// Only whole pages of memory go back.
void CpuDevice::discard(std::byte* memory, uint64_t bytes) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE)), begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (begin + page - 1) / page * page, last = (begin + bytes) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

base::Status CpuDevice::prepare(const Constants& constants, Program program, const WeightOptions& options,
                                const PackProgress& progress) {
  constants_ = &constants;
  program_ = std::move(program);
  phases_ = std::make_unique<Phase[]>(program_.kernels.size());
  INGLE_TRY(arena_, allocate(program_.arena_bytes));
  places_.resize(program_.max_rows);
  INGLE_CHECK(attention_.prepare(*this, program_, workers_.count()));
  INGLE_CHECK(best_logits_.prepare(*this, workers_.count()));
  scratch_stride_ = scratch_bytes_per_worker(constants, program_, options_);
  INGLE_TRY(scratch_, allocate(scratch_stride_ * workers_.count()));
  // Tiles are read all over it.
  if (use_tiles_) ::madvise(scratch_, scratch_stride_ * workers_.count(), MADV_HUGEPAGE);
  for (const MatrixSource& matrix : constants.matrices) {
    const auto file = file_of(matrix, options.files);
    files_.push_back(file ? &options.files[*file] : nullptr);
  }
  return weights_.load(constants, program_, options, progress);
}

uint64_t CpuDevice::state_page_bytes(uint32_t state_group) const {
  return kv_page_bytes(program_, state_group, options_.kv);
}

float* CpuDevice::floats(const BufferRef& ref) const {
  if (ref.offset == BufferRef::kLogits) return args_.logits;
  return ref.valid() ? reinterpret_cast<float*>(arena_ + ref.offset) : nullptr;
}

ActivationGroup* CpuDevice::groups(const BufferRef& ref) const {
  return ref.valid() ? reinterpret_cast<ActivationGroup*>(arena_ + ref.offset) : nullptr;
}

uint16_t* CpuDevice::tiles(const BufferRef& ref) const {
  return ref.valid() ? reinterpret_cast<uint16_t*>(arena_ + ref.offset) : nullptr;
}

// One row of what products read, in the form that its kernel's number of rows asks for.
void CpuDevice::store_activations(const KernelDesc& kernel, size_t row, const float* x, size_t width) {
  if (tiled(kernel)) return kernels_.store_tile_row(x, width, width, row, 0, tiles(kernel.quantized_out));
  const size_t terms = kernel.quantized_out.terms, row_groups = width / kGroup;
  ActivationGroup* const codes = groups(kernel.quantized_out) + row * terms * row_groups;
  kernels_.quantize_row(x, width, codes);
  if (terms == 2) kernels_.quantize_rest(x, codes, width, codes + row_groups);
}

void CpuDevice::run(const RunArgs& args) {
  args_ = args;
  unreadable_ = false;
  place_rows();
  give_back_activations();
  for (size_t i = 0; i < program_.kernels.size(); ++i) phases_[i].reset();
  weights_.begin_run();
  if (args_.best != nullptr) best_logits_.begin(args_);
  run_program();
  if (args_.best != nullptr) best_logits_.finish(args_);
}

void CpuDevice::run_program() {
  if (weights_.unchecked()) return run_checking();
  if (timing_ || !args_.taps.empty()) return run_watched();
  workers_.run([this](uint32_t worker) {
    Counter counter;
    for (size_t i = 0; i < program_.kernels.size(); ++i) {
      counter.take_from(phases_[i]);
      weights_.await(i);
      work(program_.kernels[i], counter, worker);
      if (!program_.kernels[i].barrier) continue;
      finish(i, counter);
      if (workers_.leaves(worker)) return;
    }
  });
}

void CpuDevice::run_from(size_t first, const BufferRef& buffer, std::span<const float> rows, const RunArgs& args) {
  args_ = args;
  unreadable_ = false;
  touched_rows_ = std::max(touched_rows_, args_.tokens.size());
  std::ranges::copy(rows, floats(buffer));
  for (size_t i = first; i < program_.kernels.size(); ++i) phases_[i].reset();
  workers_.run([this, first](uint32_t worker) {
    Counter counter;
    for (size_t i = first; i < program_.kernels.size(); ++i) {
      counter.take_from(phases_[i]);
      work(program_.kernels[i], counter, worker);
      if (program_.kernels[i].barrier) workers_.finish(counter);
    }
  });
}

void CpuDevice::prepare_taps() {
  while (tap_phases_.size() < args_.taps.size()) tap_phases_.push_back(std::make_unique<Phase>());
  tapped_width_ = 0;
  for (size_t i = 0; i < args_.taps.size(); ++i) {
    tap_phases_[i]->reset();
    tapped_width_ += args_.taps[i].buffer.width;
  }
}

// Those at a phase that has ended with number `kernel`, before anybody begins the next: each is a phase of its own.
void CpuDevice::copy_taps(TapPlace& next, size_t kernel, Counter& counter) {
  for (; next.tap < args_.taps.size() && args_.taps[next.tap].kernel <= kernel; ++next.tap) {
    const BufferRef& buffer = args_.taps[next.tap].buffer;
    counter.take_from(*tap_phases_[next.tap]);
    counter.take(args_.tapped_rows.size(), 1, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row)
        std::copy_n(floats(buffer) + size_t{args_.tapped_rows[row]} * buffer.width, buffer.width,
                    args_.tapped + row * tapped_width_ + next.column);
    });
    workers_.finish(counter);
    next.column += buffer.width;
  }
}

// Ends a phase, whose last kernel is number i.
void CpuDevice::finish(size_t i, Counter& counter) {
  workers_.finish(counter);
  weights_.done(i);
}

void CpuDevice::place_rows() {
  size_t row = 0;
  for (uint32_t sequence = 0; sequence < args_.sequences.size(); ++sequence)
    for (uint32_t i = 0; i < args_.sequences[sequence].rows; ++i)
      places_[row++] = {sequence, args_.sequences[sequence].first_position + i};
}

// What a long prompt computed with is of no use while an answer is written: that takes a row of each buffer. The system
// may have it when it is short of memory; taking it away at once would cost the next prompt 2 % of its time.
void CpuDevice::give_back_activations() {
  constexpr size_t kManyRows = 64, kFewRows = 8;
  if (touched_rows_ >= kManyRows && args_.tokens.size() <= kFewRows) {
    ::madvise(arena_, program_.arena_bytes, MADV_FREE);
    touched_rows_ = 0;
  }
  touched_rows_ = std::max(touched_rows_, args_.tokens.size());
}

// The first run: the blocks of a mapped copy are compared with their hashes right before they are used.
void CpuDevice::run_checking() {
  const auto checks = std::make_unique<std::array<Phase, 2>[]>(program_.kernels.size());
  workers_.run([&](uint32_t worker) {
    Counter counter;
    for (size_t i = 0; i < program_.kernels.size(); ++i) {
      const KernelDesc& kernel = program_.kernels[i];
      weights_.await(i);
      if (kernel.kind == KernelKind::matmul) {
        counter.take_from(checks[i][0]);
        weights_.check(kernel.matrix, counter);
        if (kernel.gated) {
          counter.take_from(checks[i][1]);
          weights_.check(kernel.gate_matrix, counter);
        }
        workers_.finish(counter);
      }
      counter.take_from(phases_[i]);
      work(kernel, counter, worker);
      if (kernel.barrier) finish(i, counter);
    }
  });
  weights_.set_checked();
}

void CpuDevice::start_timing() {
  timing_ = true;
  times_.assign(program_.kernels.size() * workers_.count(), {});
  timed_rows_.assign(program_.kernels.size(), 0);
  timed_runs_ = 0;
}

base::Status CpuDevice::start_trace(uint64_t bytes) {
  start_timing();
  const size_t kernels = program_.kernels.size(), workers = workers_.count();
  trace_ = {};
  traceable_runs_ = static_cast<size_t>(bytes / (sizeof(RunSlice) + workers * kernels * sizeof(KernelSlice)));
  if (traceable_runs_ == 0) return Error{ErrorCode::out_of_memory, "one run of the model is too long for a trace"};
  trace_.runs.reserve(traceable_runs_);
  trace_.workers.resize(workers);
  for (std::vector<KernelSlice>& slices : trace_.workers) slices.reserve(traceable_runs_ * kernels);
  return {};
}

base::Result<MachineLimits> CpuDevice::measure_limits(uint64_t large_bytes) {
  std::vector<std::span<const std::byte>> read;
  for (size_t i = 0; i < constants_->matrices.size(); ++i) {
    const PackedMatrix& matrix = weights_[static_cast<int32_t>(i)];
    if (constants_->matrices[i].multiplied && !weights_.streamed(i))
      read.emplace_back(matrix.data, matrix.panels() * matrix.panel_bytes);
  }
  return core::measure_limits(workers_, limit_loops(kernels_.name), *this, read, large_bytes);
}

// Timed, tapped, or both.
void CpuDevice::run_watched() {
  const bool traced = timing_ && trace_.runs.size() < traceable_runs_;
  if (timing_ && !traced && traceable_runs_ != 0) ++trace_.dropped_runs;
  const int64_t begin = base::monotonic_ns();
  if (timing_) {
    ++timed_runs_;
    for (size_t i = 0; i < program_.kernels.size(); ++i) timed_rows_[i] += rows_of(program_.kernels[i]);
  }
  prepare_taps();
  workers_.run([&](uint32_t worker) {
    Counter counter;
    TapPlace tap;
    int64_t now = base::monotonic_ns();
    for (size_t i = 0; i < program_.kernels.size(); ++i) {
      counter.take_from(phases_[i]);
      const int64_t begun = weights_.await(i) ? base::monotonic_ns() : now;
      work(program_.kernels[i], counter, worker);
      const int64_t done = base::monotonic_ns();
      if (program_.kernels[i].barrier) finish(i, counter);
      const int64_t met = program_.kernels[i].barrier ? base::monotonic_ns() : done;
      if (timing_) note_time(i, worker, {now, begun, done, met}, traced);
      if (program_.kernels[i].barrier) copy_taps(tap, i, counter);
      now = args_.taps.empty() ? met : base::monotonic_ns();
      if (worker == 0) tapping_ns_ += now - met;
    }
  });
  if (traced) trace_.runs.push_back({static_cast<uint32_t>(args_.tokens.size()), begin, base::monotonic_ns()});
}

void CpuDevice::note_time(size_t kernel, uint32_t worker, const Turn& turn, bool traced) {
  KernelTime& time = times_[kernel * workers_.count() + worker];
  time.busy_ns += turn.done_ns - turn.begun_ns;
  time.waiting_ns += turn.met_ns - turn.done_ns + (turn.begun_ns - turn.now_ns);
  // A worker may look in again at a run that it has been at; there is no room for that.
  if (!traced || trace_.workers[worker].size() >= trace_.workers[worker].capacity()) return;
  const auto rows = static_cast<uint32_t>(rows_of(program_.kernels[kernel]));
  trace_.workers[worker].push_back({static_cast<uint32_t>(kernel), rows, turn.now_ns, turn.done_ns, turn.met_ns});
}

std::vector<KernelTiming> CpuDevice::timings() const {
  std::vector<KernelTiming> timings;
  const uint32_t workers = workers_.count();
  for (size_t i = 0; i < timed_rows_.size(); ++i) {
    KernelTiming timing{&program_.kernels[i], timed_runs_, timed_rows_[i], 0, 0};
    for (uint32_t worker = 0; worker < workers; ++worker) {
      timing.busy_seconds += static_cast<double>(times_[i * workers + worker].busy_ns) * 1e-9 / workers;
      timing.waiting_seconds += static_cast<double>(times_[i * workers + worker].waiting_ns) * 1e-9 / workers;
    }
    timings.push_back(timing);
  }
  return timings;
}

void CpuDevice::execute_kernel(const KernelDesc* kernel) {
  Phase phase;
  workers_.run([&](uint32_t worker) {
    Counter counter;
    counter.take_from(phase);
    work(*kernel, counter, worker);
  });
}

void CpuDevice::work(const KernelDesc& kernel, Counter& counter, uint32_t worker) {
  switch (kernel.kind) {
    case KernelKind::embed:
      return embed(kernel, counter, worker);
    case KernelKind::rope_table:
      return rope_table(kernel, counter);
    case KernelKind::rms_norm:
    case KernelKind::layer_norm:
    case KernelKind::activate:
      return whole_rows(kernel, counter, worker);
    case KernelKind::quantize:
      return quantize(kernel, counter);
    case KernelKind::matmul:
      return matmul(kernel, counter, worker);
    case KernelKind::prepare_attention:
      return prepare_attention(kernel, counter, worker);
    case KernelKind::attention:
      return attention(kernel, counter, worker);
    case KernelKind::add:
    case KernelKind::gate:
    case KernelKind::scale:
      return elementwise(kernel, counter);
    case KernelKind::output_rows:
      return output_rows(kernel, counter);
  }
}

// The number of the matrix's row that a row of this run gets.
size_t CpuDevice::embedded(const KernelDesc& kernel, size_t row) const {
  switch (kernel.embed_by) {
    case EmbedBy::token:
      break;
    case EmbedBy::position:
      return places_[row].position;
    case EmbedBy::type:
      return args_.types.empty() ? 0 : static_cast<size_t>(args_.types[row]);
  }
  return static_cast<size_t>(args_.tokens[row]);
}

// That row of the matrix, in the file's format. A file is read, not looked at through its mapping: around each
// page that is looked at, the system gives the process sixteen, and there are as many rows as tokens.
const std::byte* CpuDevice::embedding_row(const KernelDesc& kernel, size_t row, std::byte* buffer) {
  const MatrixSource& source = constants_->matrices[kernel.matrix];
  const size_t bytes = source.format->bytes(source.columns);
  const std::byte* data = source.data + embedded(kernel, row) * bytes;
  const base::MappedFile* file = files_[kernel.matrix];
  if (file == nullptr) return data;
  base::Status read = file->read({data, bytes}, buffer);
  if (!read.ok()) {
    std::memset(buffer, 0, bytes);
    const std::lock_guard lock(read_mutex_);
    if (!unreadable_.exchange(true)) read_error_ = std::move(read).error();
  }
  return buffer;
}

void CpuDevice::embed(const KernelDesc& kernel, Counter& counter, uint32_t worker) {
  const MatrixSource& source = constants_->matrices[kernel.matrix];
  counter.take(rows_of(kernel), 1, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      float* out = floats(kernel.out) + r * kernel.out.width;
      source.format->decode(embedding_row(kernel, r, scratch(worker)), out,
                            source.columns / source.format->block_elements);
      if (kernel.factor != 1.0f) kernels_.scale(out, kernel.factor, 0.0f, source.columns, out);
    }
  });
}

// Angles in single precision, as the models were trained with; their cosine and sine to full precision.
void CpuDevice::rope_table(const KernelDesc& kernel, Counter& counter) {
  const RopeSpec& rope = constants_->ropes[kernel.rope];
  const size_t half = rope.inverse_frequencies.size();
  counter.take(rows_of(kernel), 4, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      float* out = floats(kernel.out) + r * kernel.out.width;
      const auto position = static_cast<float>(places_[r].position);
      for (size_t i = 0; i < half; ++i) {
        const float angle = position * rope.inverse_frequencies[i];
        out[i] = std::cos(angle) * rope.factor;
        out[half + i] = std::sin(angle) * rope.factor;
      }
    }
  });
}

// Calls work(begin, end) for the kernel's rows, at least `fewest` at a time: taking costs about as much as a short row,
// and neighbours can be asked for ahead.
template <typename Work>
void CpuDevice::take_rows(const KernelDesc& kernel, Counter& counter, size_t fewest, Work work) {
  const size_t rows = rows_of(kernel);
  counter.take(rows, std::clamp<size_t>(rows / (workers_.count() * 8), fewest, 16), work);
}

void CpuDevice::whole_rows(const KernelDesc& kernel, Counter& counter, uint32_t worker) {
  const size_t width = kernel.in[0].width;
  take_rows(kernel, counter, 1, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      if (r + 1 < end) ask_for(floats(kernel.in[0]) + (r + 1) * width, width);
      float* out = floats(kernel.out);
      out = out != nullptr ? out + r * width : reinterpret_cast<float*>(scratch(worker));
      const float* const x = floats(kernel.in[0]) + r * width;
      if (kernel.kind == KernelKind::rms_norm)
        kernels_.rms_norm(x, vector(kernel.vector), kernel.epsilon, width, out);
      else if (kernel.kind == KernelKind::layer_norm)
        kernels_.layer_norm(x, vector(kernel.vector), vector(kernel.bias), kernel.epsilon, width, out);
      else
        kernels_.activate(kernel.activation, x, width, out);
      if (kernel.quantized_out.valid()) store_activations(kernel, r, out, width);
    }
  });
}

void CpuDevice::quantize(const KernelDesc& kernel, Counter& counter) {
  const size_t width = kernel.in[0].width;
  take_rows(kernel, counter, 1, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) store_activations(kernel, r, floats(kernel.in[0]) + r * width, width);
  });
}

void CpuDevice::matmul(const KernelDesc& kernel, Counter& counter, uint32_t worker) {
  MatmulArgs args;
  args.weight = &weights_[kernel.matrix];
  if (kernel.gated) args.gate = &weights_[kernel.gate_matrix];
  args.activated = kernel.activated;
  args.activation = kernel.activation;
  args.float_path = !kernel.quantized_in.valid();
  args.quantized = groups(kernel.quantized_in);
  args.input = floats(kernel.in[0]);
  args.input_stride = kernel.in[0].width;
  args.terms = kernel.quantized_in.terms;
  args.rows = rows_of(kernel) * args.terms;
  args.out = floats(kernel.out);
  args.out_stride = kernel.out.width;
  args.bias = vector(kernel.vector);
  args.accumulate = kernel.accumulate;
  args.scale = kernel.factor;
  if (args.rows == 0) return;
  const size_t panels = args.weight->panels();
  const bool tiled = !args.float_path && this->tiled(kernel);
  const auto multiply = tiled ? kernels_.matmul_tiles : kernels_.matmul;
  if (tiled) {
    args.tiles = tiles(kernel.quantized_in);
    args.tiles_out = tiles(kernel.quantized_out);
  } else {
    args.quantized_out = groups(kernel.quantized_out);
  }
  // Kernels take panels in pairs unless they read each once and write floats. A piece costs some time of its own, which
  // shows where few rows make it short.
  const bool pairs = args.rows > 1 || args.quantized_out != nullptr;
  // All tiles of activations pass by each piece, so that those should be few.
  const Cut pieces = tiled ? even_cut(panels, workers_.count(), 2, 16)
                           : cut(panels, workers_.count(), pairs ? 2 : 1, args.rows > 8 ? 4 : 2);
  const bool only_best = kernel.out.offset == BufferRef::kLogits && args_.best != nullptr;
  counter.take(panels, pieces, [&](size_t begin, size_t end) {
    if (only_best) return best_logits_.multiply(kernels_, args, kernel.cap, begin, end, worker, scratch(worker));
    multiply(kernels_, args, begin, end, scratch(worker));
    if (kernel.cap != 0.0f) cap_panels(kernels_, args, kernel.cap, begin, end);
  });
}

// Heads that become codes are rotated after all else; attention turns its results back.
void CpuDevice::prepare_head(const KernelDesc& kernel, size_t row, int32_t norm, float* head) const {
  if (norm >= 0) kernels_.rms_norm(head, vector(norm), kernel.epsilon, kernel.head_dim, head);
  if (kernel.rope >= 0) {
    const RopeSpec& spec = constants_->ropes[kernel.rope];
    RopeArgs rope;
    rope.rotary = static_cast<uint32_t>(spec.inverse_frequencies.size() * 2);
    rope.interleaved = spec.interleaved;
    rope.head_dim = kernel.head_dim;
    rope.cosines = floats(kernel.rope_table) + row * kernel.rope_table.width;
    rope.sines = rope.cosines + rope.rotary / 2;
    kernels_.rope(head, rope);
  }
  if (has_codes(kv_layer_format(options_.kv, kernel.layer))) kernels_.rotate(head, kernel.head_dim);
}

void CpuDevice::prepare_attention(const KernelDesc& kernel, Counter& counter, uint32_t worker) {
  // Keys of 16 positions share memory.
  take_rows(kernel, counter, 8, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      float* q = floats(kernel.in[0]) + row * kernel.in[0].width;
      if (row + 1 < end) ask_for(q + kernel.in[0].width, kernel.in[0].width);
      for (uint32_t h = 0; h < kernel.heads; ++h) prepare_head(kernel, row, kernel.q_norm, q + h * kernel.head_dim);
    }
    for (uint32_t h = 0; h < kernel.kv_heads; ++h) store_head(kernel, h, begin, end, scratch(worker));
  });
}

// Keys and values of one head. Keys are prepared outside the buffer they come from: the first one of a page, which all
// of the page need, may be another worker's row.
void CpuDevice::store_head(const KernelDesc& kernel, uint32_t head, size_t begin, size_t end, std::byte* memory) {
  const size_t dim = kernel.head_dim;
  auto* key = reinterpret_cast<float*>(memory);
  float *value = key + dim, *first_key = value + dim;
  size_t first = ~size_t{0};  // the row that first_key is of
  const bool codes = has_codes(kv_layer_format(options_.kv, kernel.layer));
  const auto prepare = [&](size_t row, float* out) {
    std::copy_n(floats(kernel.in[1]) + row * kernel.in[1].width + head * dim, dim, out);
    prepare_head(kernel, row, kernel.k_norm, out);
  };
  for (size_t row = begin; row < end; ++row) {
    if (row + 1 < end)
      for (const BufferRef& in : {kernel.in[1], kernel.in[2]})
        ask_for(floats(in) + (row + 1) * in.width + head * dim, dim);
    const Place place = places_[row];
    const SequenceRows& sequence = args_.sequences[place.sequence];
    const uint32_t into_page = place.position % kPagePositions;
    const bool first_is_here = place.position - into_page >= sequence.first_position && codes;
    if (first_is_here && row - into_page != first) {
      first = row - into_page;
      prepare(first, first_key);
    }
    prepare(row, key);
    std::copy_n(floats(kernel.in[2]) + row * kernel.in[2].width + head * dim, dim, value);
    if (codes) kernels_.rotate(value, dim);
    kernels_.store_kv(attention_.view(kernel, sequence), head, place.position, key, value,
                      first_is_here ? first_key : nullptr);
  }
}

void CpuDevice::attention(const KernelDesc& kernel, Counter& counter, uint32_t worker) {
  if (args_.tokens.empty()) return;
  AttentionArgs args;
  args.q = floats(kernel.in[0]);
  args.out = floats(kernel.out);
  if (tiled(kernel)) {
    args.tiles_out = tiles(kernel.quantized_out);
    args.store_tile_row = kernels_.store_tile_row;
  } else {
    args.quantized_out = groups(kernel.quantized_out);
  }
  attention_.attend(kernel, args_.sequences, args, counter, scratch(worker));
}

void CpuDevice::elementwise(const KernelDesc& kernel, Counter& counter) {
  const size_t width = kernel.out.width;
  take_rows(kernel, counter, 1, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      const float* x = floats(kernel.in[0]) + r * width;
      float* out = floats(kernel.out) + r * width;
      if (kernel.kind == KernelKind::add)
        kernels_.add(x, floats(kernel.in[1]) + r * width, width, out);
      else if (kernel.kind == KernelKind::scale)
        kernels_.scale(x, kernel.factor, kernel.cap, width, out);
      else
        kernels_.gate(kernel.activation, x, floats(kernel.in[1]) + r * width, width, out);
    }
  });
}

void CpuDevice::output_rows(const KernelDesc& kernel, Counter& counter) {
  const size_t width = kernel.in[0].width;
  counter.take(rows_of(kernel), 4, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r)
      std::memcpy(floats(kernel.out) + r * width, floats(kernel.in[0]) + size_t{args_.output_rows[r]} * width,
                  width * sizeof(float));
  });
}

}  // namespace ingle::core
