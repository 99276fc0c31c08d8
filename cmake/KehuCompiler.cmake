set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(KEHU_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(KEHU_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wconversion
                    -Wno-sign-conversion -Werror)
# x86-64-v2 plus AES and CLMUL: every server since 2010. Wider kernels are chosen at run time.
add_compile_options(-march=x86-64-v2 -maes -mpclmul -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside its own inlined std::string code (GCC bugs 105329, 105651).
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds
                      -Wno-maybe-uninitialized)
endif()
# The place of the checkout is in no message and in no debug information: the binary is the same wherever it is built.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(KEHU_SANITIZE)
  add_compile_options(-fsanitize=${KEHU_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KEHU_SANITIZE})
endif()

if(KEHU_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(KEHU_CCACHE ccache)
if(KEHU_CCACHE)
  # Checkouts in different places share what was compiled. The sloppiness lets precompiled headers in; depending on the
  # files that the compiler names saves a run of the preprocessor, which would read a precompiled header of before.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${KEHU_CCACHE})
endif()
find_program(KEHU_MOLD mold)
if(KEHU_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
