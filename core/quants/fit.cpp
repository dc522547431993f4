// Scale searches by least squares; fit.h tells the idea.
#include "core/quants/fit.h"

#include <algorithm>
#include <cmath>

#include "core/quants/half.h"

namespace ingle::core {
namespace {

constexpr double kLargestHalf = 65504;
constexpr int kRefinements = 3;  // alternations of rounding and least squares; more find next to nothing

/// The nearest integer, ties to even: adding 1.5 * 2^52 leaves no room for a fraction. |value| < 2^51.
double nearest_integer(double value) {
  return (value + 0x1.8p52) - 0x1.8p52;
}

/// `value` in [lo, hi]; a NaN gives lo.
double bounded(double value, double lo, double hi) {
  return value > lo ? (value < hi ? value : hi) : lo;
}

/// Rounds to levels: the index and the value of the level nearest to t.
class Rounder {
 public:
  explicit Rounder(const Levels& levels) : levels_(levels), lo_(levels.lo), hi_(levels.hi) {
    if (levels.table != nullptr) {
      for (int32_t i = levels.lo; i < levels.hi; ++i) {
        between_[static_cast<size_t>(i)] = 0.5 * (levels.table[i] + levels.table[i + 1]);
      }
    }
  }

  int32_t index(double t) const {
    if (levels_.table == nullptr) return static_cast<int32_t>(nearest_integer(bounded(t, lo_, hi_))) - levels_.lo;
    size_t index = t > between_[7] ? 8 : 0;  // bisection of 16 values
    index += t > between_[index + 3] ? 4 : 0;
    index += t > between_[index + 1] ? 2 : 0;
    index += t > between_[index] ? 1 : 0;
    return static_cast<int32_t>(index);
  }

  double value(double t) const {
    return levels_.table == nullptr ? nearest_integer(bounded(t, lo_, hi_)) : levels_.table[index(t)];
  }

  /// Level `index` counted from the lowest.
  double level(int32_t index) const { return levels_.table == nullptr ? lo_ + index : levels_.table[index]; }
  int32_t count() const { return levels_.hi - levels_.lo + 1; }

