// What both ways through a page of keys (attention.cpp, attention_tiles.cpp) share. Included inside an instruction
// set's region; no include guard on purpose.

// 4-bit codes to the bytes that 8-bit ones would be: from every plane of 64 bytes, two quads `distance` quads apart.
void expand_codes(const std::byte* planes, size_t count, size_t distance, uint8_t* quads) {
  static constexpr int8_t kCodes[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
  for (size_t i = 0; i < count; ++i) {
    const Quad plane = Quad::load(planes + 64 * i);
    uint8_t* low = quads + 64 * (i / distance * 2 * distance + i % distance);
    plane.shift_right_and<0>(15).lookup(kCodes).store(low);
    plane.shift_right_and<4>(15).lookup(kCodes).store(low + 64 * distance);
  }
}

// A row's result so far, in place of `total`, with one more segment's; both as attend_segment() leaves them.
void merge(size_t dim, const float* part, float* total) {
  const float sum = part[dim], maximum = part[dim + 1];
  if (sum == 0.0f) return;  // it sees nothing of that segment
  float& total_sum = total[dim];
  float& total_maximum = total[dim + 1];
  const float highest = total_sum == 0.0f ? maximum : std::max(maximum, total_maximum);
  const float keep = total_sum == 0.0f ? 0.0f : std::exp2(total_maximum - highest), add = std::exp2(maximum - highest);
  for (size_t i = 0; i < dim; i += 16)
    (F32::load(part + i) * F32::set1(add)).fma(F32::load(total + i), F32::set1(keep)).store(total + i);
  total_sum = sum * add + total_sum * keep;
  total_maximum = highest;
}
