// 8-bit activations of 32 values. Included inside an instruction set's region and an unnamed namespace; no include
// guard on purpose.

// d = max|x| / 127; q = x / d to nearest even. A group of zeros, or one so small that 1 / d is infinite, becomes zeros.
inline void quantize_group(F32 a, F32 b, ActivationGroup* out) {
  const float largest = F32::max(a.abs(), b.abs()).reduce_max();
  const float d = largest / 127.0f;
  const F32 inverse = F32::set1(d > 1e-37f ? 127.0f / largest : 0.0f);
  (a * inverse).store_i8(out->q);
  (b * inverse).store_i8(out->q + 16);
  I32::add_up(out->q, out->sums[0]);
  I32::add_up(out->q + 16, out->sums[1]);
  out->d = d;
  out->sum = d * static_cast<float>(out->code_sum<1>(0));
}
