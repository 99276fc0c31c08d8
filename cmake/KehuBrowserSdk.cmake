# kehu_embed_browser_sdk(TARGET)
#   Segment's browser SDK, which scripts/setup unpacks into third_party/analytics-next, as a header
#   "api/browser_sdk_files.h" of the target. A checkout without it makes a program without it.
function(kehu_embed_browser_sdk target)
  set(folder ${CMAKE_SOURCE_DIR}/third_party/analytics-next)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.js)
  set(cases "")
  foreach(file IN LISTS files)
    file(READ ${file} text)
    get_filename_component(name ${file} NAME)
    string(APPEND cases "  if (name == \"${name}\") return R\"__file__(${text})__file__\";\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  endforeach()
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
  file(CONFIGURE OUTPUT ${generated}/api/browser_sdk_files.h @ONLY CONTENT "#pragma once

#include <string_view>

// Made by CMake from third_party/analytics-next.
namespace kehu::api {

// Empty when there is no such file.
constexpr std::string_view browser_sdk_file([[maybe_unused]] std::string_view name) {
@cases@  return {};
}

}  // namespace kehu::api
")
  target_include_directories(${target} PRIVATE ${generated})
endfunction()
