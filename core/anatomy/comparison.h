// How far the weights of a model are from those of another file of the same model: what a quantisation lost, tensor by
// tensor. The two may be in different containers and formats: weights are paired by the operation that reads them, and
// rows that converters reorder (RoPE's pairs) are put side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "core/anatomy/statistics.h"
#include "core/files/model_file.h"

namespace ingle::core {

/// Of a tensor, or of the parts of it that the other file keeps apart. Numbers that are not finite are left out and
/// counted.
struct TensorError {
  std::string tensor, reference;  ///< their names
  std::string_view format, reference_format;
  uint64_t elements = 0, not_finite = 0;
  double squared_error = 0, squared_reference = 0;  ///< sums
  double max_error = 0;
  double cosine = 0;  ///< of the angle between the two; 1 where both are zero

  /// The squared error as a share of the reference's square; infinite where only the reference is zero.
  double nmse() const;
};

struct Comparison {
  std::vector<TensorError> pairs;     ///< in the graph's order
  std::vector<std::string> unpaired;  ///< tensors of either that the other has no counterpart of
  double nmse() const;                ///< of all
};

/// Called for each pair as it is known, with how much of all is done then; false: stop.
using ComparisonSink = std::function<bool(const TensorError& pair, double done)>;

/// Models of an architecture that is not supported are paired by names and shapes. Errors: invalid_argument (they are
/// not of one model: architecture or sizes differ), cancelled.
base::Result<Comparison> compare_models(const ModelFile& model, const ModelFile& reference, const ComparisonSink& sink,
                                        const AnatomyProgress& progress = {});

base::Json to_json(const TensorError& pair);

}  // namespace ingle::core
