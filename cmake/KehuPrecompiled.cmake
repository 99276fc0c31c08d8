# What most sources include, compiled once: it takes a third of the time to compile off the average source. One for
# sources, one for tests. A source still includes what it uses: `make fuzz` and `make lint` compile without, and so
# does -DKEHU_PRECOMPILE=OFF.
option(KEHU_PRECOMPILE "Compile the headers that most sources include only once" ON)
if(KEHU_FUZZ)
  set(KEHU_PRECOMPILE OFF)
endif()

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled.cc CONTENT "")
set(std <algorithm> <array> <atomic> <cstdint> <functional> <map> <memory> <mutex> <optional> <string> <string_view>
        <utility> <vector>)
set(absl <absl/container/flat_hash_map.h> <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h>
         <absl/types/span.h>)

function(kehu_precompiled_headers name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LIBS" ${ARGN})
  if(KEHU_PRECOMPILE)
    add_library(${name} STATIC ${CMAKE_BINARY_DIR}/precompiled.cc)
    target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
    target_link_libraries(${name} PRIVATE ${ARG_LIBS})
  endif()
endfunction()

kehu_precompiled_headers(kehu_headers HEADERS ${std} ${absl}
  LIBS absl::flat_hash_map absl::status absl::statusor absl::strings absl::span)
kehu_precompiled_headers(kehu_test_headers HEADERS ${std} ${absl} <gmock/gmock.h> <gtest/gtest.h>
  LIBS absl::flat_hash_map absl::status absl::statusor absl::strings absl::span GTest::gmock GTest::gtest)

# kehu_precompile(TARGET headers|test_headers)
function(kehu_precompile target which)
  if(KEHU_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM kehu_${which})
  endif()
endfunction()
