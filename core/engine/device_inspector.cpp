#include "core/engine/device_inspector.h"

#include <array>
#include <cmath>
#include <map>

#include "core/engine/device_sequence.h"
#include "core/engine/trace.h"
#include "core/sampling/distribution.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

/// As many rows give each the same bits as one does.
constexpr size_t kRows = 8;

const PassingValue* find(const Graph& graph, const Program& program, const std::string& name) {
  const ValueId value = graph.find_value(name);
  const auto found = std::ranges::find(program.passing, value, &PassingValue::value);
  return value < 0 || found == program.passing.end() ? nullptr : &*found;
}

LensLayer look(std::string name, std::span<const float> logits, TokenId chosen, uint32_t count) {
  const Distribution distribution(logits);
  LensLayer layer{std::move(name),
                  static_cast<float>(distribution.entropy()),
                  std::exp(distribution.logprob(chosen)),
                  distribution.rank(chosen),
                  {}};
  for (const TokenLogit& token : distribution.best(count))
    layer.likeliest.push_back({token.id, std::exp(distribution.logprob(token.id))});
  return layer;
}

}  // namespace

DeviceInspector::DeviceInspector(const Graph& graph, CpuDevice& device, StatePools& states)
    : graph_(graph), device_(device), states_(states) {
  if (find_taps()) {
    for (const Tap& tap : taps_) row_floats_ += tap.buffer.width;
    rows_.reserve(device.program().max_rows);
  }
}

// The embedding, then of each layer the queries and the residual stream. False: the program does not have them all.
bool DeviceInspector::find_taps() {
  const Program& program = device_.program();
  const PassingValue* embedding = find(graph_, program, "embedding");
  if (embedding == nullptr) return false;
  width_ = embedding->buffer.width;
  taps_.push_back({embedding->kernel, embedding->buffer});
  size_t at = width_;
  for (uint32_t layer = 0; layer < graph_.layers; ++layer) {
    const auto prepare = std::ranges::find_if(program.kernels, [&](const KernelDesc& kernel) {
      return kernel.kind == KernelKind::prepare_attention && kernel.layer == layer;
    });
    const PassingValue* output = find(graph_, program, "blk." + std::to_string(layer) + ".output");
    if (prepare == program.kernels.end() || output == nullptr || output->buffer.width != width_) return false;
    const auto kernel = static_cast<uint32_t>(prepare - program.kernels.begin());
    if (kernel < taps_.back().kernel || output->kernel < kernel) return false;
    taps_.push_back({kernel, prepare->in[0]});
    taps_.push_back({output->kernel, output->buffer});
    const uint32_t query_width = prepare->in[0].width;
    layers_.push_back({at, at + query_width, query_width});
    at += query_width + width_;
  }
  last_ = taps_.back().buffer;
  tail_ = taps_.back().kernel + 1;
  return !layers_.empty();
}

void DeviceInspector::observe_next(std::span<const uint32_t> rows, float* into) {
  if (row_floats_ == 0) return;
  rows_.assign(rows.begin(), rows.end());
  into_ = into;
}

void DeviceInspector::add_taps(RunArgs& args) {
  if (into_ == nullptr) return;
  args.taps = taps_;
  args.tapped_rows = rows_;
  args.tapped = std::exchange(into_, nullptr);
}

base::Status DeviceInspector::check_row(std::span<const float> layers) const {
  if (row_floats_ == 0 || layers.size() != row_floats_)
    return Error{ErrorCode::invalid_argument, "that is not what was observed of a row"};
  return {};
}

