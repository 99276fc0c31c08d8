set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(KEHU_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(KEHU_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wconversion
                    -Wno-sign-conversion -Werror)
# x86-64-v2 plus AES and CLMUL: every server since 2010. Wider kernels are chosen at run time.
add_compile_options(-march=x86-64-v2 -maes -mpclmul -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside its own inlined std::string code (GCC bugs 105329, 105651).
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
                      -Wno-maybe-uninitialized)
endif()
if(KEHU_SANITIZE)
  add_compile_options(-fsanitize=${KEHU_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KEHU_SANITIZE})
endif()

if(KEHU_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(KEHU_CCACHE ccache)
if(KEHU_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${KEHU_CCACHE})
endif()
find_program(KEHU_MOLD mold)
if(KEHU_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
