# Programs of the tests. The line `// layers: base text` in a file names the layers that it links; without it, it gets
# all of them (the linker leaves out what is unused).
function(tn_test_program source)
    cmake_path(GET source STEM name)
    set(layers ${TARN_LAYERS})
    file(STRINGS "${source}" law REGEX "^// layers:" LIMIT_COUNT 1)
    if(law)
        string(REGEX REPLACE "^// layers:" "" law "${law}")
        separate_arguments(layers UNIX_COMMAND "${law}")
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    list(TRANSFORM layers PREPEND tn_)
    add_executable(${name} "${source}")
    target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests/unit")
    target_compile_definitions(${name} PRIVATE TN_TESTS_DIR="${CMAKE_SOURCE_DIR}/tests")
    target_link_libraries(${name} PRIVATE tn_flags ${layers} tn_base)
endfunction()

# tests/unit/test_*.c: each file is a CTest case.
file(GLOB unit_tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/test_*.c")
foreach(source IN LISTS unit_tests)
    tn_test_program("${source}")
    cmake_path(GET source STEM name)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120 ENVIRONMENT
        "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=ignore_noninstrumented_modules=1")
endforeach()

# Other folders of tests/: programs that scripted tests drive (print tokens, replay a log, ...).
file(GLOB driven CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/*/*.c")
list(FILTER driven EXCLUDE REGEX "/tests/(unit|fuzz)/")
foreach(source IN LISTS driven)
    tn_test_program("${source}")
endforeach()

# tests/fuzz/fuzz_*.c: with clang real libFuzzer targets when -DTARN_FUZZ=ON, else programs with a small driver of their own that replays
# files and mutates them (make fuzz, tests/fault/test_fuzz.sh).
option(TARN_FUZZ "build the fuzz targets with libFuzzer (clang)" OFF)
file(GLOB fuzzers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c")
list(FILTER fuzzers EXCLUDE REGEX "/fuzz_main\\.c$")
foreach(source IN LISTS fuzzers)
    tn_test_program("${source}")
    cmake_path(GET source STEM name)
    if(TARN_FUZZ AND CMAKE_C_COMPILER_ID MATCHES "Clang")
        target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_main.c")
    endif()
endforeach()
