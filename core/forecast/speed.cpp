#include "core/forecast/speed.h"

#include <algorithm>

namespace ingle::core {
namespace {

/// What the engine reaches of each limit, and between what shares of the prediction measurements lay.
///
/// From 54 runs of `ingle bench --prompt 512 --gen 32 --limits` of SmolLM2-135M, Gemma 3 270M and Qwen2.5-Coder-0.5B
/// with AMX, AVX-512 VNNI and AVX2, one and two threads, 27 November 2026, on two cores of a Xeon that compilers used
/// as well:
/// - decode: 0.65 to 1.23 of the prediction in nine of ten runs, 0.47 to 1.85 in all, the median 0.95.
/// - prefill: the shares are what the best runs reached, and those on a quiet machine (docs/performance.md: 0.42 to
/// 0.55
///   of what byte products could do). Compilers show in a prefill and not in the limit, so three of four runs lay
///   between 0.35 and 1.3 of the prediction, the median at 0.53, and all of the quiet ones between 0.98 and 1.3.
/// Nothing was measured of Arm, of the portable kernels, or of more than two threads.
struct Calibration {
  double reading = 0.85;
  double byte_products = 0.43, float_products = 0.43, tile_products = 0.2;
  double step_seconds = 2e-6;  ///< for the threads to meet after a kernel
  double decode_least = 0.65, decode_most = 1.25;
  double prefill_least = 0.35, prefill_most = 1.3;
};

constexpr Calibration calibration() {
  return {};
}

SpeedRange range(double seconds, double least, double most) {
  const double expected = 1 / seconds;
  return {expected * least, expected, expected * most};
}

/// How long the products of a prompt's token take; 0: it is not known.
double product_seconds(const TokenWork& work, const MachineLimits& limits) {
  constexpr Calibration shares = calibration();
  const bool tiles = work.tiles && limits.tile_products > 0;
  const double quantized =
      tiles ? limits.tile_products * shares.tile_products : limits.byte_products * shares.byte_products;
  const double floats = limits.float_products * shares.float_products;
  double seconds = 0;
  if (work.prompt_multiply_adds > 0) seconds += quantized > 0 ? work.prompt_multiply_adds / quantized : 0;
  if (work.prompt_float_multiply_adds > 0) seconds += floats > 0 ? work.prompt_float_multiply_adds / floats : 0;
  return seconds;
}

}  // namespace

std::optional<SpeedForecast> forecast_speed(const ModelNeeds& needs, const MachineLimits& limits, uint32_t depth) {
  constexpr Calibration shares = calibration();
  const TokenWork& work = needs.work;
  const double reading = std::max(limits.weight_bytes, limits.large_bytes) * shares.reading;
  const double products = product_seconds(work, limits);
  if (needs.memory.streamed_bytes > 0 || reading <= 0 || products <= 0 || work.batch == 0) return std::nullopt;
  const double meeting = work.steps * shares.step_seconds;
  const double weights = work.weight_bytes / reading;
  const double state = work.state_bytes_per_token * depth / reading;
  // A machine that reads fast and multiplies slowly is held back by its products also for one token.
  const double own_products =
      products * work.decode_multiply_adds / (work.prompt_multiply_adds + work.prompt_float_multiply_adds);
  const double decode = std::max(weights + state, work.tiles ? 0.0 : own_products) + meeting;
  const double prefill = std::max(products, weights / work.batch) + meeting / work.batch;
  return SpeedForecast{.decode = range(decode, shares.decode_least, shares.decode_most),
                       .prefill = range(prefill, shares.prefill_least, shares.prefill_most),
                       .prompt_tokens = static_cast<double>(work.batch),
                       .depth = static_cast<double>(depth)};
}

}  // namespace ingle::core
