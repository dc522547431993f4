#include "core/anatomy/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "core/models/model.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;

/// Rows of numbers: a matrix in a file, or a vector that has been decoded, of which each element is a row.
struct Rows {
  const QuantFormat* format = nullptr;  ///< null: `floats`
  const std::byte* data = nullptr;
  const float* floats = nullptr;
  uint64_t rows = 0, columns = 0;

  void read(uint64_t row, float* out) const {
    if (format == nullptr) {
      *out = floats[row];
    } else {
      format->decode(data + format->bytes(row * columns), out, columns / format->block_elements);
    }
  }
};

/// Where a row of a head stands in the other file: some converters put the two halves of RoPE's pairs side by side.
struct RowOrder {
  uint32_t head_dim = 0;  ///< 0: in the same place
  uint32_t pairs = 0;
  bool interleaved = false;  ///< here; there it is the other way

  uint64_t there(uint64_t row) const {
    if (head_dim == 0) return row;
    const uint64_t within = row % head_dim;
    if (within >= 2 * pairs) return row;
    return row - within + (interleaved ? within % 2 * pairs + within / 2 : 2 * (within % pairs) + within / pairs);
  }
};

struct Part {
  Rows model, reference;
  RowOrder order;
};

struct Pair {
  TensorError error;
  std::vector<Part> parts;
};

/// The weights of two graphs that compute the same, side by side.
class Pairing {
 public:
  Pairing(const ModelFile& model, const ModelFile& reference) : model_(model), reference_(reference) {}

  void by_operation(const Graph& model, const Graph& reference) {
    std::map<ValueId, RowOrder> orders;
    for (size_t i = 0; i < model.ops.size(); ++i) {
      if (model.ops[i].kind != OpKind::attention) continue;
      const RowOrder order = order_of(model, model.ops[i].attention, reference, reference.ops[i].attention);
      for (const size_t input : {0, 1}) orders[model.ops[i].inputs[input]] = order;
    }
    for (size_t i = 0; i < model.ops.size(); ++i) {
      const Op &of = model.ops[i], &other = reference.ops[i];
      const auto found = orders.find(of.output);
      const RowOrder order = found == orders.end() ? RowOrder{} : found->second;
      if (of.matrix >= 0 && other.matrix >= 0)
        add_matrix(model.matrices[static_cast<size_t>(of.matrix)],
                   reference.matrices[static_cast<size_t>(other.matrix)], order);
      const auto add = [&](VectorId vector, VectorId other_vector, const RowOrder& in_order) {
        if (vector >= 0 && other_vector >= 0) add_vector(model, vector, reference, other_vector, in_order);
      };
      add(of.vector, other.vector, order);
      add(of.bias, other.bias, order);
      if (of.kind != OpKind::attention) continue;
      const RowOrder heads = orders[of.inputs[0]];
      add(of.attention.q_norm, other.attention.q_norm, heads);
      add(of.attention.k_norm, other.attention.k_norm, heads);
    }
  }

  /// What no operation has paired.
  void by_name() {
    const std::set<std::string> paired = names(&TensorError::tensor), paired_there = names(&TensorError::reference);
    for (const Tensor& tensor : model_.tensors) {
      const Tensor* other = reference_.find_tensor(tensor.name);
      if (other == nullptr || other->dims != tensor.dims || paired.contains(tensor.name) ||
          paired_there.contains(tensor.name))
        continue;
      add_part(tensor.name, other->name, {rows_of(tensor), rows_of(*other), {}});
    }
  }

  std::vector<Pair>& pairs() { return pairs_; }

  std::vector<std::string> unpaired() const {
    std::vector<std::string> left;
    const auto collect = [&](const ModelFile& file, const std::set<std::string>& paired) {
      for (const Tensor& tensor : file.tensors)
        if (!paired.contains(tensor.name) && std::ranges::find(left, tensor.name) == left.end())
          left.push_back(tensor.name);
    };
    collect(model_, names(&TensorError::tensor));
    collect(reference_, names(&TensorError::reference));
    return left;
  }

 private:
  static RowOrder order_of(const Graph& model, const AttentionSpec& spec, const Graph& reference,
                           const AttentionSpec& other) {
    if (spec.rope < 0 || other.rope < 0) return {};
    const RopeSpec& rope = model.ropes[static_cast<size_t>(spec.rope)];
    if (rope.interleaved == reference.ropes[static_cast<size_t>(other.rope)].interleaved) return {};
    return {spec.head_dim, static_cast<uint32_t>(rope.inverse_frequencies.size()), rope.interleaved};
  }

