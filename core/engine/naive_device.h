// The second device, for tests: every kernel as its description says (core/hal/kernel_desc.h), in the plainest loops,
// summed in double precision, on one thread. It shares no code with the CPU device and decodes weights with their
// formats' own `decode`, so it is an oracle for both the kernels and the descriptions.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "core/hal/device.h"

namespace ingle::core {

class NaiveDevice final : public Device {
 public:
  /// Kernels without a barrier between them may run in any order: `backwards` runs them from last to first.
  explicit NaiveDevice(bool backwards = false) : backwards_(backwards) {}

  base::Result<std::byte*> allocate(uint64_t bytes) override {
    void* memory = ::operator new(bytes, std::align_val_t{64});
    std::memset(memory, 0, bytes);
    return static_cast<std::byte*>(memory);
  }
  void deallocate(std::byte* memory, uint64_t) override { ::operator delete(memory, std::align_val_t{64}); }
  void sync_device() override {}

  base::Status prepare(const Constants& constants, Program program) override {
    constants_ = &constants;
    program_ = std::move(program);
    arena_.assign(program_.arena_bytes,
                  std::byte{0xff});  // not a number, wherever a kernel reads what none has written
    for (const MatrixSource& source : constants.matrices) {
      std::vector<float>& matrix = matrices_.emplace_back(size_t{source.rows} * source.columns);
      source.format->decode(source.data, matrix.data(), matrix.size() / source.format->block_elements);
    }
    return {};
  }

  /// A page: [layer of the group][keys, values][position][kv head][element].
  uint64_t state_page_bytes(uint32_t state_group) const override {
    uint64_t bytes = 0;
    for (const KernelDesc& kernel : program_.kernels)
      if (kernel.kind == KernelKind::attention && kernel.state_group == state_group) bytes += layer_bytes(kernel);
    return bytes;
  }
  void copy(std::byte* to, const std::byte* from, uint64_t bytes) override { std::memcpy(to, from, bytes); }
  void discard(std::byte* memory, uint64_t bytes) override { std::memset(memory, 0, bytes); }

  void run(const RunArgs& args) override {
    args_ = args;
    const std::vector<KernelDesc>& kernels = program_.kernels;
    for (size_t begin = 0, end = 0; begin < kernels.size(); begin = end) {
      while (!kernels[end].barrier && end + 1 < kernels.size()) ++end;
      ++end;
      for (size_t i = begin; i < end; ++i) execute_kernel(&kernels[backwards_ ? end - 1 - (i - begin) : i]);
      copy_taps(begin, end);
    }
  }

  const float* read(const KeptValue& value) const override { return at(value.buffer, 0); }

  void execute_kernel(const KernelDesc* kernel) override {
    const size_t rows = kernel->output_rows ? args_.output_rows.size() : args_.tokens.size();
    for (size_t row = 0; row < rows; ++row) execute_row(*kernel, row);
  }

 private:
  /// Of the kernels [begin, end), a phase.
  void copy_taps(size_t begin, size_t end) const {
    size_t stride = 0;
    for (const Tap& tap : args_.taps) stride += tap.buffer.width;
    size_t column = 0;
    for (const Tap& tap : args_.taps) {
      for (size_t i = 0; i < args_.tapped_rows.size() && tap.kernel >= begin && tap.kernel < end; ++i)
        std::copy_n(at(tap.buffer, args_.tapped_rows[i]), tap.buffer.width, args_.tapped + i * stride + column);
      column += tap.buffer.width;
    }
  }

  /// 32 activations as 8-bit integers.
  struct Activations {
    int8_t codes[kActivationGroup];
    float step;
  };
  static_assert(sizeof(Activations) <= kActivationGroupBytes);

  static size_t kv_width(const KernelDesc& kernel) { return size_t{kernel.kv_heads} * kernel.head_dim; }
  static size_t layer_bytes(const KernelDesc& kernel) { return 2 * kPagePositions * kv_width(kernel) * sizeof(float); }

  /// The sequence that a row belongs to, and its position there.
  const SequenceRows& sequence_of(size_t row, size_t* position) const {
    size_t i = 0;
    for (; row >= args_.sequences[i].rows; ++i) row -= args_.sequences[i].rows;
    *position = args_.sequences[i].first_position + row;
    return args_.sequences[i];
  }

