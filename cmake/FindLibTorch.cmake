# Finds LibTorch, as a C++ distribution or inside a Python wheel, without its own CMake package
# (which drags the CUDA language and Python in). Looks at LibTorch_ROOT, Torch_DIR,
# CMAKE_PREFIX_PATH, .deps/ of this tree and the `torch` of python3, in this order, and takes the
# first that is new enough and of the C++11 ABI.
# Defines: LibTorch::cpu (libtorch_cpu, libc10), LibTorch::cuda (libtorch_cuda, libc10_cuda; only
# when there), LibTorch_VERSION, LibTorch_LIBRARY_DIR, LibTorch_SITE (the folder beside a wheel's
# nvidia/ packages), LibTorch_CUDA_MAJOR (empty for one built for CPUs only).
function(_libtorch_version root out)
  set(${out} "" PARENT_SCOPE)
  foreach(_header headeronly/version.h csrc/api/include/torch/version.h)
    set(_file "${root}/include/torch/${_header}")
    if(EXISTS "${_file}")
      file(STRINGS "${_file}" _lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3"
                           _found "${_lines}")
      if(_found MATCHES "^[0-9.]+$")
        set(${out} "${_found}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

function(_libtorch_has_cxx11_abi root out)
  file(STRINGS "${root}/lib/libc10.so" _cxx11 REGEX "__cxx1112basic_string" LIMIT_COUNT 1)
  if(_cxx11)
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

set(_torch_candidates ${LibTorch_ROOT} $ENV{LibTorch_ROOT})
foreach(_dir ${Torch_DIR} $ENV{Torch_DIR})
  get_filename_component(_dir "${_dir}/../../.." ABSOLUTE)
  list(APPEND _torch_candidates "${_dir}")
endforeach()
string(REPLACE ":" ";" _prefixes "$ENV{CMAKE_PREFIX_PATH}")
foreach(_prefix ${CMAKE_PREFIX_PATH} ${_prefixes})
  list(APPEND _torch_candidates "${_prefix}" "${_prefix}/torch")
endforeach()
list(APPEND _torch_candidates "${CMAKE_CURRENT_LIST_DIR}/../.deps/torch/torch")
find_program(LibTorch_PYTHON python3)
mark_as_advanced(LibTorch_PYTHON)
if(LibTorch_PYTHON)
  execute_process(
    COMMAND "${LibTorch_PYTHON}" -c
            "import importlib.util as u, os; s = u.find_spec('torch'); print(os.path.dirname(s.origin) if s and s.origin else '')"
    OUTPUT_VARIABLE _site_torch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(APPEND _torch_candidates ${_site_torch})
endif()

# The first that is new enough and of the C++11 ABI; what is passed over is said.
set(_torch_root "")
foreach(_candidate ${_torch_candidates})
  if(_torch_root OR NOT EXISTS "${_candidate}/lib/libtorch_cpu.so")
    continue()
  endif()
  _libtorch_version("${_candidate}" _version)
  _libtorch_has_cxx11_abi("${_candidate}" _abi)
  if(_version AND _abi AND NOT _version VERSION_LESS "${LibTorch_FIND_VERSION}")
    set(_torch_root "${_candidate}")
    set(LibTorch_VERSION "${_version}")
  else()
    message(STATUS "LibTorch ${_version} in ${_candidate} not taken: older than "
                   "${LibTorch_FIND_VERSION}, without headers, or of the old C++ ABI")
  endif()
endforeach()

if(_torch_root AND NOT "${LibTorch_CHOSEN_ROOT}" STREQUAL "${_torch_root}")
  # Another LibTorch than at the last configure: what the cache holds belongs to the old one.
  foreach(_name INCLUDE_DIR CPU_LIBRARY C10_LIBRARY CUDA_LIBRARY C10_CUDA_LIBRARY)
    unset(LibTorch_${_name} CACHE)
  endforeach()
  set(LibTorch_CHOSEN_ROOT "${_torch_root}" CACHE INTERNAL "LibTorch of the last configure")
endif()
if(_torch_root)
  find_path(LibTorch_INCLUDE_DIR ATen/ATen.h PATHS "${_torch_root}/include" NO_DEFAULT_PATH)
  find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS "${_torch_root}/lib" NO_DEFAULT_PATH)
  find_library(LibTorch_C10_LIBRARY c10 PATHS "${_torch_root}/lib" NO_DEFAULT_PATH)
  find_library(LibTorch_CUDA_LIBRARY torch_cuda PATHS "${_torch_root}/lib" NO_DEFAULT_PATH)
  find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda PATHS "${_torch_root}/lib" NO_DEFAULT_PATH)
endif()
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY
                 LibTorch_CUDA_LIBRARY LibTorch_C10_CUDA_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "run launch/setup, or set Torch_DIR or CMAKE_PREFIX_PATH")

if(LibTorch_FOUND)
  get_filename_component(LibTorch_LIBRARY_DIR "${LibTorch_CPU_LIBRARY}" DIRECTORY)
  get_filename_component(LibTorch_SITE "${LibTorch_LIBRARY_DIR}/../.." ABSOLUTE)
  set(LibTorch_CUDA_MAJOR "")
  if(LibTorch_C10_CUDA_LIBRARY)
    file(STRINGS "${LibTorch_C10_CUDA_LIBRARY}" _cudart REGEX "libcudart[-.a-z0-9]*\\.so\\.[0-9]+"
         LIMIT_COUNT 1)
    string(REGEX REPLACE ".*libcudart[-.a-z0-9]*\\.so\\.([0-9]+).*" "\\1" LibTorch_CUDA_MAJOR
                         "${_cudart}")
  endif()
  if(NOT TARGET LibTorch::cpu)
    add_library(LibTorch::cpu INTERFACE IMPORTED)
    set_target_properties(
      LibTorch::cpu
      PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
                 "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include"
                 INTERFACE_LINK_LIBRARIES "${LibTorch_CPU_LIBRARY};${LibTorch_C10_LIBRARY}")
    if(LibTorch_CUDA_LIBRARY AND LibTorch_C10_CUDA_LIBRARY)
      add_library(LibTorch::cuda INTERFACE IMPORTED)
      set_target_properties(
        LibTorch::cuda PROPERTIES INTERFACE_LINK_LIBRARIES
                                  "LibTorch::cpu;${LibTorch_CUDA_LIBRARY};${LibTorch_C10_CUDA_LIBRARY}")
    endif()
  endif()
endif()
