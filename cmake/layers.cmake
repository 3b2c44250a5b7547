# kruise_layer(name LINK libs...): the library of one folder of cpp/.
# New files are found when CMake runs again (`cmake --preset debug`).
function(kruise_layer name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources ${CMAKE_SOURCE_DIR}/cpp/${name}/*.cpp)
  if(NOT sources)
    set(sources ${CMAKE_SOURCE_DIR}/cmake/empty.cpp)
  endif()
  add_library(kruise_${name} STATIC ${sources})
  add_library(kruise::${name} ALIAS kruise_${name})
  target_include_directories(kruise_${name} PUBLIC ${CMAKE_SOURCE_DIR}/cpp)
  target_link_libraries(kruise_${name} PUBLIC ${ARG_LINK} Threads::Threads PRIVATE kruise_flags)
endfunction()