  float* at(const BufferRef& buffer, size_t row) const {
    if (!buffer.valid() || (buffer.offset == BufferRef::kLogits && args_.best != nullptr)) return nullptr;
    auto* base = buffer.offset == BufferRef::kLogits
                     ? args_.logits
                     : reinterpret_cast<float*>(const_cast<std::byte*>(arena_.data()) + buffer.offset);
    return base + row * buffer.width;
  }
  const std::vector<float>& vector(int32_t id) const { return constants_->vectors[static_cast<size_t>(id)]; }

  void execute_row(const KernelDesc& kernel, size_t row) {
    const float* x = at(kernel.in[0], row);
    const float* y = at(kernel.in[1], row);
    float* out = at(kernel.out, row);
    const size_t width = kernel.out.width;
    switch (kernel.kind) {
      case KernelKind::embed:
        for (size_t i = 0; i < width; ++i) out[i] = weights(kernel.matrix, embedded(kernel, row))[i] * kernel.factor;
        return;
      case KernelKind::rope_table:
        return rope_table(kernel, row, out);
      case KernelKind::rms_norm:
        return norm(kernel, row);
      case KernelKind::layer_norm:
        return layer_norm(kernel, row);
      case KernelKind::quantize:
        return store_activations(kernel.quantized_out, row, x);
      case KernelKind::matmul:
        return multiply(kernel, row, out);
      case KernelKind::prepare_attention:
        return prepare_attention(kernel, row);
      case KernelKind::attention:
        return attend(kernel, row, x, out);
      case KernelKind::add:
        for (size_t i = 0; i < width; ++i) out[i] = x[i] + y[i];
        return;
      case KernelKind::gate:
        for (size_t i = 0; i < width; ++i) out[i] = static_cast<float>(activation(kernel, x[i]) * y[i]);
        return;
      case KernelKind::activate:
        return activate(kernel, row);
      case KernelKind::scale:
        for (size_t i = 0; i < width; ++i) out[i] = static_cast<float>(capped(kernel, double{x[i]} * kernel.factor));
        return;
      case KernelKind::output_rows:
        std::copy_n(at(kernel.in[0], args_.output_rows[row]), width, out);
        return;
    }
  }

  size_t embedded(const KernelDesc& kernel, size_t row) const {
    size_t position;
    sequence_of(row, &position);
    if (kernel.embed_by == EmbedBy::position) return position;
    if (kernel.embed_by == EmbedBy::token) return static_cast<size_t>(args_.tokens[row]);
    return args_.types.empty() ? 0 : static_cast<size_t>(args_.types[row]);
  }

  const float* weights(int32_t matrix, size_t row) const {
    return matrices_[static_cast<size_t>(matrix)].data() +
           row * constants_->matrices[static_cast<size_t>(matrix)].columns;
  }

