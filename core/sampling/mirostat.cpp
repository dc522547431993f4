// One step of Mirostat 2.0.
#include "core/sampling/mirostat.h"

#include "core/sampling/portable_math.h"

namespace ingle::core {
namespace {

double surprise_bits(double weight, double total) {
  constexpr double kLog2E = 0x1.71547652b82fep+0;
  return weight > 0x1p-1000 ? (log_positive(total) - log_positive(weight)) * kLog2E : 1000;
}

}  // namespace

size_t Mirostat::draw(Candidates& candidates, double fraction) {
  std::vector<Candidate>& items = candidates.items();
  const double total = candidates.total();
  bool first = true;
  bool last_exceeds = false;
  keep_prefix(items, better, [&](const Candidate& item) {
    const bool exceeds = surprise_bits(item.weight, total) > mu_;
    last_exceeds = exceeds && !first;
    first = false;
    return !exceeds;
  });
  if (last_exceeds) items.pop_back();
  const size_t drawn = candidates.find_fraction(fraction);
  mu_ -= eta_ * (surprise_bits(items[drawn].weight, candidates.total()) - tau_);
  return drawn;
}

}  // namespace ingle::core
