// Opens the target region of Armv8.2 with dot products; region_end.h closes it.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod,fullfp16"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod+fp16")
#endif