  static Rows rows_of(const Tensor& tensor) {
    return {tensor.format, tensor.data.data(), nullptr, tensor.rows(), tensor.columns()};
  }

  void add_matrix(const MatrixSource& matrix, const MatrixSource& other, const RowOrder& order) {
    const auto rows_of_matrix = [](const MatrixSource& source) {
      return Rows{source.format, source.data, nullptr, source.rows, source.columns};
    };
    add_part(matrix.name, other.name, {rows_of_matrix(matrix), rows_of_matrix(other), order});
  }

  void add_vector(const Graph& model, VectorId vector, const Graph& reference, VectorId other, const RowOrder& order) {
    const auto rows_of_vector = [](const std::vector<float>& values) {
      return Rows{nullptr, nullptr, values.data(), values.size(), 1};
    };
    add_part(model.vector_names[static_cast<size_t>(vector)], reference.vector_names[static_cast<size_t>(other)],
             {rows_of_vector(model.vectors[static_cast<size_t>(vector)]),
              rows_of_vector(reference.vectors[static_cast<size_t>(other)]), order});
  }

  /// A matrix that two operations read (tied embeddings) counts once.
  void add_part(const std::string& name, const std::string& other, const Part& part) {
    const auto [found, is_new] = index_.try_emplace({name, other}, pairs_.size());
    if (is_new) {
      const auto format_in = [](const ModelFile& file, const std::string& tensor) {
        const Tensor* named = file.find_tensor(tensor);
        return named == nullptr ? std::string_view() : named->format->name;
      };
      pairs_.push_back({{.tensor = name,
                         .reference = other,
                         .format = format_in(model_, name),
                         .reference_format = format_in(reference_, other)},
                        {}});
    }
    Pair& pair = pairs_[found->second];
    const bool known = std::ranges::any_of(pair.parts, [&](const Part& each) {
      return each.model.data == part.model.data && each.model.floats == part.model.floats;
    });
    if (known) return;
    pair.error.elements += part.model.rows * part.model.columns;
    pair.parts.push_back(part);
  }

  std::set<std::string> names(std::string TensorError::* which) const {
    std::set<std::string> names;
    for (const Pair& pair : pairs_) names.insert(pair.error.*which);
    return names;
  }

  const ModelFile &model_, &reference_;
  std::vector<Pair> pairs_;
  std::map<std::pair<std::string, std::string>, size_t> index_;
};

/// Sums over pairs of numbers.
struct Sums {
  double error = 0, model = 0, reference = 0, product = 0, max_error = 0;

  void add(double value, double reference_value) {
    const double difference = value - reference_value;
    error += difference * difference;
    model += value * value;
    reference += reference_value * reference_value;
    product += value * reference_value;
    max_error = std::max(max_error, std::abs(difference));
  }
  void add(const Sums& more) {
    error += more.error;
    model += more.model;
    reference += more.reference;
    product += more.product;
    max_error = std::max(max_error, more.max_error);
  }
  bool finite() const { return std::isfinite(error + model + reference); }
};

/// Several sums beside one another, which a compiler can keep in a vector.
Sums sum_rows(std::span<const float> values, std::span<const float> reference) {
  constexpr size_t kLanes = 8;
  Sums lanes[kLanes];
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane].add(double{values[i + lane]}, double{reference[i + lane]});
  for (; i < values.size(); ++i) lanes[0].add(double{values[i]}, double{reference[i]});
  for (size_t lane = 1; lane < kLanes; ++lane) lanes[0].add(lanes[lane]);
  return lanes[0];
}

/// As sum_rows, without what is not finite, which is counted.
Sums sum_finite(std::span<const float> values, std::span<const float> reference, uint64_t& not_finite) {
  Sums sums;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i]) && std::isfinite(reference[i])) {
      sums.add(double{values[i]}, double{reference[i]});
    } else {
      ++not_finite;
    }
  }
  return sums;
}

double nmse_of(double error, double reference) {
  if (error == 0) return 0;
  return reference > 0 ? error / reference : std::numeric_limits<double>::infinity();
}

/// How much of all pairs is done, told now and then.
class Meter {
 public:
  Meter(const std::vector<Pair>& pairs, const AnatomyProgress& progress) : progress_(progress) {
    for (const Pair& pair : pairs) all_ += pair.error.elements;
  }
  double done() const { return static_cast<double>(done_) / static_cast<double>(std::max<uint64_t>(all_, 1)); }
  bool add(uint64_t elements) {
    constexpr uint64_t kStep = uint64_t{1} << 20;
    done_ += elements;
    if (!progress_ || done_ < told_ + kStep) return true;
    told_ = done_;
    return progress_(done());
  }

