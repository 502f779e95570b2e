# One static library a folder that src/LAYERS names. A layer sees src/ as include root and links the layers that
# src/LAYERS names for it, so a call upward does not link (target `layers` proves it for each folder). The parts of
# a folder, as delta/log, are layers of their own; the folder's own line then joins them.
function(tn_layer folder)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES")
    string(REPLACE "/" "_" name "${folder}")
    list(TRANSFORM arg_USES REPLACE "/" "_")
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${folder}/*.c")
    list(REMOVE_ITEM sources "${CMAKE_SOURCE_DIR}/src/cli/main.c")
    if(NOT sources)
        # A folder may be empty for now, or hold headers and parts; an archive needs one member.
        set(sources "${CMAKE_BINARY_DIR}/empty_${name}.c")
        if(NOT EXISTS "${sources}")
            file(WRITE "${sources}" "typedef int tn_nothing_here;\n")
        endif()
    endif()
    add_library(tn_${name} STATIC ${sources})
    list(TRANSFORM arg_USES PREPEND tn_ OUTPUT_VARIABLE lower)
    target_link_libraries(tn_${name} PRIVATE tn_flags PUBLIC ${lower})
    if(name STREQUAL "base")
        target_link_libraries(tn_base PUBLIC m)
    endif()

    # The proof: the whole layer with its lower layers must leave no symbol open.
    add_library(layer_${name} MODULE EXCLUDE_FROM_ALL "${CMAKE_BINARY_DIR}/layer.c")
    target_link_libraries(layer_${name} PRIVATE tn_flags
        -Wl,--whole-archive $<TARGET_FILE:tn_${name}> -Wl,--no-whole-archive tn_${name} -Wl,--no-undefined -Wl,--no-gc-sections)
    add_dependencies(layers layer_${name})
endfunction()

function(tn_layers_from law)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${law}")
    if(NOT EXISTS "${CMAKE_BINARY_DIR}/layer.c")
        file(WRITE "${CMAKE_BINARY_DIR}/layer.c" "typedef int tn_nothing_here;\n")
    endif()
    add_custom_target(layers)
    file(STRINGS "${law}" lines REGEX "^[a-z/]+:")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "^([a-z/]+):(.*)$" _ "${line}")
        set(name "${CMAKE_MATCH_1}")
        separate_arguments(uses UNIX_COMMAND "${CMAKE_MATCH_2}")
        tn_layer(${name} USES ${uses})
        string(REPLACE "/" "_" name "${name}")
        list(APPEND names ${name})
    endforeach()
    set(TARN_LAYERS ${names} PARENT_SCOPE)
endfunction()

# The outside libraries of one layer. They follow it to every program that links it, their headers do not:
# duckdb.h is seen by src/duck alone.
function(tn_external name)
    target_link_libraries(tn_${name} PRIVATE ${ARGN})
endfunction()
