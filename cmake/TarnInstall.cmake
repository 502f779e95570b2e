# `cmake --install`: the program, the C library with its headers, the bundled DuckDB extensions, the manual page.
include(GNUInstallDirs)
if(TARGET tarn)
    install(TARGETS tarn RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
if(EXISTS "${CMAKE_SOURCE_DIR}/include/tarn")
    install(TARGETS capi LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" OPTIONAL)
    install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/tarn" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h")
    # The prefix is known when it is installed: `cmake --install --prefix` may differ from the configured one.
    install(CODE "
        set(PROJECT_VERSION \"${PROJECT_VERSION}\")
        set(CMAKE_INSTALL_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
        set(CMAKE_INSTALL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
        configure_file(\"${CMAKE_SOURCE_DIR}/cmake/tarn.pc.in\" \"${CMAKE_BINARY_DIR}/tarn.pc\" @ONLY)
        file(INSTALL \"${CMAKE_BINARY_DIR}/tarn.pc\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig\")")
endif()
# The program looks in ../lib/tarn/extensions of its own place, so this folder does not follow LIBDIR.
install(DIRECTORY "${TARN_DEPS_DIR}/extensions" DESTINATION lib/tarn FILES_MATCHING PATTERN "*.duckdb_extension")
if(EXISTS "${CMAKE_SOURCE_DIR}/docs/manual/tarn.1")
    install(FILES "${CMAKE_SOURCE_DIR}/docs/manual/tarn.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
endif()
