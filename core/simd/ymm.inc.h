// The vocabulary on sets whose registers have 256 bits: each type is two of them (rows 0-7 and 8-15). Included by a
// set's header inside its region and namespace, after what tells one such set from another:
//   kSignedZero                     what prepare_signed() adds to signed bytes
//   kTileRows                       rows of activations for whose sums there are registers
//   add_unsigned(), add_signed()    acc + the products of 8 rows x 4 bytes
// No include guard on purpose.

struct Pairs {
  __m256i a, b;
};

struct Quad {
  __m256i a, b;
  static Quad load(const void* p) {
    const auto* q = static_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(q), _mm256_loadu_si256(q + 1)};
  }
  void store(void* p) const {
    auto* q = static_cast<__m256i*>(p);
    _mm256_storeu_si256(q, a);
    _mm256_storeu_si256(q + 1, b);
  }
  template <int n>
  Quad shift_right_and(uint8_t mask) const {
    const __m256i m = _mm256_set1_epi8(static_cast<char>(mask));
    return {_mm256_and_si256(n == 0 ? a : _mm256_srli_epi16(a, n), m),
            _mm256_and_si256(n == 0 ? b : _mm256_srli_epi16(b, n), m)};
  }
  template <int n>
  Quad shift_left_and(uint8_t mask) const {
    const __m256i m = _mm256_set1_epi8(static_cast<char>(mask));
    return {_mm256_and_si256(n == 0 ? a : _mm256_slli_epi16(a, n), m),
            _mm256_and_si256(n == 0 ? b : _mm256_slli_epi16(b, n), m)};
  }
  Quad operator|(Quad o) const { return {_mm256_or_si256(a, o.a), _mm256_or_si256(b, o.b)}; }
  Quad lookup(const int8_t* table) const {
    const __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
    return {_mm256_shuffle_epi8(t, a), _mm256_shuffle_epi8(t, b)};
  }
  Quad flip_sign() const {
    const __m256i m = _mm256_set1_epi8(static_cast<char>(0x80));
    return {_mm256_xor_si256(a, m), _mm256_xor_si256(b, m)};
  }
  static constexpr int32_t signed_zero = kSignedZero;
  Quad prepare_signed() const { return kSignedZero == 0 ? *this : flip_sign(); }
  static __m256i pairs_half(__m256i x, bool odd) { return _mm256_srai_epi16(odd ? x : _mm256_slli_epi16(x, 8), 8); }
  template <int odd>
  Pairs pairs() const {
    return {pairs_half(a, odd), pairs_half(b, odd)};
  }
};

struct I32 {
  __m256i a, b;
  static constexpr int tile_rows = kTileRows;  ///< of activations that a panel is multiplied by at once
  static I32 sum_from(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
  static I32 zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  /// Of the 16 bytes at p the sums of columns 0 and 1 of every four, and of columns 2 and 3.
  static void add_up(const int8_t* p, int16_t* sums) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i pairs = _mm_maddubs_epi16(_mm_set1_epi8(1), bytes);
    const __m128i halves = _mm_add_epi16(pairs, _mm_unpackhi_epi64(pairs, pairs));
    const int32_t bits = _mm_cvtsi128_si32(_mm_add_epi16(halves, _mm_shuffle_epi32(halves, 1)));
    std::memcpy(sums, &bits, 4);
  }
  static __m256i broadcast4(const int8_t* p) {
    int32_t bits;
    std::memcpy(&bits, p, 4);
    return _mm256_set1_epi32(bits);
  }
  I32 operator+(I32 o) const { return {_mm256_add_epi32(a, o.a), _mm256_add_epi32(b, o.b)}; }
  I32 dot_unsigned(Quad w, const int8_t* p) const {
    const __m256i x = broadcast4(p);
    return {add_unsigned(a, w.a, x), add_unsigned(b, w.b, x)};
  }
  I32 dot_signed(Quad w, const int8_t* p) const {
    const __m256i x = broadcast4(p);
    return {add_signed(a, w.a, x), add_signed(b, w.b, x)};
  }
  I32 dot_pairs(Pairs w, const int16_t* p) const {
    int32_t bits;
    std::memcpy(&bits, p, 4);
    const __m256i x = _mm256_set1_epi32(bits);
    return {_mm256_add_epi32(a, _mm256_madd_epi16(w.a, x)), _mm256_add_epi32(b, _mm256_madd_epi16(w.b, x))};
  }
};

