# lockstep_test(name SOURCES ... LINK ... LABELS unit [TORCH] [NP 1 2 4] [TIMEOUT s])
# A googletest program. Without NP: one ctest case. With NP: one case a rank count under mpirun,
# linked with tests/support (a main that opens the world and agrees on every verdict).
# Exit 77 is a visible skip.
find_package(GTest REQUIRED)
find_program(LOCKSTEP_MPIRUN mpirun)
set(LOCKSTEP_MPI_ENV
    "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_mpi_yield_when_idle=1;OMPI_MCA_hwloc_base_binding_policy=none;OMP_NUM_THREADS=1"
)
set(LOCKSTEP_PYTHON_HINT "${PROJECT_SOURCE_DIR}/.deps/oracle/bin/python3")

function(lockstep_test name)
  cmake_parse_arguments(ARG "TORCH" "TIMEOUT" "SOURCES;LINK;LABELS;NP" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(ARG_TORCH)
    lockstep_program(${name} SOURCES ${ARG_SOURCES} LINK ${ARG_LINK} GTest::gmock TORCH)
  else()
    lockstep_program(${name} SOURCES ${ARG_SOURCES} LINK ${ARG_LINK} GTest::gmock)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(NOT ARG_NP)
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name})
    _lockstep_test_properties(${name} 1)
    return()
  endif()
  target_link_libraries(${name} PRIVATE lockstep_test_main)
  foreach(np ${ARG_NP})
    add_test(NAME ${name}_np${np} COMMAND ${LOCKSTEP_MPIRUN} -np ${np} $<TARGET_FILE:${name}>)
    _lockstep_test_properties(${name}_np${np} ${np})
  endforeach()
endfunction()

# lockstep_script_test(name COMMAND ... LABELS cli [NP n] [TIMEOUT s] [ENVIRONMENT A=B])
function(lockstep_script_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;NP" "COMMAND;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_NP)
    set(ARG_NP 1)
  endif()
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  _lockstep_test_properties(${name} ${ARG_NP})
endfunction()

macro(_lockstep_test_properties test processors)
  set_tests_properties(
    ${test}
    PROPERTIES LABELS "${ARG_LABELS}"
               TIMEOUT ${ARG_TIMEOUT}
               PROCESSORS ${processors}
               SKIP_RETURN_CODE 77
               ENVIRONMENT
               "${LOCKSTEP_MPI_ENV};LOCKSTEP_BIN=${PROJECT_BINARY_DIR}/bin;LOCKSTEP_SOURCE=${PROJECT_SOURCE_DIR};LOCKSTEP_BUILD=${PROJECT_BINARY_DIR};${ARG_ENVIRONMENT}"
  )
endmacro()