  static double activation(const KernelDesc& kernel, double x) {
    if (kernel.activation == Activation::silu) return x / (1 + std::exp(-x));
    if (kernel.activation == Activation::gelu) return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
  static double capped(const KernelDesc& kernel, double x) {
    return kernel.cap == 0.0f ? x : kernel.cap * std::tanh(x / kernel.cap);
  }

  void rope_table(const KernelDesc& kernel, size_t row, float* out) const {
    const RopeSpec& rope = constants_->ropes[static_cast<size_t>(kernel.rope)];
    const size_t half = rope.inverse_frequencies.size();
    size_t position;
    sequence_of(row, &position);
    for (size_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(position) * rope.inverse_frequencies[i];
      out[i] = static_cast<float>(std::cos(double{angle}) * rope.factor);
      out[half + i] = static_cast<float>(std::sin(double{angle}) * rope.factor);
    }
  }

  static void normalise(const float* x, size_t width, const float* weight, float epsilon, float* out) {
    double squares = 0;
    for (size_t i = 0; i < width; ++i) squares += double{x[i]} * x[i];
    const double divisor = std::sqrt(squares / static_cast<double>(width) + epsilon);
    for (size_t i = 0; i < width; ++i)
      out[i] = static_cast<float>(x[i] / divisor * (weight == nullptr ? 1.0 : double{weight[i]}));
  }

  void norm(const KernelDesc& kernel, size_t row) {
    const size_t width = kernel.in[0].width;
    std::vector<float> result(width);
    normalise(at(kernel.in[0], row), width, kernel.vector < 0 ? nullptr : vector(kernel.vector).data(), kernel.epsilon,
              result.data());
    store(kernel, row, result);
  }

  void layer_norm(const KernelDesc& kernel, size_t row) {
    const float* x = at(kernel.in[0], row);
    std::vector<float> result(kernel.in[0].width);
    double mean = 0, variance = 0;
    for (size_t i = 0; i < result.size(); ++i) mean += x[i] / static_cast<double>(result.size());
    for (size_t i = 0; i < result.size(); ++i)
      variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(result.size());
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = static_cast<float>((x[i] - mean) / std::sqrt(variance + kernel.epsilon) * vector(kernel.vector)[i] +
                                     vector(kernel.bias)[i]);
    store(kernel, row, result);
  }

  void activate(const KernelDesc& kernel, size_t row) {
    const float* x = at(kernel.in[0], row);
    std::vector<float> result(kernel.in[0].width);
    for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<float>(activation(kernel, x[i]));
    store(kernel, row, result);
  }

  void store(const KernelDesc& kernel, size_t row, const std::vector<float>& result) {
    if (kernel.out.valid()) std::copy(result.begin(), result.end(), at(kernel.out, row));
    if (kernel.quantized_out.valid()) store_activations(kernel.quantized_out, row, result.data());
  }

  Activations& activations(const BufferRef& buffer, size_t row, uint32_t term, size_t group) {
    const size_t index = (row * buffer.terms + term) * (buffer.width / kActivationGroup) + group;
    return *reinterpret_cast<Activations*>(arena_.data() + buffer.offset + index * kActivationGroupBytes);
  }

  void store_activations(const BufferRef& buffer, size_t row, const float* x) {
    std::vector<float> left(x, x + buffer.width);
    for (uint32_t term = 0; term < buffer.terms; ++term)
      for (size_t group = 0; group < buffer.width / kActivationGroup; ++group) {
        Activations& to = activations(buffer, row, term, group);
        float* from = left.data() + group * kActivationGroup;
        float largest = 0;
        for (size_t i = 0; i < kActivationGroup; ++i) largest = std::max(largest, std::fabs(from[i]));
        to.step = largest / 127;
        for (size_t i = 0; i < kActivationGroup; ++i) {
          to.codes[i] = static_cast<int8_t>(largest == 0 ? 0 : std::nearbyint(from[i] * (127 / largest)));
          from[i] -= static_cast<float>(to.codes[i]) * to.step;
        }
      }
  }

  void multiply(const KernelDesc& kernel, size_t row, float* out) {
    const BufferRef& in = kernel.in[0].valid() ? kernel.in[0] : kernel.quantized_in;
    std::vector<float> x(in.width);
    if (kernel.in[0].valid()) std::copy_n(at(in, row), in.width, x.begin());
    for (size_t i = 0; i < in.width && !kernel.in[0].valid(); ++i)
      for (uint32_t term = 0; term < in.terms; ++term) {
        const Activations& group = activations(in, row, term, i / kActivationGroup);
        x[i] += static_cast<float>(group.codes[i % kActivationGroup]) * group.step;
      }
    const auto product = [&](int32_t matrix, size_t n) {
      double sum = 0;
      for (size_t i = 0; i < x.size(); ++i) sum += double{weights(matrix, n)[i]} * x[i];
      return sum;
    };
    std::vector<float> result(constants_->matrices[static_cast<size_t>(kernel.matrix)].rows);
    for (size_t n = 0; n < result.size(); ++n) {
      double value = product(kernel.matrix, n) * kernel.factor;
      if (kernel.gated) value *= activation(kernel, product(kernel.gate_matrix, n));
      if (kernel.vector >= 0) value += vector(kernel.vector)[n];
      if (kernel.activated) value = activation(kernel, value);
      if (kernel.accumulate) value += out[n];
      result[n] = static_cast<float>(capped(kernel, static_cast<float>(value)));
    }
    if (kernel.out.offset == BufferRef::kLogits && args_.best != nullptr) pick_best(result, row);
    if (out != nullptr) std::copy(result.begin(), result.end(), out);
    if (kernel.quantized_out.valid()) store_activations(kernel.quantized_out, row, result.data());
  }

  void pick_best(const std::vector<float>& logits, size_t row) const {
    std::vector<TokenLogit> tokens;
    for (size_t id = 0; id < logits.size(); ++id)
      if (logits[id] > -INFINITY) tokens.push_back({logits[id], static_cast<int32_t>(id)});
    std::sort(tokens.begin(), tokens.end(),
              [](const auto& a, const auto& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; });
    tokens.resize(args_.best_count);
    std::copy(tokens.begin(), tokens.end(), args_.best + row * args_.best_count);
  }

  void prepare_head(const KernelDesc& kernel, size_t row, int32_t norm, float* head) const {
    if (norm >= 0) normalise(head, kernel.head_dim, vector(norm).data(), kernel.epsilon, head);
    if (kernel.rope < 0) return;
    const size_t half = kernel.rope_table.width / 2;
    const float* cosines = at(kernel.rope_table, row);
    const float* sines = cosines + half;
    for (size_t i = 0; i < half; ++i) {
      const bool interleaved = constants_->ropes[static_cast<size_t>(kernel.rope)].interleaved;
      float& a = head[interleaved ? 2 * i : i];
      float& b = head[interleaved ? 2 * i + 1 : half + i];
      const double x = a, y = b;
      a = static_cast<float>(x * cosines[i] - y * sines[i]);
      b = static_cast<float>(x * sines[i] + y * cosines[i]);
    }
  }

  /// Keys (kind 0) or values (1) at one position of a sequence.
  float* state(const KernelDesc& kernel, const SequenceRows& sequence, size_t kind, size_t position) const {
    std::byte* page = sequence.pages[kernel.state_group][position / kPagePositions];
    assert(page != nullptr);
    for (const KernelDesc& other : program_.kernels)
      if (other.kind == KernelKind::attention && other.state_group == kernel.state_group && other.layer < kernel.layer)
        page += layer_bytes(other);
    return reinterpret_cast<float*>(page) + (kind * kPagePositions + position % kPagePositions) * kv_width(kernel);
  }

  void prepare_attention(const KernelDesc& kernel, size_t row) {
    float* q = at(kernel.in[0], row);
    float* k = at(kernel.in[1], row);
    for (size_t h = 0; h < kernel.heads; ++h) prepare_head(kernel, row, kernel.q_norm, q + h * kernel.head_dim);
    for (size_t h = 0; h < kernel.kv_heads; ++h) prepare_head(kernel, row, kernel.k_norm, k + h * kernel.head_dim);
    size_t position;
    const SequenceRows& sequence = sequence_of(row, &position);
    std::copy_n(k, kv_width(kernel), state(kernel, sequence, 0, position));
    std::copy_n(at(kernel.in[2], row), kv_width(kernel), state(kernel, sequence, 1, position));
  }

  void attend(const KernelDesc& kernel, size_t row, const float* q, float* out) {
    std::vector<float> result(size_t{kernel.heads} * kernel.head_dim);
    size_t position;
    const SequenceRows& sequence = sequence_of(row, &position);
    const size_t dim = kernel.head_dim;
    const size_t begin = kernel.window != 0 && position + 1 > kernel.window ? position + 1 - kernel.window : 0;
    const size_t end = kernel.bidirectional ? sequence.first_position + sequence.rows : position + 1;
    for (size_t h = 0; h < kernel.heads; ++h) {
      const size_t first = h / (kernel.heads / kernel.kv_heads) * dim;
      std::vector<double> weight(end - begin), sums(dim, 0.0);
      for (size_t p = begin; p < end; ++p) {
        double dot = 0;
        for (size_t i = 0; i < dim; ++i) dot += double{q[h * dim + i]} * state(kernel, sequence, 0, p)[first + i];
        weight[p - begin] = capped(kernel, dot * kernel.factor);
      }
      const double largest = *std::max_element(weight.begin(), weight.end());
      double total = 0;
      for (double& w : weight) total += w = std::exp(w - largest);
      for (size_t p = begin; p < end; ++p)
        for (size_t i = 0; i < dim; ++i) sums[i] += weight[p - begin] * state(kernel, sequence, 1, p)[first + i];
      for (size_t i = 0; i < dim; ++i) result[h * dim + i] = static_cast<float>(sums[i] / total);
    }
    if (out != nullptr) std::copy(result.begin(), result.end(), out);
    if (kernel.quantized_out.valid()) store_activations(kernel.quantized_out, row, result.data());
  }

  const bool backwards_;
  const Constants* constants_ = nullptr;
  Program program_;
  std::vector<std::byte> arena_;
  std::vector<std::vector<float>> matrices_;
  RunArgs args_;
};

}  // namespace ingle::core
