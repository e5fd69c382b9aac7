# What every target of the project shares.
add_library(hap_options INTERFACE)
target_compile_options(hap_options INTERFACE -Wall -Wextra -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely inside std::string (GCC bugs 105329, 105562).
  target_compile_options(hap_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized -Wno-restrict>)
endif()
target_compile_definitions(hap_options INTERFACE _FILE_OFFSET_BITS=64)
if(HAP_SANITIZE)
  target_compile_options(hap_options INTERFACE -fsanitize=${HAP_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(hap_options INTERFACE -fsanitize=${HAP_SANITIZE})
endif()

# hap_stage(NAME SOURCES ... USES stage... LIBS external...)
#
# Declares the static library hap_NAME from the sources of src/NAME. It sees the public headers
# (include/), its own folder as "NAME/..." and only the stages named in USES.
function(hap_stage NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBS" ${ARGN})
  add_library(hap_${NAME} STATIC ${ARG_SOURCES})
  target_include_directories(hap_${NAME} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/build/stages/${NAME}>)
  # Each stage's headers are reached as "<stage>/file.h" through a link farm with that stage only:
  # including a stage that is not listed in USES does not compile. All build folders share the farm, so
  # that the compiler cache recognises a file that another of them has compiled.
  set(farm ${PROJECT_SOURCE_DIR}/build/stages/${NAME})
  if(NOT EXISTS ${farm}/${NAME})
    file(MAKE_DIRECTORY ${farm})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${farm}/${NAME} SYMBOLIC)
  endif()
  foreach(use ${ARG_USES})
    target_link_libraries(hap_${NAME} PUBLIC hap_${use})
  endforeach()
  target_link_libraries(hap_${NAME} PUBLIC ${ARG_LIBS} PRIVATE hap_options)
endfunction()
