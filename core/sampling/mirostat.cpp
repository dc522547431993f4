// One step of Mirostat 2.0.
#include "core/sampling/mirostat.h"

#include <algorithm>

#include "core/sampling/portable_math.h"

namespace ingle::core {
namespace {

constexpr double kLog2E = 0x1.71547652b82fep+0;

double surprise_bits(double weight, double total) {
  return (log_positive(total) - log_positive(std::max(weight, 0x1p-1000))) * kLog2E;
}

}  // namespace

size_t Mirostat::draw(Candidates& candidates, double fraction) {
  std::vector<Candidate>& items = candidates.items();
  const double total = candidates.total();
  const Candidate likeliest = *std::min_element(items.begin(), items.end(), better);
  // A surprise of at most mu is a probability of at least 2^-mu. (With eta <= 1, mu never falls below zero.)
  const double least = total * exp_nonpositive(std::min(-mu_ / kLog2E, 0.0));
  std::erase_if(items, [least](const Candidate& item) { return item.weight < least; });
  if (items.empty()) items.push_back(likeliest);
  const size_t drawn = candidates.find_fraction(fraction);
  mu_ -= eta_ * (surprise_bits(items[drawn].weight, candidates.total()) - tau_);
  return drawn;
}

}  // namespace ingle::core
