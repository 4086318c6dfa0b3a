# dambench_room(name DEPENDS …): every source of the room becomes one static library dambench::name, includes from the root.
add_library(dambench_flags INTERFACE)
# Sums of real weights must round the same way on every machine: no silent fused multiply-add.
set(flags -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers -Wno-restrict -ffp-contract=off)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  list(APPEND flags -Wno-maybe-uninitialized) # GCC 12 then takes std::regex and boost::optional for uninitialized
endif()
if(DAMBENCH_WERROR)
  list(APPEND flags -Werror)
endif()
target_compile_options(dambench_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${flags}>") # nvcc has others

function(dambench_room name)
  cmake_parse_arguments(room "" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(dambench_${name} STATIC ${sources})
  add_library(dambench::${name} ALIAS dambench_${name})
  set_target_properties(dambench_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(dambench_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                     $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/dambench>)
  target_compile_features(dambench_${name} PUBLIC cxx_std_20)
  target_link_libraries(dambench_${name} PUBLIC ${room_DEPENDS} PRIVATE $<BUILD_INTERFACE:dambench_flags>)
endfunction()
