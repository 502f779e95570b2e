# The libraries that tarn stands on: Debian's packages, and DuckDB and yyjson as tools/setup unpacked them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
find_path(roaring_include roaring/roaring.h REQUIRED)
find_library(roaring_library roaring REQUIRED) # Debian's package has no pkg-config file

set(run_setup "run 'make setup' first (it puts the packages of deps.lock into ${TARN_DEPS_DIR})")

# yyjson comes as one source file; our warnings are not for it.
if(NOT EXISTS "${TARN_DEPS_DIR}/yyjson/yyjson.c")
    message(FATAL_ERROR "yyjson is not there: ${run_setup}")
endif()
add_library(tn_yyjson STATIC "${TARN_DEPS_DIR}/yyjson/yyjson.c")
target_include_directories(tn_yyjson SYSTEM PUBLIC "${TARN_DEPS_DIR}/yyjson")
target_compile_options(tn_yyjson PRIVATE -w -O2 -fvisibility=hidden)

# DuckDB: the static set when there is one (a single program that starts in 10 ms), else libduckdb.so.
if(DUCKDB_DIR)
    set(duckdb_home "${DUCKDB_DIR}")
else()
    set(duckdb_home "${TARN_DEPS_DIR}/duckdb")
endif()
find_path(duckdb_include duckdb.h PATHS "${duckdb_home}" "${duckdb_home}/include" NO_DEFAULT_PATH NO_CACHE)
if(NOT duckdb_include)
    message(FATAL_ERROR "no duckdb.h in '${duckdb_home}': ${run_setup}, or give DUCKDB_DIR")
endif()
file(GLOB duckdb_archives "${duckdb_home}/*.a" "${duckdb_home}/lib/*.a")
find_library(duckdb_shared NAMES libduckdb.so PATHS "${duckdb_home}" "${duckdb_home}/lib" NO_DEFAULT_PATH NO_CACHE)
add_library(duckdb INTERFACE)
target_include_directories(duckdb SYSTEM INTERFACE "${duckdb_include}")
list(LENGTH duckdb_archives archives)
# A release zip may hold the shared library and one archive without the parts that this needs: then shared.
if(archives GREATER 5 OR (archives GREATER 0 AND NOT duckdb_shared))
    target_compile_definitions(duckdb INTERFACE DUCKDB_STATIC_BUILD)
    # libc stays dynamic: a fully static program crashes when it loads an extension.
    target_link_libraries(duckdb INTERFACE -Wl,--start-group ${duckdb_archives} -Wl,--end-group
        stdc++ m dl Threads::Threads)
elseif(duckdb_shared)
    target_link_libraries(duckdb INTERFACE "${duckdb_shared}")
    cmake_path(GET duckdb_shared PARENT_PATH duckdb_shared_dir)
    list(APPEND CMAKE_INSTALL_RPATH "${duckdb_shared_dir}")
else()
    message(FATAL_ERROR "neither *.a nor libduckdb.so in '${duckdb_home}': ${run_setup}, or give DUCKDB_DIR")
endif()