 private:
  const AnatomyProgress& progress_;
  uint64_t all_ = 0, done_ = 0, told_ = 0;
};

/// False: it was stopped.
bool measure(Pair& pair, Meter& meter) {
  Sums sums;
  std::vector<float> values, reference;
  for (const Part& part : pair.parts) {
    values.resize(part.model.columns);
    reference.resize(part.model.columns);
    for (uint64_t row = 0; row < part.model.rows; ++row) {
      part.model.read(row, values.data());
      part.reference.read(part.order.there(row), reference.data());
      Sums of_row = sum_rows(values, reference);
      if (!of_row.finite()) of_row = sum_finite(values, reference, pair.error.not_finite);
      sums.add(of_row);
      if (!meter.add(values.size())) return false;
    }
  }
  TensorError& error = pair.error;
  error.squared_error = sums.error;
  error.squared_reference = sums.reference;
  error.max_error = sums.max_error;
  const double lengths = std::sqrt(sums.model) * std::sqrt(sums.reference);
  error.cosine = lengths > 0 ? std::clamp(sums.product / lengths, -1.0, 1.0) : (sums.error == 0 ? 1 : 0);
  return true;
}

struct Known {
  const Architecture* architecture = nullptr;
  Graph graph;
};

/// Nothing: its architecture is none that can be run.
std::optional<Known> known(const ModelFile& file) {
  const auto architecture = find_architecture(file);
  if (!architecture) return {};
  const auto config = (*architecture)->configure(file);
  if (!config) return {};
  auto graph = (*architecture)->build(file, *config, {});
  if (!graph) return {};
  return Known{*architecture, std::move(graph).value()};
}

bool compute_alike(const Graph& model, const Graph& reference) {
  if (model.widths != reference.widths || model.ops.size() != reference.ops.size()) return false;
  for (size_t i = 0; i < model.ops.size(); ++i) {
    const Op &of = model.ops[i], &other = reference.ops[i];
    if (of.kind != other.kind || of.attention.head_dim != other.attention.head_dim ||
        of.attention.heads != other.attention.heads || of.attention.kv_heads != other.attention.kv_heads)
      return false;
    if (of.matrix < 0) continue;
    const MatrixSource& matrix = model.matrices[static_cast<size_t>(of.matrix)];
    const MatrixSource& other_matrix = reference.matrices[static_cast<size_t>(other.matrix)];
    if (matrix.rows != other_matrix.rows || matrix.columns != other_matrix.columns) return false;
  }
  return true;
}

}  // namespace

double TensorError::nmse() const {
  return nmse_of(squared_error, squared_reference);
}

double Comparison::nmse() const {
  double error = 0, reference = 0;
  for (const TensorError& pair : pairs) {
    error += pair.squared_error;
    reference += pair.squared_reference;
  }
  return nmse_of(error, reference);
}

base::Result<Comparison> compare_models(const ModelFile& model, const ModelFile& reference, const ComparisonSink& sink,
                                        const AnatomyProgress& progress) {
  const Error unlike{ErrorCode::invalid_argument,
                     "the two files are not of the same model: their architectures or sizes differ"};
  const std::optional<Known> of = known(model), other = known(reference);
  Pairing pairing(model, reference);
  if (of && other) {
    if (of->architecture != other->architecture || !compute_alike(of->graph, other->graph)) return unlike;
    pairing.by_operation(of->graph, other->graph);
  }
  pairing.by_name();
  if (pairing.pairs().empty()) return unlike;
  Comparison comparison{.pairs = {}, .unpaired = pairing.unpaired()};
  Meter meter(pairing.pairs(), progress);
  for (Pair& pair : pairing.pairs()) {
    if (!measure(pair, meter) || (sink && !sink(pair.error, meter.done())))
      return Error{ErrorCode::cancelled, "the comparison was stopped"};
    comparison.pairs.push_back(std::move(pair.error));
  }
  return comparison;
}

base::Json to_json(const TensorError& pair) {
  base::Json json = {{"tensor", pair.tensor},
                     {"reference", pair.reference},
                     {"format", pair.format},
                     {"reference_format", pair.reference_format},
                     {"elements", pair.elements},
                     {"nmse", pair.nmse()},
                     {"rms", std::sqrt(pair.squared_error / static_cast<double>(std::max<uint64_t>(pair.elements, 1)))},
                     {"max_error", pair.max_error},
                     {"cosine", pair.cosine}};
  if (pair.not_finite > 0) json["not_finite"] = pair.not_finite;
  return json;
}

}  // namespace ingle::core
