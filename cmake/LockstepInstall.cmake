# Install rules and the package files that find_package(lockstep) reads.
include(CMakePackageConfigHelpers)
get_property(_targets GLOBAL PROPERTY LOCKSTEP_INSTALL_TARGETS)
get_property(_loadable GLOBAL PROPERTY LOCKSTEP_LOADABLE_TARGETS)
install(TARGETS ${_targets} EXPORT lockstepTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(_loadable)
  install(TARGETS ${_loadable} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
foreach(_program lockstep lockstep-trainer)
  if(TARGET ${_program})
    install(TARGETS ${_program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
install(DIRECTORY include/lockstep DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT lockstepTargets NAMESPACE lockstep:: FILE lockstepTargets.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/lockstep)
configure_package_config_file(
  cmake/lockstepConfig.cmake.in ${PROJECT_BINARY_DIR}/lockstepConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/lockstep)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lockstepConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lockstepConfig.cmake
              ${PROJECT_BINARY_DIR}/lockstepConfigVersion.cmake cmake/FindLibTorch.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/lockstep)
