// Random numbers that are the same everywhere: SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom
// number generators"), a counter stepped by an odd constant and mixed. The standard library's distributions are not
// portable, so the uniform mapping is ours.
#pragma once

#include <cstdint>

namespace ingle::core {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

}  // namespace ingle::core
