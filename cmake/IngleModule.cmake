# ingle_module(NAME [USES a b] [LINKS x y] [SOURCES generated.cpp] [EXCLUDE z.cpp])
#   A static library ingle_NAME from the *.cpp of the current folder. x_test.cpp becomes part of the test program
#   NAME_test, x_fuzz.cpp the libFuzzer program x_fuzz, x_bench.cpp part of NAME_bench.
#   USES are other modules, which must stand above this one; LINKS are outside libraries; SOURCES are files from
#   elsewhere; EXCLUDE are files of this folder that are compiled in another way.
#   A fuzzer's seeds lie in tests/data/fuzz/x_fuzz/; every test run replays them, with any compiler.
# ingle_registry(NAME TYPE t HEADER h [NAMESPACE n] FILES f…)
#   Registration by file: every FILE stem.cpp must define `extern const TYPE stem_record`; the generated table
#   `std::span<const TYPE* const> NAME()` lists them, so a forgotten one fails to link. Puts the generated file's name
#   into NAME_source, for ingle_module's SOURCES or target_sources.

# Headers of the standard library for a target's files, or those of the tests too; one target compiles them for all.
# At -O3 gcc 12 warns of them where nothing is wrong.
function(ingle_precompile target header)
  if(NOT INGLE_PRECOMPILE OR INGLE_CCACHE)  # what is precompiled holds paths, so another clone could not find it
    return()
  endif()
  if(NOT TARGET ingle_${header})
    file(WRITE ${CMAKE_BINARY_DIR}/generated/${header}.cpp "")
    add_library(ingle_${header} STATIC ${CMAKE_BINARY_DIR}/generated/${header}.cpp)
    target_link_libraries(ingle_${header} PRIVATE ingle_options nlohmann_json::nlohmann_json)
    if(header MATCHES "test")
      target_link_libraries(ingle_${header} PRIVATE GTest::gtest GTest::gmock)
      target_compile_options(ingle_${header} PRIVATE -O1)
    endif()
    target_precompile_headers(ingle_${header} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/${header}.h)
  endif()
  target_precompile_headers(${target} REUSE_FROM ingle_${header})
endfunction()

function(ingle_source_folder target)
  if(NOT TARGET ingle_source_folder)
    add_library(ingle_source_folder STATIC ${CMAKE_SOURCE_DIR}/cmake/source_folder.cpp)
    target_link_libraries(ingle_source_folder PRIVATE ingle_options)
    target_compile_definitions(ingle_source_folder PRIVATE INGLE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  endif()
  target_link_libraries(${target} PRIVATE ingle_source_folder)
endfunction()

function(ingle_module name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS;SOURCES;EXCLUDE" ${ARGN})
  list(TRANSFORM ARG_USES PREPEND ingle_)
  set(missing "")
  foreach(dependency IN LISTS ARG_USES ARG_LINKS)
    if(NOT TARGET ${dependency})
      list(APPEND missing ${dependency})
    elseif(INGLE_PARTIAL)
      get_target_property(left_out ${dependency} INGLE_LEFT_OUT)
      if(left_out)
        list(APPEND missing ${dependency})
      endif()
    endif()
  endforeach()
  if(missing AND NOT INGLE_PARTIAL)
    message(FATAL_ERROR "Module ${name} may not use ${missing}: nothing of that name stands above it")
  endif()

  file(GLOB all CONFIGURE_DEPENDS *.cpp)
  foreach(file IN LISTS ARG_EXCLUDE)
    list(REMOVE_ITEM all ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  foreach(kind test fuzz bench)
    set(${kind}_files ${all})
    list(FILTER ${kind}_files INCLUDE REGEX "_${kind}\\.cpp$")
  endforeach()
  set(sources ${all} ${ARG_SOURCES})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$")

  if(missing)
    message(STATUS "Leaving out ${name}: no ${missing}")
    add_library(ingle_${name} STATIC EXCLUDE_FROM_ALL ${sources} ${CMAKE_SOURCE_DIR}/base/result.cpp)
    set_target_properties(ingle_${name} PROPERTIES INGLE_LEFT_OUT TRUE)
    return()
  elseif(sources)
    add_library(ingle_${name} STATIC ${sources})
    target_link_libraries(ingle_${name} PUBLIC ingle_options ${ARG_USES} ${ARG_LINKS})
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND name MATCHES "^(server|cli|store|inference|dialects|template|grammar)$")  # elsewhere they cost more than they save
      ingle_precompile(ingle_${name} precompiled)
    endif()
  else()
    add_library(ingle_${name} INTERFACE)
    target_link_libraries(ingle_${name} INTERFACE ingle_options ${ARG_USES} ${ARG_LINKS})
  endif()

  if(INGLE_TESTS AND test_files)
    add_executable(${name}_test ${test_files})
    target_link_libraries(${name}_test PRIVATE ingle_${name} GTest::gtest GTest::gmock GTest::gtest_main)
    ingle_source_folder(${name}_test)
    target_compile_options(${name}_test PRIVATE -O1)  # they are compiled more often than run
    ingle_precompile(${name}_test precompiled_test)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 900)
  endif()
  foreach(fuzzer IN LISTS fuzz_files)
    get_filename_component(target ${fuzzer} NAME_WE)
    set(seeds ${CMAKE_SOURCE_DIR}/tests/data/fuzz/${target})
    if(INGLE_FUZZ)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE ingle_${name})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      set(replay ${target} -runs=0)
    elseif(INGLE_TESTS AND EXISTS ${seeds})
      add_executable(${target}_replay ${fuzzer} ${CMAKE_SOURCE_DIR}/cmake/fuzz_replay.cpp)
      target_link_libraries(${target}_replay PRIVATE ingle_${name})
      set(replay ${target}_replay)
    endif()
    if(INGLE_TESTS AND EXISTS ${seeds})
      add_test(NAME ${target}_seeds COMMAND ${replay} ${seeds})
      set_tests_properties(${target}_seeds PROPERTIES TIMEOUT 300)
    endif()
  endforeach()
  if(INGLE_BENCH AND bench_files)
    add_executable(${name}_bench ${bench_files})
    target_link_libraries(${name}_bench PRIVATE ingle_${name} benchmark::benchmark_main)
  endif()
endfunction()

function(ingle_registry name)
  cmake_parse_arguments(ARG "" "TYPE;HEADER;NAMESPACE" "FILES" ${ARGN})
  if(NOT ARG_NAMESPACE)
    set(ARG_NAMESPACE ingle::core)
  endif()
  set(declarations "")
  set(entries "")
  foreach(file IN LISTS ARG_FILES)
    get_filename_component(stem ${file} NAME_WE)
    string(APPEND declarations "extern const ${ARG_TYPE} ${stem}_record;\n")
    string(APPEND entries "    &${stem}_record,\n")
  endforeach()
  list(LENGTH ARG_FILES count)
  # Written only when its content changes, so that a configure rebuilds nothing.
  set(out ${CMAKE_BINARY_DIR}/generated/registry/${name}.cpp)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT "// Generated by ingle_registry: one record per file of the folder.
#include <array>
#include <span>

#include \"@ARG_HEADER@\"

namespace @ARG_NAMESPACE@ {
@declarations@
std::span<const @ARG_TYPE@* const> @name@() {
  static constexpr std::array<const @ARG_TYPE@*, @count@> records = {
@entries@  };
  return records;
}
}  // namespace @ARG_NAMESPACE@
")
  set(${name}_source ${out} PARENT_SCOPE)
endfunction()
