#include "core/synth/synth.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <iterator>

#include "core/synth/vocabulary.h"
#include "core/synth/weights.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

namespace {

constexpr uint64_t kPieceBytes = uint64_t{2} << 20;
constexpr uint32_t kMaxLayers = 1024;  // what the loader accepts
/// Streams of vectors and matrices differ in their first number: a tensor's index is far below.
constexpr uint64_t kVectors = uint64_t{1} << 32;

Error refuse(const std::string& what, uint64_t value, uint64_t least, uint64_t most) {
  return {ErrorCode::invalid_argument, "a model of " + std::to_string(value) + " " + what + " cannot be made; " +
                                           std::to_string(least) + " to " + std::to_string(most) + " are possible"};
}

class SyntheticWriter {
 public:
  SyntheticWriter(const SyntheticModel& model, const SynthProgress& progress, GgufWriter writer)
      : model_(model), progress_(progress), writer_(std::move(writer)), tensors_(tensors_of(model.shape)) {
    for (const GgufTensor& tensor : writer_.tensors()) total_ += tensor.bytes();
  }

  Result<uint64_t> write() {
    for (size_t i = 0; i < tensors_.size(); ++i)
      INGLE_CHECK(tensors_[i].dims.size() == 1 ? write_vector(i) : write_matrix(i));
    INGLE_CHECK(writer_.commit());
    return writer_.file_bytes();
  }

 private:
  Status write_matrix(size_t index) {
    const WeightPool& pool = pool_for(*writer_.tensors()[index].format, tensors_[index].columns());
    const uint64_t row_bytes = pool.row_bytes(), rows = tensors_[index].rows();
    const uint64_t rows_at_once = std::max<uint64_t>(kPieceBytes / row_bytes, 1);
    for (uint64_t row = 0; row < rows; row += rows_at_once) {
      const uint64_t count = std::min(rows_at_once, rows - row);
      buffer_.resize(count * row_bytes);
      for (uint64_t i = 0; i < count; ++i)
        pool.draw_row(random_stream(model_.seed, index, row + i), std::span(buffer_).subspan(i * row_bytes, row_bytes));
      INGLE_CHECK(put(index, row * row_bytes, buffer_));
    }
    return {};
  }

  Status write_vector(size_t index) {
    assert(writer_.tensors()[index].format->name == "F32");
    std::vector<float> values;
    if (tensors_[index].role == TensorRole::rope_divisors) {
      values = llama3_divisors(model_.shape);
    } else {
      const double mean = tensors_[index].role == TensorRole::norm ? 1.0 : 0.0;
      Random random = random_stream(model_.seed, index, kVectors);
      for (uint64_t i = 0; i < tensors_[index].columns(); ++i)
        values.push_back(static_cast<float>(mean + 0.1 * near_normal(random)));
    }
    return put(index, 0, std::as_bytes(std::span(values)));
  }

  Status put(size_t index, uint64_t offset, std::span<const std::byte> bytes) {
    INGLE_CHECK(writer_.write(index, offset, bytes));
    written_ += bytes.size();
    if (progress_ && !progress_(written_, total_)) return Error{ErrorCode::cancelled, "cancelled; no file was written"};
    return {};
  }

  /// A mix and a shape have few kinds of matrices, so all pools stay: below 1 MiB each.
  const WeightPool& pool_for(const QuantFormat& format, uint64_t columns) {
    const auto found =
        std::find_if(pools_.begin(), pools_.end(), [&](const auto& pool) { return pool.serves(format, columns); });
    return found != pools_.end() ? *found : pools_.emplace_back(format, columns, model_.seed);
  }

  const SyntheticModel& model_;
  const SynthProgress& progress_;
  GgufWriter writer_;
  std::vector<ShapeTensor> tensors_;
  std::deque<WeightPool> pools_;
  std::vector<std::byte> buffer_;
  uint64_t written_ = 0, total_ = 0;
};

}  // namespace

Result<GgufDescription> describe_synthetic(const SyntheticModel& model) {
  const Shape& shape = model.shape;
  if (shape.layers < 1 || shape.layers > kMaxLayers) return refuse("layers", shape.layers, 1, kMaxLayers);
  if (shape.vocabulary < kMinVocabulary || shape.vocabulary > kMaxVocabulary)
    return refuse("tokens", shape.vocabulary, kMinVocabulary, kMaxVocabulary);
  GgufDescription out;
  const std::string title = "Synthetic " + std::string(shape.name) + " (random weights)";
  out.metadata = {{"general.architecture", std::string(shape.architecture)},
                  {"general.type", std::string("model")},
                  {"general.name", title},
                  {"general.description", std::string("Made by ingle synth to measure speed and memory: the shape of a "
                                                      "well-known model, random numbers for weights.")},
                  {"general.file_type", model.mix.file_type},
                  {"general.quantization_version", uint32_t{2}}};
  std::ranges::move(metadata_of(shape), std::back_inserter(out.metadata));
  std::ranges::move(synthetic_vocabulary(shape.vocabulary), std::back_inserter(out.metadata));
  for (ShapeTensor& tensor : tensors_of(shape)) {
    const QuantFormat& format = format_of(model.mix, shape, tensor);
    out.tensors.push_back({std::move(tensor.name), &format, std::move(tensor.dims)});
  }
  return out;
}

Result<uint64_t> write_synthetic(const std::filesystem::path& path, const SyntheticModel& model,
                                 const SynthProgress& progress) {
  INGLE_TRY(GgufDescription description, describe_synthetic(model));
  INGLE_TRY(GgufWriter writer, GgufWriter::create(path, std::move(description)));
  return SyntheticWriter(model, progress, std::move(writer)).write();
}

}  // namespace ingle::core