struct F32 {
  __m256 a, b;
  static constexpr int registers = 8;  ///< that the processor has of these
  static F32 zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static F32 set1(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static F32 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static F32 load_n(const float* p, size_t n) {
    if (n == 16) return load(p);
    float t[16] = {};
    std::memcpy(t, p, n * sizeof(float));
    return load(t);
  }
  void store(float* p) const {
    _mm256_storeu_ps(p, a);
    _mm256_storeu_ps(p + 8, b);
  }
  void store_n(float* p, size_t n) const {
    if (n == 16) return store(p);
    float t[16];
    store(t);
    std::memcpy(p, t, n * sizeof(float));
  }
  static F32 load_f16(const void* p) {
    const auto* q = static_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(q)), _mm256_cvtph_ps(_mm_loadu_si128(q + 1))};
  }
  void store_f16(void* p) const {
    auto* q = static_cast<__m128i*>(p);
    _mm_storeu_si128(q, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    _mm_storeu_si128(q + 1, _mm256_cvtps_ph(b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  static __m256 bf16_half(const __m128i* q) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(q)), 16));
  }
  static F32 load_bf16(const void* p) {
    const auto* q = static_cast<const __m128i*>(p);
    return {bf16_half(q), bf16_half(q + 1)};
  }
  static F32 load_u8(const void* p) {
    const __m128i x = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(x)),
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(x, 8)))};
  }
  static F32 load_i8(const void* p) {
    const __m128i x = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(x)),
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(x, 8)))};
  }
  static F32 from(I32 x) { return convert(x); }
  static F32 convert(I32 x) { return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
  template <int k>
  static F32 from_byte(Quad q) {
    const __m256i m = _mm256_set1_epi32(255);
    return {_mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(q.a, 8 * k), m)),
            _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(q.b, 8 * k), m))};
  }
  F32 operator+(F32 o) const { return {_mm256_add_ps(a, o.a), _mm256_add_ps(b, o.b)}; }
  F32 operator-(F32 o) const { return {_mm256_sub_ps(a, o.a), _mm256_sub_ps(b, o.b)}; }
  F32 operator*(F32 o) const { return {_mm256_mul_ps(a, o.a), _mm256_mul_ps(b, o.b)}; }
  F32 operator/(F32 o) const { return {_mm256_div_ps(a, o.a), _mm256_div_ps(b, o.b)}; }
  F32 fma(F32 x, F32 y) const { return {_mm256_fmadd_ps(x.a, y.a, a), _mm256_fmadd_ps(x.b, y.b, b)}; }
  F32 fnma(F32 x, F32 y) const { return {_mm256_fnmadd_ps(x.a, y.a, a), _mm256_fnmadd_ps(x.b, y.b, b)}; }
  static F32 max(F32 x, F32 y) { return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)}; }
  static F32 min(F32 x, F32 y) { return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)}; }
  F32 abs() const {
    const __m256 m = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
    return {_mm256_and_ps(a, m), _mm256_and_ps(b, m)};
  }
  F32 round() const {
    return {_mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
            _mm256_round_ps(b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  static __m256 exp2i_half(__m256 x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(127)), 23));
  }
  F32 exp2i() const { return {exp2i_half(a), exp2i_half(b)}; }
  F32 times_exp2(F32 n) const { return *this * n.exp2i(); }
  void store_i16_swapped(int16_t* p) const {
    const __m256i x = _mm256_shuffle_epi32(_mm256_cvtps_epi32(a), 0xD8);
    const __m256i y = _mm256_shuffle_epi32(_mm256_cvtps_epi32(b), 0xD8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(_mm256_packs_epi32(x, y), 0xD8));
  }
  void store_i8(int8_t* p) const {
    const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  }
  template <int distance>
  F32 swap() const {
    if constexpr (distance < 4)
      return {_mm256_permute_ps(a, distance == 1 ? 0xB1 : 0x4E), _mm256_permute_ps(b, distance == 1 ? 0xB1 : 0x4E)};
    else if constexpr (distance == 4)
      return {_mm256_permute2f128_ps(a, a, 1), _mm256_permute2f128_ps(b, b, 1)};
    else
      return {b, a};
  }
  float reduce_add() const {
    const __m256 s = _mm256_add_ps(a, b);
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
  }
  float reduce_max() const {
    const __m256 s = _mm256_max_ps(a, b);
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
  }
};
