// What routes of embeddings share: texts read as tokens, the wait for their vectors, and how these are written.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/inference/model_service.h"
#include "server/api/reader.h"
#include "server/api/route.h"

namespace ingle::server {

/// Texts of one request.
inline constexpr size_t kMostInputs = 2048;
inline constexpr int64_t kMostDimensions = 65536;

using Texts = std::vector<core::EmbeddingText>;

/// Whether the model makes embeddings; else the error that says so. One that scores pairs does not.
std::optional<ApiError> check_embeds(const assistant::ModelService& model);

/// A string or several; where `ids`, also token ids or several lists of them, which are taken as they are.
Texts read_input(Reader& reader, std::string_view name, assistant::ModelService& model, bool ids);

/// The error of a text that is longer than the model's context, with both numbers.
std::optional<ApiError> check_lengths(const assistant::ModelService& model, const Texts& texts, std::string_view param);

/// Cuts texts to the model's context, before their last token, which ends them. Returns how many were longer.
size_t cut_to_context(const assistant::ModelService& model, Texts& texts);

/// `dimensions`: how many of a vector's values are wanted; else all.
size_t read_dimensions(Reader& reader, const assistant::ModelService& model);

/// The first `count` values, as a vector of length 1 again (models trained for that keep most of their meaning there;
/// Kusupati et al. 2022, arXiv 2205.13147).
std::vector<float> first_values(std::span<const float> vector, size_t count);

/// As numbers with as many digits as tell 32-bit floats apart.
base::Json numbers_json(std::span<const float> values);
/// Little-endian 32-bit floats in base64 (RFC 4648).
std::string base64(std::span<const float> values);

/// Answers the call with what `whole` makes of the texts' vectors, once they are there.
void embed(const Call& call, assistant::ModelService& model, Texts texts,
           std::function<base::Json(const core::EmbeddingResult&)> whole);

/// What a reply says of how it was computed.
base::Json embedding_timings(const assistant::ModelService& model, const core::EmbeddingStats& stats);

}  // namespace ingle::server
