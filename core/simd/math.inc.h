// Elementary functions over the vector vocabulary, in single precision. Included inside an instruction set's region; no
// include guard on purpose.

/// e^x, within 2 ulp over the range where the result is normal; saturates to 0 below -87 and to about 3e38 above 88.
/// x = n ln 2 + r, |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 7, ln 2 split in two parts (Cody and Waite).
inline F32 exp(F32 x) {
  x = F32::min(F32::max(x, F32::set1(-87.0f)), F32::set1(88.0f));
  const F32 n = (x * F32::set1(1.44269504089f)).round();
  F32 r = x.fnma(n, F32::set1(0.693359375f));
  r = r.fnma(n, F32::set1(-2.12194440e-4f));
  F32 p = F32::set1(1.0f / 5040);
  p = F32::set1(1.0f / 720).fma(p, r);
  p = F32::set1(1.0f / 120).fma(p, r);
  p = F32::set1(1.0f / 24).fma(p, r);
  p = F32::set1(1.0f / 6).fma(p, r);
  p = F32::set1(0.5f).fma(p, r);
  p = F32::set1(1.0f).fma(p, r);
  p = F32::set1(1.0f).fma(p, r);
  return p * n.exp2i();
}

/// 2^x for x <= 0, within 2 ulp; never less than 2^-126, and 2^0 is exactly 1. x = n + r, |r| <= 1/2; 2^r by the
/// polynomial 1 + ... of degree 5 whose largest relative error over that range is the least, 9.1e-8.
inline F32 exp2(F32 x) {
  x = F32::max(x, F32::set1(-126.0f));
  const F32 n = x.round();
  const F32 r = x - n;
  F32 p = F32::set1(1.326472877e-3f);
  p = F32::set1(9.671513184e-3f).fma(p, r);
  p = F32::set1(5.550733744e-2f).fma(p, r);
  p = F32::set1(2.402224208e-1f).fma(p, r);
  p = F32::set1(6.931469776e-1f).fma(p, r);
  p = F32::set1(1.0f).fma(p, r);
  return p.times_exp2(n);
}

/// x / (1 + e^-x)
inline F32 silu(F32 x) {
  return x / (F32::set1(1.0f) + exp(F32::zero() - x));
}

/// GELU with the tanh approximation: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))); (1 + tanh u) / 2 = 1 / (1 +
/// e^-2u).
inline F32 gelu_tanh(F32 x) {
  const F32 u = (x * x * x * F32::set1(0.044715f) + x) * F32::set1(0.7978845608028654f);
  return x / (F32::set1(1.0f) + exp(u * F32::set1(-2.0f)));
}

/// GELU: x times the normal distribution's integral up to x, which below 0 is P(t) e^(-x^2/2) / 2 with
/// t = 1 / (1 + p |x| / sqrt 2), within 8e-8 (Abramowitz and Stegun 7.1.26), and above 0 what that leaves of 1.
inline F32 gelu(F32 x) {
  const F32 size = F32::max(x, F32::zero() - x);
  const F32 t = F32::set1(1.0f) / F32::set1(1.0f).fma(size, F32::set1(0.3275911f * 0.7071067811865476f));
  F32 p = F32::set1(1.061405429f);
  p = F32::set1(-1.453152027f).fma(p, t);
  p = F32::set1(1.421413741f).fma(p, t);
  p = F32::set1(-0.284496736f).fma(p, t);
  p = F32::set1(0.254829592f).fma(p, t);
  const F32 tail = p * t * exp(x * x * F32::set1(-0.5f)) * F32::set1(0.5f);
  return F32::max(x, F32::zero()).fnma(size, tail);
}

inline F32 activate(Activation kind, F32 x) {
  switch (kind) {
    case Activation::silu:
      return silu(x);
    case Activation::gelu:
      return gelu(x);
    case Activation::gelu_tanh:
      break;
  }
  return gelu_tanh(x);
}

/// 1 - 2 / (1 + e^2x)
inline F32 tanh(F32 x) {
  return F32::set1(1.0f) - F32::set1(2.0f) / (F32::set1(1.0f) + exp(x * F32::set1(2.0f)));
}
