// Products of the codes under one scale with activations. Included inside an instruction set's region and an unnamed
// namespace; no include guard on purpose.

/// f.operator()<j>() for j = 0, 1, ... n - 1.
template <int n, typename Function>
INGLE_INLINE inline void unroll(Function f) {
  [&]<int... j>(std::integer_sequence<int, j...>)
      INGLE_INLINE { (f.template operator()<j>(), ...); }(std::make_integer_sequence<int, n>());
}

/// Of `quads` consecutive quads how many are summed in 16 bits before that is added to 32: as many as their codes
/// allow, and 0 where that is no more than one, or where the set has no such sums.
template <typename Short>
constexpr int short_quads(int largest_code, int quads) {
  if constexpr (!std::is_void_v<Short>)
    if (Short::longest(largest_code) > 1) return std::min(quads, Short::longest(largest_code));
  return 0;
}

// Where sums of bytes with P panels start from: -bias times the sum of half `half` of the activations, or of both. The
// unit that multiplies can add that up, but has enough to do where several panels share the start.
template <int halves, int P, typename Sums = I32>
INGLE_INLINE inline Sums byte_start(const ActivationGroup& group, int half, int32_t bias) {
  if (bias == 0) return Sums::sum_from(0);
  if constexpr (P == 1 && requires(Sums sums) { sums.add_sums(group.sums[0], bias); }) {
    const Sums start = Sums::sum_from(0).add_sums(group.sums[half], -bias);
    return halves == 2 ? start : start.add_sums(group.sums[1], -bias);
  } else {
    return Sums::sum_from(-bias * group.template code_sum<halves>(half));
  }
}

// Where sums of 16 bits start from: -bias times the sum of half `half` of the activations, or of both.
template <typename Short, int halves>
INGLE_INLINE inline Short short_start(const ActivationGroup& group, int half, int32_t bias) {
  if constexpr (halves == 2) return Short::sum_from(group.sums[half], -bias);
  return Short::sum_from(group.sums[0], -bias) + Short::sum_from(group.sums[1], -bias);
}

/// dots[p][i] = (the codes under scale `half` of panel p's group - bias) . those of rows[i][at]; quad<j>(p) gives their
/// quad j. Short is I16, and `chain` what short_quads() says.
template <typename Short, int halves, bool is_signed, int chain, int P, int M, typename LoadQuad>
INGLE_INLINE inline void dot_quads(const ActivationGroup* const* rows, size_t at, int half, int32_t bias, LoadQuad quad,
                                   I32 (&dots)[P][M]) {
  constexpr int quads = 8 / halves;
  const int first = half * quads * 4;
  const auto add = [&]<int j>(auto& sums) INGLE_INLINE {
    Quad w[P];
    for (int p = 0; p < P; ++p) w[p] = quad.template operator()<j>(p);
    for (int i = 0; i < M; ++i)
      for (int p = 0; p < P; ++p) {
        const int8_t* a = rows[i][at].q + first + 4 * j;
        if constexpr (is_signed)
          sums[p][i] = sums[p][i].dot_signed(w[p], a);
        else
          sums[p][i] = sums[p][i].dot_unsigned(w[p], a);
      }
  };
  if constexpr (chain == 0) {
    for (int i = 0; i < M; ++i) {
      const I32 start = byte_start<halves, P>(rows[i][at], half, bias);
      for (int p = 0; p < P; ++p) dots[p][i] = start;
    }
    unroll<quads>([&]<int j>() INGLE_INLINE { add.template operator()<j>(dots); });
  } else {
    static_assert(quads % chain == 0 && !is_signed);
    unroll<quads / chain>([&]<int c>() INGLE_INLINE {
      Short sums[P][M];
      for (int i = 0; i < M; ++i) {
        const Short start = c > 0 || bias == 0 ? Short::zero() : short_start<Short, halves>(rows[i][at], half, bias);
        for (int p = 0; p < P; ++p) sums[p][i] = start;
      }
      unroll<chain>([&]<int j>() INGLE_INLINE { add.template operator()<c * chain + j>(sums); });
      for (int i = 0; i < M; ++i)
        for (int p = 0; p < P; ++p) dots[p][i] = c == 0 ? sums[p][i].widen() : dots[p][i] + sums[p][i].widen();
    });
  }
}
