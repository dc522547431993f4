// The sixteen values of IQ4_NL and IQ4_XS, denser around zero; from llama.cpp's ggml-common.h (kvalues_iq4nl).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ingle::core {

inline constexpr std::array<int8_t, 16> kCodebook = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                     1,    13,   25,  38,  53,  69,  89,  113};

}  // namespace ingle::core
