// The scale searches that the encoders share. A group of values x is approximated by levels times a scale (plus an
// offset), with the least sum of squared errors that these searches find:
//   1. candidate scales put the extreme value on levels around the outermost one;
//   2. for each, x is rounded to levels, and the best scale for these levels has a closed form (least squares);
//   3. in the 256-element formats the scales of all groups are themselves rounded to a few bits of a common factor: the
//      neighbours of each rounded scale are tried, then the common factor is fitted again.
// All in double, so that no finite float overflows or vanishes on the way. Errors are those after rounding to what the
// block stores.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ingle::core {

/// The integers lo..hi, or the values of a sorted table of 16 (lo = 0, hi = 15).
struct Levels {
  int32_t lo = 0, hi = 0;
  const int8_t* table = nullptr;
};

/// The nearest binary16, saturating at the largest finite one.
double round_scale(double scale);

/// For each x the index (linear: level - lo) of the level nearest to (x - offset) / scale; a zero scale gives the level
/// nearest to zero.
void nearest_levels(std::span<const float> x, double scale, double offset, const Levels& levels, uint8_t* indices);

/// A scale for x = scale * level, not yet rounded. Levels of a range longer below zero put the extreme value there, so
/// the scale's sign is free.
double fit_scale(std::span<const float> x, const Levels& levels);

/// x = scale * q + offset with q in 0..max_q; scale >= 0. With offset_at_most_zero, offset <= 0.
struct Affine {
  double scale = 0, offset = 0;
};
Affine fit_affine(std::span<const float> x, int32_t max_q, bool offset_at_most_zero);

/// x = d * scales[g] * level over groups of equal size, scales integers in scale_lo..scale_hi; d is a binary16.
struct GroupScales {
  double d = 0;
  std::array<int32_t, 16> scales{};
};
GroupScales fit_group_scales(std::span<const float> x, size_t groups, const Levels& levels, int32_t scale_lo,
                             int32_t scale_hi);

/// x = d * scales[g] * q - dmin * mins[g] with q in 0..max_q, scales and mins in 0..max_scale; d, dmin binary16.
struct GroupAffines {
  double d = 0, dmin = 0;
  std::array<uint8_t, 16> scales{}, mins{};
};
GroupAffines fit_group_affines(std::span<const float> x, size_t groups, int32_t max_q, int32_t max_scale);

}  // namespace ingle::core
