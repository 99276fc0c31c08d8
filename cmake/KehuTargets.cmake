# kehu_library(NAME SOURCES a.cc b.cc [DEPS other…] [LIBS external…])
#   One static library per folder of src/. DEPS are other folders, LIBS are third-party targets, which stay
#   private: a folder that hides a library never shows its headers. One without SOURCES is all headers.
function(kehu_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND kehu_)
  if(NOT ARG_SOURCES)
    add_library(kehu_${name} INTERFACE)
    target_link_libraries(kehu_${name} INTERFACE ${ARG_DEPS})
    return()
  endif()
  add_library(kehu_${name} STATIC ${ARG_SOURCES})
  target_include_directories(kehu_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(kehu_${name} PUBLIC ${ARG_DEPS} absl::status absl::statusor absl::strings absl::span
                                     PRIVATE ${ARG_LIBS})
  kehu_precompile(kehu_${name} headers)
endfunction()

# kehu_tests(NAME [NO_TSAN] [READS_TREE] SOURCES a_test.cc… [DEPS …] [LIBS …])
#   One test program per folder; ctest runs it under the folder's name. NO_TSAN: ThreadSanitizer has nothing to
#   look at (one thread), or cannot run it. READS_TREE: it reads files of the checkout, whose place it is told.
function(kehu_tests name)
  cmake_parse_arguments(ARG "NO_TSAN;READS_TREE" "" "SOURCES;DEPS;LIBS" ${ARGN})
  if(ARG_NO_TSAN AND KEHU_SANITIZE STREQUAL "thread")
    return()
  endif()
  add_executable(${name}_test ${ARG_SOURCES})
  list(TRANSFORM ARG_DEPS PREPEND kehu_)
  target_link_libraries(${name}_test PRIVATE kehu_${name} ${ARG_DEPS} ${ARG_LIBS} GTest::gtest GTest::gmock
                                             GTest::gtest_main)
  kehu_precompile(${name}_test test_headers)
  if(ARG_READS_TREE)
    target_compile_definitions(${name}_test PRIVATE KEHU_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  endif()
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT 900)
endfunction()
