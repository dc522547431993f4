# Compiler options that every target shares, carried by the interface target ingle_options.
add_library(ingle_options INTERFACE)
target_include_directories(ingle_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(ingle_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                               -Wnon-virtual-dtor -Woverloaded-virtual -fno-math-errno
                                               -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Designated initialisers leave the other fields to their defaults: that is what they are for.
  target_compile_options(ingle_options INTERFACE -Wthread-safety -Wno-missing-designated-field-initializers)
else()
  # gcc 12 at -O3 sees overlaps and uninitialised values in its own std::string: known false alarms.
  target_compile_options(ingle_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-missing-field-initializers -Wno-psabi)
endif()
if(INGLE_WERROR)
  target_compile_options(ingle_options INTERFACE -Werror)
endif()
if(INGLE_SANITIZE)
  target_compile_options(ingle_options INTERFACE -fsanitize=${INGLE_SANITIZE} -fno-omit-frame-pointer
                                                 -fno-sanitize-recover=all)
  target_link_options(ingle_options INTERFACE -fsanitize=${INGLE_SANITIZE})
  if(INGLE_SANITIZE MATCHES "undefined")
    # A sixth of what a file takes to compile, half with kernels; AddressSanitizer sees where a wrong pointer is used.
    target_compile_options(ingle_options INTERFACE -fno-sanitize=null,object-size,pointer-overflow)
  endif()
endif()
if(INGLE_COVERAGE)
  target_compile_options(ingle_options INTERFACE --coverage)
  target_link_options(ingle_options INTERFACE --coverage)
endif()

# Names below the source folder are hashed as relative ones, so that one clone finds what another has compiled.
find_program(INGLE_CCACHE ccache)
if(INGLE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${INGLE_CCACHE})
endif()
