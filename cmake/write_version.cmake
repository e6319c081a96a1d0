# Writes version_values.h, only when something in it changed.
set(git_id "unknown")
find_program(git git)
if(git)
  execute_process(COMMAND ${git} -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                  RESULT_VARIABLE rc)
  if(rc EQUAL 0)
    set(git_id "${found}")
  endif()
endif()
set(text "#pragma once
#define LOCKSTEP_VERSION \"${VERSION}\"
#define LOCKSTEP_GIT_ID \"${git_id}\"
#define LOCKSTEP_COMPILER \"${COMPILER}\"
#define LOCKSTEP_BUILD_TYPE \"${BUILD_TYPE}\"
#define LOCKSTEP_LIBTORCH_VERSION \"${TORCH}\"
#define LOCKSTEP_CUDA_VERSION \"${CUDA}\"
#define LOCKSTEP_NCCL_VERSION \"${NCCL}\"
#define LOCKSTEP_MPI_VERSION \"${MPI}\"
#define LOCKSTEP_HDF5_VERSION \"${HDF5}\"
#define LOCKSTEP_BOOST_VERSION \"${BOOST}\"
#define LOCKSTEP_BUILD_ID \"${VERSION}/${git_id}/${COMPILER}/${BUILD_TYPE}/torch-${TORCH}\"
")
set(old "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" old)
endif()
if(NOT old STREQUAL text)
  file(WRITE "${OUTPUT}" "${text}")
endif()
