"""Which module may include what, and which files must stand beside which."""
import fnmatch
import re
from pathlib import Path

import source_tree as tree

TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")

# What is behind a door, and the files that may open it.
DOORS = [
    ("MPI", r"^mpi\.h$", ["src/comm/*"]),
    ("NCCL", r"^nccl\.h$", ["src/comm/*"]),
    ("HDF5", r"^(hdf5|H5\w+)\.h$", ["src/data/*"]),
    ("zlib and libdeflate", r"^(zlib|libdeflate)\.h$", ["src/data/*"]),
    ("image and XML libraries", r"^(turbojpeg|jpeglib|png|pugixml)\.(h|hpp)$", ["src/data/*"]),
    ("CUDA on the host", r"^(cuda\w*|nvml|nvToolsExt|nvtx3/.*|c10/cuda/.*|ATen/cuda/.*)(\.h)?$",
     ["src/gpu/*", "src/comm/nccl_*", "src/*.cu", "src/*.cuh"]),
    ("Boost", r"^boost/", ["src/config/*"]),
    ("spdlog", r"^(spdlog|fmt)/", ["src/base/*.cpp"]),
    ("OpenSSL", r"^openssl/", ["src/base/*.cpp"]),
    ("JSON", r"^nlohmann/", ["src/*"]),
    ("GoogleTest", r"^(gtest|gmock)/", []),
]
_OPENERS = [(what, re.compile(pattern), allowed) for what, pattern, allowed in DOORS]


def layers(root):
    """Every #include of src/ and include/ stays within the module's row of cmake/layers.txt."""
    table, faults = tree.layers(root), []
    for path in tree.code_files(root, "src", "include"):
        module = tree.module_of(path)
        if module is None:
            continue
        if module not in table:
            faults.append(f"{path}: module {module} has no row in cmake/layers.txt")
            continue
        for include in tree.includes(tree.read(root, path)):
            fault = _edge_fault(root, path, module, include, table)
            if fault:
                faults.append(f"{path}:{include.line}: {fault}")
    return faults


def _edge_fault(root, path, module, include, table):
    torch, uses = table[module]
    if TORCH.match(include.name):
        # gpu hands LibTorch its stream; that one file lies in the loadable CUDA module.
        behind_door = include.name.startswith("c10/cuda/") and module == "gpu"
        if path.suffix in {".cu", ".cuh"}:
            return f"<{include.name}>: a .cu file includes no LibTorch header"
        if torch == "no" and not behind_door:
            return f"<{include.name}>: module {module} is free of LibTorch"
        return None
    if include.quoted:
        other = Path(include.name).parts[0]
        foreign = other in table and other != module and len(Path(include.name).parts) > 1
        return f'"{include.name}": private header of module {other}' if foreign else None
    match = re.match(r"lockstep/(\w+)/(.+)$", include.name)
    if not match or match[1] == module or "all" in uses:
        return None
    other, header = match[1], match[2]
    if other in uses or other == "base" and "options" in uses:
        return None
    if "options" in uses and header in ("options.h", "settings.h"):
        return None
    return f"<{include.name}>: module {module} may not use {other} (cmake/layers.txt)"


def doors(root):
    """Third parties are included behind their door only."""
    faults = []
    for path in tree.code_files(root, "src", "include"):
        for include in tree.includes(tree.read(root, path)):
            for what, pattern, allowed in _OPENERS:
                if pattern.match(include.name) and not include.quoted and not any(
                        fnmatch.fnmatch(str(path), glob) for glob in allowed):
                    where = " ".join(allowed) or "tests/"
                    faults.append(f"{path}:{include.line}: <{include.name}>: {what} only in {where}")
    return faults


def tests(root):
    """src/<module>/x.cpp has tests/unit/<module>/x_test.cpp, or a line in untested.txt."""
    faults, excused = [], {}
    for line in tree.read(root, "tests/lint/untested.txt").splitlines():
        if line.strip() and not line.startswith("#"):
            glob, _, reason = [cell.strip() for cell in line.partition("|")]
            excused[glob] = False
            if not reason:
                faults.append(f"tests/lint/untested.txt: {glob} has no reason")
    for path in tree.code_files(root, "src"):
        if path.suffix != ".cpp" or tree.module_of(path) is None:
            continue
        test = Path("tests/unit") / tree.module_of(path) / f"{path.stem}_test.cpp"
        if (Path(root) / test).exists():
            continue
        globs = [glob for glob in excused if fnmatch.fnmatch(str(path), glob)]
        for glob in globs:
            excused[glob] = True
        if not globs:
            faults.append(f"{path}: no {test}, and no reason in tests/lint/untested.txt")
    faults += [f"tests/lint/untested.txt: {glob} excuses no file without a test"
               for glob, used in excused.items() if not used]
    return faults
