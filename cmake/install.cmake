# `cmake --install` puts the programs, the libraries and their headers where find_package(dambench) finds them:
#   find_package(dambench REQUIRED)
#   target_link_libraries(mine PRIVATE dambench::dam)
include(CMakePackageConfigHelpers)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/dambench)
set(rooms core dam ham results analysis)

foreach(room ${rooms})
  install(TARGETS dambench_${room} EXPORT dambench)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dambench FILES_MATCHING PATTERN "*.h")
endforeach()
install(TARGETS dam_program ham_program)
install(EXPORT dambench NAMESPACE dambench:: DESTINATION ${config_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/dambench-config.cmake.in ${PROJECT_BINARY_DIR}/dambench-config.cmake
                              INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/dambench-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/dambench-config.cmake ${PROJECT_BINARY_DIR}/dambench-config-version.cmake
        ${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake DESTINATION ${config_dir})
