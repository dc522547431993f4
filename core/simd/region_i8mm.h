// Opens the target region of Armv8.2 with dot products and 8-bit matrix products; region_end.h closes it.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod,fullfp16,i8mm"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod+fp16+i8mm")
#endif
