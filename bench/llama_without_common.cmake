# llama-cpp-python always builds llama.cpp's "common" library, which no one here uses and which takes longer than the
# engine. CMake includes this file after llama.cpp's project() (CMAKE_PROJECT_llama.cpp_INCLUDE; see engines.py).
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)
