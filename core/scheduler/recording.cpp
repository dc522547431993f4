#include "core/scheduler/recording.h"

#include <algorithm>

namespace ingle::core {

Recording::Recording(const ObservationOptions& options, uint32_t prompt_tokens, size_t layer_floats)
    : options_(options),
      prompt_tokens_(prompt_tokens),
      layer_floats_(layer_floats),
      places_(layer_floats == 0 ? 0 : options.layer_bytes / (layer_floats * sizeof(float))) {}

float* Recording::next_layers() {
  if (places_ == 0) return nullptr;
  const size_t place = tokens_.size() % places_;
  // Grows with the answer, up to the room that there is.
  if (layers_.size() < (place + 1) * layer_floats_) layers_.resize((place + 1) * layer_floats_);
  return layers_.data() + place * layer_floats_;
}

std::optional<uint32_t> Recording::first_kept() const {
  if (places_ == 0) return std::nullopt;
  return static_cast<uint32_t>(tokens_.size() - std::min(tokens_.size(), places_));
}

base::Result<std::span<const float>> Recording::layers(uint32_t token) const {
  const auto first = first_kept();
  if (!first || token < *first || token >= tokens_.size())
    return base::Error{base::ErrorCode::not_found, "of that token, what went through the layers is not kept"};
  return std::span(layers_).subspan(token % places_ * layer_floats_, layer_floats_);
}

}  // namespace ingle::core
