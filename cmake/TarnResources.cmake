# res/** becomes one table inside the program. Touching a resource embeds anew and relinks, nothing else.
function(tn_embed_resources layer dir)
    if(NOT EXISTS "${CMAKE_SOURCE_DIR}/src/base/res.h")
        return()
    endif()
    file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE "${dir}" "${dir}/*")
    list(SORT files)
    list(TRANSFORM files PREPEND "${dir}/" OUTPUT_VARIABLE paths)
    list(JOIN files "\n" listing)
    set(list_file "${CMAKE_BINARY_DIR}/res_files.txt")
    file(CONFIGURE OUTPUT "${list_file}" CONTENT "${listing}\n" @ONLY)

    add_executable(tn_embed "${CMAKE_SOURCE_DIR}/tools/embed.c")
    set(table "${CMAKE_BINARY_DIR}/res_table.c")
    add_custom_command(OUTPUT "${table}" DEPENDS tn_embed "${list_file}" ${paths}
        COMMAND tn_embed "${dir}" "${list_file}" "${table}"
        COMMENT "embedding res/" VERBATIM)
    target_sources(tn_${layer} PRIVATE "${table}")
endfunction()
