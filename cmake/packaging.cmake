# Installation and packages: the program as a Debian package (cpack -G DEB), the library as a CMake package
# (find_package(hapmeter)).
set(library_targets hap_page hap_options)
foreach(stage base recording resolve attribute measure ledger compare store report)
  if(TARGET hap_${stage})
    list(APPEND library_targets hap_${stage})
  endif()
endforeach()

# hapmeter::hapmeter is all of the public API: what include/hap declares.
add_library(hapmeter INTERFACE)
foreach(target ${library_targets})
  if(NOT target STREQUAL hap_options)
    target_link_libraries(hapmeter INTERFACE ${target})
  endif()
endforeach()
target_compile_features(hapmeter INTERFACE cxx_std_20)

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hapmeter)
install(TARGETS hapmeter ${library_targets} EXPORT hapmeterTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/hapmeter COMPONENT dev)
install(EXPORT hapmeterTargets NAMESPACE hapmeter:: DESTINATION ${package_dir} COMPONENT dev)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/hap DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/hapmeterConfig.cmake.in
  ${PROJECT_BINARY_DIR}/hapmeterConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hapmeterConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hapmeterConfig.cmake ${PROJECT_BINARY_DIR}/hapmeterConfigVersion.cmake
        ${PROJECT_SOURCE_DIR}/cmake/dependencies.cmake DESTINATION ${package_dir} COMPONENT dev)

# What runs beside hap: the lab machine's first process, the emulator's plugin, the kernel-side programs.
foreach(companion hap-agent hap-emulator)
  if(TARGET ${companion})
    install(TARGETS ${companion} RUNTIME DESTINATION libexec/hapmeter COMPONENT program
            LIBRARY DESTINATION libexec/hapmeter COMPONENT program)
  endif()
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/hapmeter COMPONENT program)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/hapmeter COMPONENT program)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libhapmeter-dev COMPONENT dev)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hapmeter)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR hapmeter)
set(CPACK_PACKAGE_CONTACT "The hapmeter authors <hapmeter@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME hapmeter)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libhapmeter-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "measures the attack profile of isolation technologies
 How much code do containers, gVisor and virtual machines expose to the workload they isolate? hap measures the
 code that runs on a tenant's behalf in the host kernel and the hypervisor, exactly and without privileges in an
 emulated machine or live on a host, and compares.")
set(CPACK_COMPONENT_DEV_DESCRIPTION "measures the attack profile of isolation technologies - library
 Headers and static libraries: read recordings, compute attack profiles, compare them.")
# What building and running the lab needs, as scripts/packages-run.txt lists it.
file(STRINGS ${PROJECT_SOURCE_DIR}/scripts/packages-run.txt run_lines REGEX "^[a-z]")
set(run_packages "")
foreach(line ${run_lines})
  string(REGEX MATCH "^[a-z0-9.+-]+" name "${line}")
  if(name STREQUAL "qemu-system-x86")
    # Debian 12 has QEMU 10 in backports only; live recording and reports need none.
    list(APPEND run_packages "qemu-system-x86 (>= 1:10)")
  else()
    list(APPEND run_packages "${name}")
  endif()
endforeach()
list(JOIN run_packages ", " CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS)
# What the installed CMake package looks for (cmake/dependencies.cmake).
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "pkg-config, libfmt-dev, libsqlite3-dev, libssl-dev, nlohmann-json3-dev, libroaring-dev, libdw-dev, libelf-dev, libcapstone-dev, libseccomp-dev, libarchive-dev, libbpf-dev, zlib1g-dev, libzstd-dev, libtomlplusplus-dev, libcli11-dev")
set(CPACK_COMPONENTS_ALL program dev)
include(CPack)
cpack_add_component_group(program)
cpack_add_component_group(dev)
cpack_add_component(program GROUP program)
cpack_add_component(dev GROUP dev)
