# Finds LibTorch, as a C++ distribution or inside a Python wheel, without its own CMake package
# (which drags the CUDA language and Python in). Looks at LibTorch_ROOT, Torch_DIR,
# CMAKE_PREFIX_PATH, .deps/ of this tree and the `torch` of python3, in this order.
# Defines: LibTorch::cpu (libtorch_cpu, libc10), LibTorch::cuda (libtorch_cuda, libc10_cuda; only
# when there), LibTorch_VERSION, LibTorch_LIBRARY_DIR, LibTorch_SITE (the folder beside a wheel's
# nvidia/ packages). Refuses the old C++ ABI.
set(_torch_hints "")
if(Torch_DIR)
  get_filename_component(_root "${Torch_DIR}/../../.." ABSOLUTE)
  list(APPEND _torch_hints "${_root}")
endif()
foreach(_prefix ${CMAKE_PREFIX_PATH} $ENV{CMAKE_PREFIX_PATH})
  list(APPEND _torch_hints "${_prefix}" "${_prefix}/torch")
endforeach()
list(APPEND _torch_hints "${CMAKE_CURRENT_LIST_DIR}/../.deps/torch/torch")
find_program(LibTorch_PYTHON python3)
mark_as_advanced(LibTorch_PYTHON)
if(LibTorch_PYTHON)
  execute_process(
    COMMAND "${LibTorch_PYTHON}" -c
            "import importlib.util as u, os; s = u.find_spec('torch'); print(os.path.dirname(s.origin) if s and s.origin else '')"
    OUTPUT_VARIABLE _site_torch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(_site_torch)
    list(APPEND _torch_hints "${_site_torch}")
  endif()
endif()

find_path(LibTorch_INCLUDE_DIR ATen/ATen.h HINTS ${_torch_hints} PATH_SUFFIXES include)
find_library(LibTorch_CPU_LIBRARY torch_cpu HINTS ${_torch_hints} PATH_SUFFIXES lib)
find_library(LibTorch_C10_LIBRARY c10 HINTS ${_torch_hints} PATH_SUFFIXES lib)
find_library(LibTorch_CUDA_LIBRARY torch_cuda HINTS ${_torch_hints} PATH_SUFFIXES lib)
find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda HINTS ${_torch_hints} PATH_SUFFIXES lib)
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY
                 LibTorch_CUDA_LIBRARY LibTorch_C10_CUDA_LIBRARY)

if(LibTorch_INCLUDE_DIR)
  foreach(_header headeronly/version.h csrc/api/include/torch/version.h)
    set(_version_header "${LibTorch_INCLUDE_DIR}/torch/${_header}")
    if(NOT LibTorch_VERSION AND EXISTS "${_version_header}")
      file(STRINGS "${_version_header}" _lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3"
                           _found "${_lines}")
      if(_found MATCHES "^[0-9.]+$")
        set(LibTorch_VERSION "${_found}")
      endif()
    endif()
  endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "run launch/setup, or set Torch_DIR or CMAKE_PREFIX_PATH")

if(LibTorch_FOUND)
  file(STRINGS "${LibTorch_C10_LIBRARY}" _cxx11 REGEX "__cxx1112basic_string" LIMIT_COUNT 1)
  if(NOT _cxx11)
    message(FATAL_ERROR "LibTorch in ${LibTorch_CPU_LIBRARY} has the old C++ ABI; "
                        "lockstep needs one built with _GLIBCXX_USE_CXX11_ABI=1 (2.7 or newer)")
  endif()
  get_filename_component(LibTorch_LIBRARY_DIR "${LibTorch_CPU_LIBRARY}" DIRECTORY)
  get_filename_component(LibTorch_SITE "${LibTorch_LIBRARY_DIR}/../.." ABSOLUTE)
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