 private:
  Levels levels_;
  double lo_, hi_;
  std::array<double, 16> between_{};
};

double inverse(double scale) {
  return scale == 0 ? 0 : 1 / scale;
}

float extreme_of(std::span<const float> x) {
  float extreme = 0;
  for (const float v : x) {
    if (std::fabs(v) > std::fabs(extreme)) extreme = v;
  }
  return extreme;
}

/// Sums over a group for x = scale * level.
struct ScaleSums {
  double xl = 0, ll = 0;
  /// The least-squares scale, and by how much it lowers the squared error from that of all zeros.
  double scale() const { return ll > 0 ? xl / ll : 0; }
  double gain() const { return ll > 0 ? xl * xl / ll : 0; }
};

ScaleSums scale_sums(std::span<const float> x, double inverse_scale, const Rounder& rounder) {
  ScaleSums sums;
  for (const float v : x) {
    const double level = rounder.value(v * inverse_scale);
    sums.xl += v * level;
    sums.ll += level * level;
  }
  return sums;
}

/// Squared error of x = scale * level with levels rounded for this scale.
double scale_error(std::span<const float> x, double scale, const Rounder& rounder) {
  const double inverse_scale = inverse(scale);
  double error = 0;
  for (const float v : x) {
    const double difference = v - scale * rounder.value(v * inverse_scale);
    error += difference * difference;
  }
  return error;
}

/// Sums over a group for x = scale * q + offset.
struct AffineSums {
  double x = 0, q = 0, xq = 0, qq = 0, n = 0;
};

AffineSums affine_sums(std::span<const float> x, double inverse_scale, double offset, double max_q) {
  AffineSums sums;
  sums.n = static_cast<double>(x.size());
  for (const float v : x) {
    const double q = nearest_integer(bounded((v - offset) * inverse_scale, 0, max_q));
    sums.x += v;
    sums.q += q;
    sums.xq += v * q;
    sums.qq += q * q;
  }
  return sums;
}

Affine solve(const AffineSums& sums, bool offset_at_most_zero) {
  const double determinant = sums.n * sums.qq - sums.q * sums.q;
  Affine fit;
  if (determinant > 0) fit.scale = (sums.n * sums.xq - sums.x * sums.q) / determinant;
  fit.offset = (sums.x - fit.scale * sums.q) / sums.n;
  if (offset_at_most_zero && fit.offset > 0) fit = {.scale = sums.qq > 0 ? sums.xq / sums.qq : 0, .offset = 0};
  if (fit.scale < 0) fit.scale = 0;
  return fit;
}

double affine_error(std::span<const float> x, const Affine& fit, double max_q) {
  const double inverse_scale = inverse(fit.scale);
  double error = 0;
  for (const float v : x) {
    const double q = nearest_integer(bounded((v - fit.offset) * inverse_scale, 0, max_q));
    const double difference = v - fit.offset - fit.scale * q;
    error += difference * difference;
  }
  return error;
}

/// Group g of `groups`.
std::span<const float> group_of(std::span<const float> x, size_t groups, size_t g) {
  return x.subspan(g * (x.size() / groups), x.size() / groups);
}

}  // namespace

double round_scale(double scale) {
  return f16_to_f32(f32_to_f16(static_cast<float>(std::clamp(scale, -kLargestHalf, kLargestHalf))));
}

void nearest_levels(std::span<const float> x, double scale, double offset, const Levels& levels, uint8_t* indices) {
  const Rounder rounder(levels);
  const double inverse_scale = inverse(scale);
  for (size_t i = 0; i < x.size(); ++i) {
    indices[i] = static_cast<uint8_t>(rounder.index((x[i] - offset) * inverse_scale));
  }
}

double fit_scale(std::span<const float> x, const Levels& levels) {
  const double extreme = extreme_of(x);
  if (extreme == 0) return 0;
  const Rounder rounder(levels);
  const double lowest = rounder.level(0), highest = rounder.level(rounder.count() - 1);
  ScaleSums best;
  const auto consider = [&](double level) {
    const ScaleSums sums = scale_sums(x, level / extreme, rounder);
    if (sums.gain() > best.gain()) best = sums;
  };
  const double outermost = -lowest >= highest ? lowest : highest;
  for (int step = -12; step <= 12; ++step) consider(outermost * (1 + 0.025 * step));
  // Values that have been on levels before are found again exactly if one of these levels is the extreme one's.
  for (int32_t i = 0; i < 2; ++i) {
    consider(rounder.level(i));
    consider(rounder.level(rounder.count() - 1 - i));
  }
  for (int i = 0; i < kRefinements; ++i) {
    const ScaleSums sums = scale_sums(x, inverse(best.scale()), rounder);
    if (!(sums.gain() > best.gain())) break;
    best = sums;
  }
  return best.scale();
}

Affine fit_affine(std::span<const float> x, int32_t max_q, bool offset_at_most_zero) {
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  double low = *least;
  const double high = *most;
  if (offset_at_most_zero) low = std::min(low, 0.0);
  if (!(high > low)) return {.scale = 0, .offset = low};
  Affine best{.scale = (high - low) / max_q, .offset = low};
  double best_error = affine_error(x, best, max_q);
  const auto consider = [&](Affine fit) {
    for (int i = 0; i < kRefinements; ++i) {
      fit = solve(affine_sums(x, inverse(fit.scale), fit.offset, max_q), offset_at_most_zero);
      const double error = affine_error(x, fit, max_q);
      if (!(error < best_error)) return;
      best = fit;
      best_error = error;
    }
  };
  for (int step = -4; step <= 12; ++step) {  // from a range wider than the values' to one that clips both ends
    const double scale = (high - low) / max_q * (1 - 0.03 * step);
    const double offset = offset_at_most_zero && low == 0 ? 0 : low + ((high - low) - scale * max_q) / 2;
    consider({.scale = scale, .offset = offset_at_most_zero ? std::min(offset, 0.0) : offset});
  }
  if (!offset_at_most_zero && max_q > 1) {  // values on levels already, of which the lowest or the highest is unused
    const double scale = (high - low) / (max_q - 1);
    consider({.scale = scale, .offset = low});
    consider({.scale = scale, .offset = low - scale});
  }
  return best;
}

namespace {

/// For each group the integer scale, among the neighbours of the ideal one, with the least error. Returns their sum.
double choose_scales(std::span<const float> x, size_t groups, const Rounder& rounder, int32_t scale_lo,
                     int32_t scale_hi, const std::array<double, 16>& ideal, GroupScales& fit) {
  double total = 0;
  for (size_t g = 0; g < groups; ++g) {
    const auto middle = static_cast<int32_t>(nearest_integer(bounded(ideal[g] * inverse(fit.d), scale_lo, scale_hi)));
    double best = -1;
    for (int32_t scale = std::max(middle - 1, scale_lo); scale <= std::min(middle + 1, scale_hi); ++scale) {
      const double error = scale_error(group_of(x, groups, g), fit.d * scale, rounder);
      if (best < 0 || error < best) {
        best = error;
        fit.scales[g] = scale;
      }
    }
    total += best;
  }
  return total;
}

/// The best common factor for the levels that the present one rounds to.
double refit_factor(std::span<const float> x, size_t groups, const Rounder& rounder, const GroupScales& fit) {
  double xl = 0, ll = 0;
  for (size_t g = 0; g < groups; ++g) {
    const ScaleSums sums = scale_sums(group_of(x, groups, g), inverse(fit.d * fit.scales[g]), rounder);
    xl += fit.scales[g] * sums.xl;
    ll += fit.scales[g] * sums.ll * fit.scales[g];
  }
  return ll > 0 ? round_scale(xl / ll) : fit.d;
}

/// As choose_scales, for pairs of a scale and a min.
double choose_affines(std::span<const float> x, size_t groups, int32_t max_q, int32_t max_scale,
                      const std::array<Affine, 16>& ideal, GroupAffines& fit) {
  double total = 0;
  const auto nearest = [max_scale](double value, double unit) {
    return static_cast<int32_t>(nearest_integer(bounded(value * inverse(unit), 0, max_scale)));
  };
  for (size_t g = 0; g < groups; ++g) {
    const int32_t scale_at = nearest(ideal[g].scale, fit.d);
    const int32_t min_at = nearest(-ideal[g].offset, fit.dmin);
    double best = -1;
    for (int32_t min = std::max(min_at - 1, 0); min <= std::min(min_at + 1, max_scale); ++min) {
      for (int32_t scale = std::max(scale_at - 1, 0); scale <= std::min(scale_at + 1, max_scale); ++scale) {
        const double error =
            affine_error(group_of(x, groups, g), {.scale = fit.d * scale, .offset = -fit.dmin * min}, max_q);
        if (best < 0 || error < best) {
          best = error;
          fit.scales[g] = static_cast<uint8_t>(scale);
          fit.mins[g] = static_cast<uint8_t>(min);
        }
      }
    }
    total += best;
  }
  return total;
}

/// The best d and dmin together for the q that the present ones round to: x = d * (scale q) - dmin * min.
void refit_factors(std::span<const float> x, size_t groups, int32_t max_q, GroupAffines& fit) {
  double aa = 0, ab = 0, bb = 0, xa = 0, xb = 0;
  for (size_t g = 0; g < groups; ++g) {
    const double scale = fit.scales[g], min = fit.mins[g];
    const AffineSums sums = affine_sums(group_of(x, groups, g), inverse(fit.d * scale), -fit.dmin * min, max_q);
    aa += scale * sums.qq * scale;
    ab += scale * sums.q * min;
    bb += sums.n * min * min;
    xa += scale * sums.xq;
    xb += min * sums.x;
  }
  const double determinant = aa * bb - ab * ab;
  if (determinant > 0) {
    fit.d = round_scale((xa * bb - xb * ab) / determinant);
    fit.dmin = round_scale((xa * ab - xb * aa) / determinant);
  } else if (aa > 0) {
    fit.d = round_scale(xa / aa);
  }
}

}  // namespace

GroupScales fit_group_scales(std::span<const float> x, size_t groups, const Levels& levels, int32_t scale_lo,
                             int32_t scale_hi) {
  const Rounder rounder(levels);
  std::array<double, 16> ideal{};
  double extreme = 0;
  for (size_t g = 0; g < groups; ++g) {
    ideal[g] = fit_scale(group_of(x, groups, g), levels);
    if (std::fabs(ideal[g]) > std::fabs(extreme)) extreme = ideal[g];
  }
  GroupScales fit;
  fit.d = round_scale(extreme / scale_lo);
  GroupScales best = fit;
  double best_error = -1;
  for (int i = 0; i < kRefinements; ++i) {
    const double error = choose_scales(x, groups, rounder, scale_lo, scale_hi, ideal, fit);
    if (best_error >= 0 && !(error < best_error)) break;
    best = fit;
    best_error = error;
    fit.d = refit_factor(x, groups, rounder, fit);
  }
  return best;
}

GroupAffines fit_group_affines(std::span<const float> x, size_t groups, int32_t max_q, int32_t max_scale) {
  std::array<Affine, 16> ideal{};
  double most_scale = 0, most_min = 0;
  for (size_t g = 0; g < groups; ++g) {
    ideal[g] = fit_affine(group_of(x, groups, g), max_q, true);
    most_scale = std::max(most_scale, ideal[g].scale);
    most_min = std::max(most_min, -ideal[g].offset);
  }
  GroupAffines fit;
  fit.d = round_scale(most_scale / max_scale);
  fit.dmin = round_scale(most_min / max_scale);
  GroupAffines best = fit;
  double best_error = -1;
  for (int i = 0; i < kRefinements; ++i) {
    const double error = choose_affines(x, groups, max_q, max_scale, ideal, fit);
    if (best_error >= 0 && !(error < best_error)) break;
    best = fit;
    best_error = error;
    refit_factors(x, groups, max_q, fit);
  }
  return best;
}

}  // namespace ingle::core
