# Cross build for 64-bit Arm; its tests run under qemu-user, whose default processor has dotprod, i8mm, bf16 and SVE.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# Emulated, all shapes of attention take minutes (core/backends/cpu/attention_test.cpp).
set(CMAKE_CXX_FLAGS_INIT -DINGLE_SHAPE_STEP=3)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)
