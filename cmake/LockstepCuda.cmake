# Finds an nvcc of the CUDA version that LibTorch was built with and enables the CUDA language:
# the one the user names (CMAKE_CUDA_COMPILER, CUDACXX), the system's (PATH, CUDA_HOME, CUDA_PATH,
# /usr/local/cuda), else the compiler wheels that launch/setup puts under .deps/cuda.
if(NOT LibTorch_CUDA_MAJOR)
  message(FATAL_ERROR "LibTorch in ${LibTorch_LIBRARY_DIR} is built for CPUs only: "
                      "configure with -DLOCKSTEP_CUDA=OFF, or run launch/setup for one with CUDA")
endif()

function(_lockstep_nvcc_is_of major nvcc out)
  execute_process(COMMAND "${nvcc}" --version OUTPUT_VARIABLE _words ERROR_QUIET)
  if(_words MATCHES "release ${major}\\.")
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

if(NOT CMAKE_CUDA_COMPILER)
  find_program(_on_path nvcc NO_CACHE)
  foreach(_nvcc "$ENV{CUDACXX}" "${_on_path}" "$ENV{CUDA_HOME}/bin/nvcc" "$ENV{CUDA_PATH}/bin/nvcc"
          /usr/local/cuda/bin/nvcc "${PROJECT_SOURCE_DIR}/.deps/cuda/nvidia/cu13/bin/nvcc")
    if(NOT CMAKE_CUDA_COMPILER AND EXISTS "${_nvcc}")
      _lockstep_nvcc_is_of(${LibTorch_CUDA_MAJOR} "${_nvcc}" _fits)
      if(_fits)
        set(CMAKE_CUDA_COMPILER "${_nvcc}")
      endif()
    endif()
  endforeach()
endif()
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "no nvcc of CUDA ${LibTorch_CUDA_MAJOR} found: run launch/setup, set CUDACXX, "
                      "or configure with -DLOCKSTEP_CUDA=OFF")
endif()
set(CMAKE_CUDA_ARCHITECTURES ${LOCKSTEP_CUDA_ARCHITECTURES})
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 17)
# FindCUDAToolkit of CMake 3.25 sets a property of nvToolsExt whether it was found or not, and
# CUDA 13 has none: give it a target to set it on.
if(NOT TARGET CUDA::nvToolsExt)
  add_library(CUDA::nvToolsExt INTERFACE IMPORTED)
endif()
find_package(CUDAToolkit REQUIRED)
