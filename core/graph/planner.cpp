// The planner: fusion, emission, phases, placement.
//
//   fuse     a gate's two products become one gated product; a product that only a sum reads is added to the other
//            term in place, one that only a cap or an activation reads is capped or activated as it is written; a norm,
//            gated or activated product or attention that only feeds 8-bit products writes what they read
//   emit     one or more kernels per remaining operation; inputs of 8-bit products are quantised once
//   phases   a kernel that neither reads nor overwrites what its phase touches joins the phase: no barrier between
//   place    buffers live from the phase that writes them to the last that reads them; first fit into one arena
#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "core/graph/program.h"

namespace ingle::core {
namespace {

constexpr uint64_t kAlign = 64;
constexpr size_t kNever = ~size_t{0};

struct Buffer {
  uint64_t bytes = 0;
  size_t first_phase = 0, last_phase = 0;
  bool used = false;
  uint64_t offset = 0;
};

class Planner {
 public:
  Planner(const Graph& graph, const PlanOptions& options) : graph_(graph), options_(options) {}

  Program plan() {
    count_uses();
    if (options_.fuse) find_fusions();
    emit_rope_tables();
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (skipped_[i]) continue;
      emit(i);
      writer_[graph_.ops[i].output] = static_cast<int32_t>(program_.kernels.size() - 1);
    }
    assign_phases();
    place_kept();
    place_buffers();
    list_passing();
    list_arena();
    resolve_offsets();
    program_.logits_once = logits_once();
    return std::move(program_);
  }

 private:
  // --- analysis
  void count_uses() {
    uses_.assign(graph_.widths.size(), 0);
    last_use_.assign(graph_.widths.size(), 0);
    producer_.assign(graph_.widths.size(), -1);
    writer_.assign(graph_.widths.size(), -1);
    skipped_.assign(graph_.ops.size(), false);
    in_logits_.assign(graph_.widths.size(), false);
    fused_into_.resize(graph_.ops.size());
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      for (const ValueId input : graph_.ops[i].inputs) {
        ++uses_[input];
        last_use_[input] = i;
      }
      producer_[graph_.ops[i].output] = static_cast<int32_t>(i);
    }
    // Somebody reads these after the last operation.
    for (const ValueId value : options_.keep) read_afterwards(value);
    if (graph_.logits >= 0) read_afterwards(graph_.logits);
    overwritten_.assign(graph_.widths.size(), kNever);
    value_buffer_.assign(graph_.widths.size(), -1);
    quantized_buffer_.assign(graph_.widths.size(), -1);
  }

  void read_afterwards(ValueId value) {
    ++uses_[value];
    last_use_[value] = graph_.ops.size();
  }
  bool is_read_afterwards(ValueId value) const { return last_use_[value] == graph_.ops.size(); }

  const Op* producer(ValueId value) const { return producer_[value] < 0 ? nullptr : &graph_.ops[producer_[value]]; }
  bool quantized(const Op& matmul) const { return options_.takes_quantized(graph_.matrices[matmul.matrix]); }

