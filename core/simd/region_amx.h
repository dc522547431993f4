// Opens the target region of AMX with bf16 tiles, AVX-512 VNNI and BF16; region_end.h closes it.
#if defined(__clang__)
#pragma clang attribute push(                                                                                          \
    __attribute__((target(                                                                                             \
        "amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx512vbmi,avx2,fma,f16c,bmi2"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target( \
    "amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx512vbmi,avx2,fma,f16c,bmi2")
#endif