base::Result<std::vector<LensLayer>> DeviceInspector::lens(std::span<const float> layers, TokenId chosen,
                                                           uint32_t count) {
  INGLE_CHECK(check_row(layers));
  if (chosen < 0 || static_cast<uint32_t>(chosen) >= graph_.vocabulary_size)
    return Error{ErrorCode::invalid_argument, "token " + std::to_string(chosen) + " is not in the vocabulary"};
  if (device_.weights().streamed_bytes() > 0)
    return Error{ErrorCode::unsupported,
                 "the model does not fit into memory, and its output layer is read from disk in each pass"};
  std::vector<size_t> streams{0};
  for (const Layer& layer : layers_) streams.push_back(layer.output);
  const size_t most = std::min<size_t>(kRows, device_.program().max_rows);
  std::vector<float> rows, logits(most * graph_.vocabulary_size);
  static constexpr std::array<uint32_t, kRows> kNumbers{0, 1, 2, 3, 4, 5, 6, 7};
  static constexpr std::array<int32_t, kRows> kTokens{};
  std::vector<LensLayer> lens;
  for (size_t done = 0; done < streams.size();) {
    const size_t n = std::min(most, streams.size() - done);
    rows.clear();
    for (size_t i = done; i < done + n; ++i) {
      const auto stream = layers.subspan(streams[i], width_);
      rows.insert(rows.end(), stream.begin(), stream.end());
    }
    RunArgs args{.tokens = std::span(kTokens).first(n), .sequences = {}, .output_rows = std::span(kNumbers).first(n)};
    args.logits = logits.data();
    device_.run_from(tail_, last_, rows, args);
    for (size_t i = 0; i < n; ++i, ++done)
      lens.push_back(look(done == 0 ? "embedding" : std::to_string(done - 1),
                          std::span(logits).subspan(i * graph_.vocabulary_size, graph_.vocabulary_size), chosen,
                          count));
  }
  return lens;
}

base::Result<AttentionWeights> DeviceInspector::attention(const Sequence& sequence, std::span<const float> layers,
                                                          uint32_t position, uint32_t layer) {
  INGLE_CHECK(check_row(layers));
  const SequenceState& state = static_cast<const DeviceSequence&>(sequence).state;
  if (layer >= layers_.size() || position >= state.length())
    return Error{ErrorCode::invalid_argument, layer >= layers_.size()
                                                  ? "the model has " + std::to_string(layers_.size()) + " layers"
                                                  : "the sequence does not hold that position"};
  const auto kernel = std::ranges::find_if(device_.program().kernels, [&](const KernelDesc& each) {
    return each.kind == KernelKind::attention && each.layer == layer;
  });
  AttentionWeights found{kernel->heads, first_seen(kernel->window, position), position, {}};
  if (found.first / kPagePositions < state.first_page(kernel->state_group))
    return Error{ErrorCode::not_found, "the layer's window has moved on, and what the query saw is no longer kept"};
  const Layer& of = layers_[layer];
  found.weights = device_.attention().weights(*kernel, {1, position, state.pages()},
                                              layers.subspan(of.query, of.query_width).data(), position);
  return found;
}

std::string DeviceInspector::timeline() const {
  return trace_text(graph_, device_);
}

MemoryMap DeviceInspector::memory_map() const {
  const Program& program = device_.program();
  MemoryMap map;
  map.weight_bytes = device_.weights().bytes();
  map.streamed_bytes = device_.weights().streamed_bytes();
  map.arena_bytes = program.arena_bytes;
  map.phases = program.phases;
  std::map<ValueId, std::string> names;
  for (const auto& [name, value] : graph_.names) names[value] = name;
  for (const ArenaBuffer& buffer : program.arena) {
    const auto name = names.find(buffer.value);
    map.buffers.push_back(
        {name == names.end() ? "" : name->second, buffer.offset, buffer.bytes, buffer.first_phase, buffer.last_phase});
  }
  for (size_t group = 0; group < states_.groups(); ++group) {
    const PagePool& pool = states_.pool(group);
    MemoryMap::Pages pages{states_.options().windows[group], pool.page_bytes(), kPagePositions, {}};
    for (uint32_t page = 0; page < pool.capacity(); ++page) pages.users.push_back(pool.users(page));
    map.states.push_back(std::move(pages));
  }
  return map;
}

}  // namespace ingle::core