  void find_fusions() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (graph_.ops[i].kind == OpKind::gate) fuse_gate(i);
      if (graph_.ops[i].kind == OpKind::add) fuse_add(i);
      if (graph_.ops[i].kind == OpKind::scale) fuse_cap(i);
      if (graph_.ops[i].kind == OpKind::activate) fuse_activation(i);
    }
    // A sum that is the logits is gathered there from the start (an adapter of the output matrix).
    for (size_t i = graph_.ops.size(); i-- > 0;)
      if (graph_.ops[i].kind == OpKind::add && fused_into_[i] && is_logits(graph_.ops[i].output))
        in_logits_[other_term(i)] = true;
  }

  bool is_logits(ValueId value) const { return value == graph_.logits || in_logits_[value]; }

  // Of a fused sum, the term that is not the product.
  ValueId other_term(size_t index) const {
    const Op& op = graph_.ops[index];
    return op.inputs[0] == *fused_into_[index] ? op.inputs[1] : op.inputs[0];
  }

  // A product whose value only the operation `index` reads, once, and whose input is still there for that.
  bool is_fusable_matmul(const Op* op, bool allow_bias, size_t index) const {
    return op != nullptr && op->kind == OpKind::matmul && uses_[op->output] == 1 && (allow_bias || op->vector < 0) &&
           overwritten_[op->inputs[0]] > index;
  }

  // The product is computed by the operation `index` instead of where it stands.
  void defer(const Op& product, size_t index) {
    skipped_[producer_[product.output]] = true;
    last_use_[product.inputs[0]] = std::max(last_use_[product.inputs[0]], index);
  }

  void fuse_gate(size_t index) {
    const Op& op = graph_.ops[index];
    const Op* gate = producer(op.inputs[0]);
    const Op* up = producer(op.inputs[1]);
    if (!is_fusable_matmul(gate, false, index) || !is_fusable_matmul(up, false, index)) return;
    if (gate->inputs[0] != up->inputs[0] || quantized(*gate) != quantized(*up)) return;
    if (graph_.matrices[gate->matrix].rows != graph_.matrices[up->matrix].rows || gate->factor != 1.0f ||
        up->factor != 1.0f)
      return;
    defer(*gate, index);
    defer(*up, index);
    fused_into_[index] = up->output;
  }

  void fuse_add(size_t index) {
    const Op& op = graph_.ops[index];
    for (const size_t side : {size_t{1}, size_t{0}}) {
      const Op* product = producer(op.inputs[side]);
      const ValueId other = op.inputs[1 - side];
      // The other term's buffer becomes the sum's, so this must be its last use, and the product must not read it.
      if (!is_fusable_matmul(product, true, index) || last_use_[other] != index || other == product->inputs[0])
        continue;
      defer(*product, index);
      overwritten_[other] = index;
      fused_into_[index] = product->output;
      return;
    }
  }

  void fuse_cap(size_t index) {
    const Op& op = graph_.ops[index];
    const Op* product = producer(op.inputs[0]);
    if (op.cap == 0.0f || op.factor != 1.0f || !is_fusable_matmul(product, true, index)) return;
    defer(*product, index);
    fused_into_[index] = product->output;
  }

  void fuse_activation(size_t index) {
    const Op* product = producer(graph_.ops[index].inputs[0]);
    if (!is_fusable_matmul(product, true, index)) return;
    defer(*product, index);
    fused_into_[index] = product->output;
  }

  // --- buffers
  int32_t new_buffer(uint64_t row_bytes, uint32_t row_unit = 1) {
    const uint64_t rows = (uint64_t{options_.max_rows} + row_unit - 1) / row_unit * row_unit;
    buffers_.push_back({.bytes = (row_bytes * rows + kAlign - 1) / kAlign * kAlign});
    return static_cast<int32_t>(buffers_.size() - 1);
  }
  // Refs carry the buffer's index in `offset` until resolve_offsets().
  static BufferRef ref(int32_t buffer, uint32_t width, uint32_t terms = 1) {
    return {static_cast<uint64_t>(buffer), width, terms};
  }

  BufferRef output_of(ValueId value) {
    const uint32_t width = graph_.widths[value];
    if (is_logits(value)) return {BufferRef::kLogits, width};
    if (value_buffer_[value] < 0) value_buffer_[value] = new_buffer(uint64_t{width} * sizeof(float));
    return ref(value_buffer_[value], width);
  }
  BufferRef input_of(ValueId value) {
    if (is_logits(value)) return {BufferRef::kLogits, graph_.widths[value]};
    assert(value_buffer_[value] >= 0);
    return ref(value_buffer_[value], graph_.widths[value]);
  }
  BufferRef quantized_ref(ValueId value) const {
    return ref(quantized_buffer_[value], graph_.widths[value], terms(value));
  }
  BufferRef new_quantized(ValueId value) {
    quantized_buffer_[value] =
        new_buffer(uint64_t{terms(value)} * (graph_.widths[value] / kActivationGroup) * options_.activation_group_bytes,
                   kActivationRowUnit);
    return quantized_ref(value);
  }
  // What is rounded for the last product goes into the logits as it is, and rows that want logits are few: there a
  // second term costs next to nothing.
  uint32_t terms(ValueId value) const { return graph_.output_rows[value] && options_.second_terms ? 2 : 1; }

  // --- emission
  KernelDesc& push(KernelKind kind, ValueId output) {
    KernelDesc kernel;
    kernel.kind = kind;
    kernel.output_rows = output >= 0 && graph_.output_rows[output];
    program_.kernels.push_back(kernel);
    return program_.kernels.back();
  }

  void emit_rope_tables() {
    for (size_t i = 0; i < graph_.ropes.size(); ++i) {
      const auto rotary = static_cast<uint32_t>(graph_.ropes[i].inverse_frequencies.size() * 2);
      rope_buffers_.push_back(ref(new_buffer(uint64_t{rotary} * sizeof(float)), rotary));
      KernelDesc& kernel = push(KernelKind::rope_table, -1);
      kernel.rope = static_cast<int32_t>(i);
      kernel.out = rope_buffers_.back();
    }
  }

  void emit(size_t index) {
    const Op& op = graph_.ops[index];
    switch (op.kind) {
      case OpKind::embed:
        return emit_embed(op);
      case OpKind::rms_norm:
        return emit_row_kernel(op, KernelKind::rms_norm);
      case OpKind::layer_norm:
        return emit_row_kernel(op, KernelKind::layer_norm);
      case OpKind::matmul:
        emit_product(op, op.output).out = output_of(op.output);
        return;
      case OpKind::attention:
        return emit_attention(index, op);
      case OpKind::add:
        return emit_add(index, op);
      case OpKind::gate:
        return emit_gate(index, op);
      case OpKind::activate:
        return emit_activate(index, op);
      case OpKind::scale:
        return emit_scale(index, op);
      case OpKind::output_rows: {
        KernelDesc& kernel = push(KernelKind::output_rows, op.output);
        kernel.in[0] = input_of(op.inputs[0]);
        kernel.out = output_of(op.output);
        return;
      }
    }
  }

  void emit_embed(const Op& op) {
    KernelDesc& kernel = push(KernelKind::embed, op.output);
    kernel.matrix = op.matrix;
    kernel.embed_by = op.embed_by;
    kernel.factor = op.factor;
    kernel.out = output_of(op.output);
  }

  // Who reads a value: 8-bit products, others.
  struct Readers {
    bool quantized = false, floats = false;
  };
  Readers readers(ValueId value) const {
    Readers readers{false, is_read_afterwards(value)};
    for (const Op& user : graph_.ops)
      for (const ValueId input : user.inputs)
        if (input == value)
          (user.kind == OpKind::matmul && quantized(user) ? readers.quantized : readers.floats) = true;
    return readers;
  }

  // A kernel that makes whole rows of rows: what 8-bit products read of them, too.
  void emit_row_kernel(const Op& op, KernelKind kind) {
    const Readers readers = this->readers(op.output);
    const bool to_quantized = options_.fuse && readers.quantized;
    KernelDesc& kernel = push(kind, op.output);
    kernel.in[0] = input_of(op.inputs[0]);
    kernel.vector = op.vector;
    kernel.bias = op.bias;
    kernel.epsilon = op.epsilon;
    kernel.activation = op.activation;
    if (to_quantized) kernel.quantized_out = new_quantized(op.output);
    if (readers.floats || !to_quantized) kernel.out = output_of(op.output);
  }

  BufferRef quantized_input(ValueId value) {
    if (quantized_buffer_[value] < 0) {
      const BufferRef in = input_of(value);
      KernelDesc& kernel = push(KernelKind::quantize, value);
      kernel.in[0] = in;
      kernel.quantized_out = new_quantized(value);
    }
    return quantized_ref(value);
  }

  // All of a product but where it goes.
  KernelDesc& emit_product(const Op& op, ValueId output) {
    const bool bytes = quantized(op);
    const BufferRef in = bytes ? quantized_input(op.inputs[0]) : input_of(op.inputs[0]);
    KernelDesc& kernel = push(KernelKind::matmul, output);
    (bytes ? kernel.quantized_in : kernel.in[0]) = in;
    kernel.matrix = op.matrix;
    kernel.vector = op.vector;
    kernel.factor = op.factor;
    return kernel;
  }

  void emit_gate(size_t index, const Op& op) {
    if (!fused_into_[index]) {
      KernelDesc& kernel = push(KernelKind::gate, op.output);
      kernel.in = {input_of(op.inputs[0]), input_of(op.inputs[1]), {}};
      kernel.activation = op.activation;
      kernel.out = output_of(op.output);
      return;
    }
    KernelDesc& kernel = emit_activated_product(op, *producer(op.inputs[1]));
    kernel.gated = true;
    kernel.gate_matrix = producer(op.inputs[0])->matrix;
  }

  // A product whose result goes through an activation.
  KernelDesc& emit_activated_product(const Op& op, const Op& product) {
    const Readers readers = this->readers(op.output);
    KernelDesc& kernel = emit_product(product, op.output);
    // A device has one form of activations for all that reads and writes them as 8 bits. Second terms are only written
    // by norms and `quantize`.
    if (quantized(product) && readers.quantized && !readers.floats && terms(op.output) == 1)
      kernel.quantized_out = new_quantized(op.output);
    else
      kernel.out = output_of(op.output);
    kernel.activation = op.activation;
    return kernel;
  }

  void emit_activate(size_t index, const Op& op) {
    if (fused_into_[index])
      emit_activated_product(op, *producer(op.inputs[0])).activated = true;
    else
      emit_row_kernel(op, KernelKind::activate);
  }

  void emit_add(size_t index, const Op& op) {
    if (!fused_into_[index]) {
      KernelDesc& kernel = push(KernelKind::add, op.output);
      kernel.in = {input_of(op.inputs[0]), input_of(op.inputs[1]), {}};
      kernel.out = output_of(op.output);
      return;
    }
    value_buffer_[op.output] = value_buffer_[other_term(index)];
    KernelDesc& kernel = emit_product(*producer(*fused_into_[index]), op.output);
    kernel.accumulate = true;
    kernel.out = output_of(op.output);
  }

  void emit_scale(size_t index, const Op& op) {
    if (fused_into_[index]) {
      KernelDesc& kernel = emit_product(*producer(op.inputs[0]), op.output);
      kernel.cap = op.cap;
      kernel.out = output_of(op.output);
      return;
    }
    KernelDesc& kernel = push(KernelKind::scale, op.output);
    kernel.in[0] = input_of(op.inputs[0]);
    kernel.factor = op.factor;
    kernel.cap = op.cap;
    kernel.out = output_of(op.output);
  }

  // Queries and keys are prepared in place: what somebody else reads is copied before. (Nobody does in a model as it
  // is, so a scaling by 1 will do.)
  BufferRef own_copy(size_t index, const Op& op, size_t input) {
    const ValueId value = op.inputs[input];
    if (last_use_[value] == index && std::count(op.inputs.begin(), op.inputs.end(), value) == 1) return input_of(value);
    const uint32_t width = graph_.widths[value];
    const BufferRef in = input_of(value);
    KernelDesc& kernel = push(KernelKind::scale, value);
    kernel.in[0] = in;
    kernel.out = ref(new_buffer(uint64_t{width} * sizeof(float)), width);
    return kernel.out;
  }

  // Layers that see equally far share pages.
  uint32_t state_group(uint32_t window) {
    std::vector<uint32_t>& windows = program_.windows;
    const auto known = std::find(windows.begin(), windows.end(), window);
    if (known == windows.end()) return windows.push_back(window), static_cast<uint32_t>(windows.size() - 1);
    return static_cast<uint32_t>(known - windows.begin());
  }

  void emit_attention(size_t index, const Op& op) {
    const AttentionSpec& spec = op.attention;
    KernelDesc base;
    base.layer = spec.layer;
    base.heads = spec.heads;
    base.kv_heads = spec.kv_heads;
    base.head_dim = spec.head_dim;
    base.window = spec.window;
    base.state_group = state_group(spec.window);
    base.rope = spec.rope;
    base.q_norm = spec.q_norm;
    base.k_norm = spec.k_norm;
    base.epsilon = spec.norm_epsilon;
    base.factor = spec.scale;
    base.cap = spec.softcap;
    base.bidirectional = spec.bidirectional;
    if (spec.rope >= 0) base.rope_table = rope_buffers_[spec.rope];
    base.in = {own_copy(index, op, 0), own_copy(index, op, 1), input_of(op.inputs[2])};
    base.kind = KernelKind::prepare_attention;
    program_.kernels.push_back(base);
    base.kind = KernelKind::attention;
    base.in[1] = base.in[2] = {};
    const Readers readers = this->readers(op.output);
    // Head by head, and a head should have whole groups.
    if (options_.fuse && readers.quantized && !readers.floats && spec.head_dim % kActivationGroup == 0)
      base.quantized_out = new_quantized(op.output);
    else
      base.out = output_of(op.output);
    program_.kernels.push_back(base);
  }

  // --- phases and placement
  static std::vector<uint64_t> reads(const KernelDesc& k) {
    std::vector<uint64_t> r;
    for (const BufferRef& b : {k.in[0], k.in[1], k.in[2], k.quantized_in, k.rope_table})
      if (b.valid()) r.push_back(b.offset);
    if (k.accumulate) r.push_back(k.out.offset);
    return r;
  }
  static std::vector<uint64_t> writes(const KernelDesc& k) {
    std::vector<uint64_t> w;
    for (const BufferRef& b : {k.out, k.quantized_out})
      if (b.valid()) w.push_back(b.offset);
    if (k.kind == KernelKind::prepare_attention) w.insert(w.end(), {k.in[0].offset, k.in[1].offset});
    return w;
  }

  void assign_phases() {
    std::vector<uint64_t> read, written;
    size_t phase = 0;
    const auto touches = [](const std::vector<uint64_t>& set, const std::vector<uint64_t>& of) {
      return std::any_of(of.begin(), of.end(),
                         [&](uint64_t b) { return std::find(set.begin(), set.end(), b) != set.end(); });
    };
    for (size_t i = 0; i < program_.kernels.size(); ++i) {
      KernelDesc& kernel = program_.kernels[i];
      const auto r = reads(kernel), w = writes(kernel);
      // The state that prepare_attention writes is not a buffer: attention always starts a phase.
      const bool dependent =
          kernel.kind == KernelKind::attention || touches(written, r) || touches(written, w) || touches(read, w);
      if (i > 0 && dependent) {
        ++phase;
        read.clear();
        written.clear();
      } else if (i > 0) {
        program_.kernels[i - 1].barrier = false;
      }
      read.insert(read.end(), r.begin(), r.end());
      written.insert(written.end(), w.begin(), w.end());
      for (const auto* set : {&r, &w})
        for (const uint64_t b : *set) touch(b, phase);
    }
  }

  void touch(uint64_t index, size_t phase) {
    if (index == BufferRef::kLogits) return;
    Buffer& buffer = buffers_[index];
    if (!buffer.used) buffer.first_phase = phase;
    buffer.used = true;
    buffer.last_phase = phase;
    program_.phases = static_cast<uint32_t>(phase + 1);
  }

  // From when they are written, nothing else may be where a kept value is.
  void place_kept() {
    for (const ValueId value : options_.keep) {
      const BufferRef buffer = input_of(value);
      if (buffer.offset != BufferRef::kLogits) buffers_[buffer.offset].last_phase = kNever;
      program_.kept.push_back({value, buffer, graph_.output_rows[value]});
    }
  }

  void place_buffers() {
    std::vector<Buffer*> order;
    for (Buffer& buffer : buffers_)
      if (buffer.used) order.push_back(&buffer);
    // Larger ones first; of equals the earlier, all being elements of one vector.
    std::sort(order.begin(), order.end(),
              [](const Buffer* a, const Buffer* b) { return a->bytes != b->bytes ? a->bytes > b->bytes : a < b; });
    std::vector<Buffer*> placed;  // by offset
    for (Buffer* buffer : order) {
      uint64_t offset = 0;
      for (const Buffer* other : placed) {
        const bool overlap = other->first_phase <= buffer->last_phase && buffer->first_phase <= other->last_phase;
        if (!overlap && options_.share) continue;
        if (offset + buffer->bytes <= other->offset) break;
        offset = std::max(offset, other->offset + other->bytes);
      }
      buffer->offset = offset;
      program_.arena_bytes = std::max(program_.arena_bytes, offset + buffer->bytes);
      placed.insert(std::upper_bound(placed.begin(), placed.end(), buffer,
                                     [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; }),
                    buffer);
    }
  }

  void list_passing() {
    for (const auto& [name, value] : graph_.names) {
      const int32_t buffer = value_buffer_[value], writer = writer_[value];
      if (buffer < 0 || writer < 0 || graph_.output_rows[value] || !program_.kernels[writer].out.valid()) continue;
      program_.passing.push_back({value, static_cast<uint32_t>(writer), ref(buffer, graph_.widths[value])});
    }
    std::ranges::sort(program_.passing, {}, &PassingValue::kernel);
  }

  void list_arena() {
    std::vector<int32_t> values(buffers_.size(), -1);
    for (const auto* owners : {&value_buffer_, &quantized_buffer_})
      for (size_t value = owners->size(); value-- > 0;)
        if (const int32_t buffer = (*owners)[value]; buffer >= 0) values[buffer] = static_cast<int32_t>(value);
    for (size_t i = 0; i < buffers_.size(); ++i) {
      const Buffer& buffer = buffers_[i];
      if (!buffer.used) continue;
      const size_t last = std::min<size_t>(buffer.last_phase, program_.phases - 1);
      program_.arena.push_back({buffer.offset, buffer.bytes, static_cast<uint32_t>(buffer.first_phase),
                                static_cast<uint32_t>(last), values[i]});
    }
    std::ranges::sort(program_.arena, {}, &ArenaBuffer::offset);
  }

  void resolve_offsets() {
    const auto resolve = [&](BufferRef& b) {
      if (b.valid() && b.offset != BufferRef::kLogits) b.offset = buffers_[b.offset].offset;
    };
    for (KernelDesc& kernel : program_.kernels) {
      for (BufferRef& b : kernel.in) resolve(b);
      resolve(kernel.out);
      resolve(kernel.quantized_in);
      resolve(kernel.quantized_out);
      resolve(kernel.rope_table);
    }
    for (KeptValue& kept : program_.kept) resolve(kept.buffer);
    for (PassingValue& passing : program_.passing) resolve(passing.buffer);
    program_.max_rows = options_.max_rows;
    program_.max_positions = options_.max_positions;
  }

  bool logits_once() const {
    const auto is_logits = [](uint64_t offset) { return offset == BufferRef::kLogits; };
    for (const KeptValue& kept : program_.kept)
      if (is_logits(kept.buffer.offset)) return false;
    size_t uses = 0, products = 0;
    for (const KernelDesc& kernel : program_.kernels) {
      for (const auto& offsets : {reads(kernel), writes(kernel)})
        uses += static_cast<size_t>(std::count_if(offsets.begin(), offsets.end(), is_logits));
      products += kernel.kind == KernelKind::matmul && kernel.output_rows && is_logits(kernel.out.offset) ? 1 : 0;
    }
    return uses == 1 && products == 1;
  }

  const Graph& graph_;
  const PlanOptions& options_;
  Program program_;
  std::vector<Buffer> buffers_;
  std::vector<BufferRef> rope_buffers_;
  std::vector<int32_t> uses_, producer_, value_buffer_, quantized_buffer_;
  std::vector<int32_t> writer_;      ///< by value: the last kernel of the operation that makes it
  std::vector<size_t> last_use_;     ///< the last operation that reads a value
  std::vector<size_t> overwritten_;  ///< the operation that adds to a value in place
  std::vector<bool> skipped_, in_logits_;
  std::vector<std::optional<ValueId>> fused_into_;
};

}  // namespace

Program compile(const Graph& graph, const PlanOptions& options) {
  return Planner(graph, options).plan();
}

}  // namespace ingle::core
