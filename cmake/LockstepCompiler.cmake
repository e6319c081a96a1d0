# Warnings and sanitizers as INTERFACE targets, private to our own targets; ccache when present.
add_library(lockstep_warnings INTERFACE)
target_compile_options(
  lockstep_warnings
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion
            -Woverloaded-virtual -Wnon-virtual-dtor -Winvalid-pch>
            $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${LOCKSTEP_WERROR}>>:-Werror>)

add_library(lockstep_sanitizers INTERFACE)
if(LOCKSTEP_SANITIZE)
  target_compile_options(
    lockstep_sanitizers INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${LOCKSTEP_SANITIZE}
                                  -fno-omit-frame-pointer -fno-sanitize-recover=all>)
  target_link_options(lockstep_sanitizers INTERFACE -fsanitize=${LOCKSTEP_SANITIZE})
endif()

find_program(LOCKSTEP_CCACHE ccache)
mark_as_advanced(LOCKSTEP_CCACHE)
if(LOCKSTEP_CCACHE)
  set(launcher
      ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${LOCKSTEP_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${launcher})
endif()
