# Compiler and linker flags of every file that is ours: the interface library tn_flags.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-Og -g")

add_library(tn_flags INTERFACE)
target_include_directories(tn_flags INTERFACE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
target_compile_definitions(tn_flags INTERFACE _GNU_SOURCE TARN_VERSION="${PROJECT_VERSION}"
    $<$<CONFIG:Debug>:TN_DEBUG=1>)
set(warnings -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wvla -Walloca -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual
    -Wnull-dereference -Wimplicit-fallthrough -Wdouble-promotion)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND warnings -Wimplicit-fallthrough=5 -Wduplicated-cond -Wduplicated-branches -Wlogical-op
        -Wno-format-truncation) # messages and names are cut at their limit on purpose
endif()
target_compile_options(tn_flags INTERFACE ${warnings} -fno-common -fvisibility=hidden
    -fno-strict-overflow "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(TARN_WERROR)
    target_compile_options(tn_flags INTERFACE -Werror)
endif()

if(TARN_SANITIZE)
    # gcc 12 takes values for uninitialized under -O1 with sanitizers that it knows to be set without.
    target_compile_options(tn_flags INTERFACE "-fsanitize=${TARN_SANITIZE}" -fno-sanitize-recover=all
        -fno-omit-frame-pointer -Wno-null-dereference $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(tn_flags INTERFACE "-fsanitize=${TARN_SANITIZE}")
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(tn_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong)
endif()
if(TARN_FUZZ)
    # libFuzzer steers by the branches that an input takes: all of the program tells of them, not only the target.
    target_compile_options(tn_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TARN_COVERAGE)
    target_compile_options(tn_flags INTERFACE --coverage -fprofile-abs-path)
    target_link_options(tn_flags INTERFACE --coverage)
endif()

# The static DuckDB makes linking slow with the default linker: 16 s against 1.6 s with mold.
find_program(TARN_MOLD mold)
if(TARN_MOLD)
    check_linker_flag(C "-fuse-ld=mold" TARN_HAS_MOLD)
    if(TARN_HAS_MOLD)
        target_link_options(tn_flags INTERFACE -fuse-ld=mold)
    endif()
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
target_link_options(tn_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections)
