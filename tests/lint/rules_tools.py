"""Rules that another program judges: the compiler, clang-format, clang-tidy, shellcheck, lockstep."""
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import source_tree as tree

# clang-format's output differs between versions; the tree is formatted with this one.
CLANG_FORMAT_MAJOR = 14


class Skip(Exception):
    """The tool that judges is not here."""


def _tool(name):
    found = shutil.which(name)
    if not found:
        raise Skip(f"{name} is not installed (launch/setup --developer)")
    return found


def _run(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **more)


def formatting(root):
    """C++ and CUDA files are as clang-format leaves them."""
    tool = _tool("clang-format")
    version = re.search(r"version (\d+)", _run([tool, "--version"]).stdout)
    if not version or int(version[1]) != CLANG_FORMAT_MAJOR:
        raise Skip(f"clang-format is not of version {CLANG_FORMAT_MAJOR}")
    paths = [str(path) for path in tree.code_files(root, "src", "include", "tests")]
    if not paths:
        return []
    output = _run([tool, "--dry-run", "-Werror", *paths], cwd=root).stdout
    files = sorted({line.split(":")[0] for line in output.splitlines() if ": error:" in line})
    return [f"{path}: run clang-format -i on it" for path in files]


def shell(root):
    """Every shell script passes shellcheck."""
    tool = _tool("shellcheck")
    scripts = []
    for path in tree.files(root):
        if path.suffix in tree.CODE | {".h5", ".gz"}:
            continue
        first = tree.read(root, path).split("\n", 1)[0]
        if re.match(r"#!.*\b(ba)?sh\b|# shellcheck shell=", first):
            scripts.append(str(path))
    result = _run([tool, "-f", "gcc", *scripts], cwd=root) if scripts else None
    return result.stdout.splitlines() if result and result.returncode else []


def configs(root):
    """Every recipe in configs/ passes `lockstep config check`."""
    program = Path(os.environ.get("LOCKSTEP_BIN", root / "build/release/bin")) / "lockstep"
    if not program.exists():
        raise Skip(f"{program} is not built")
    faults = []
    for path in sorted((root / "configs").glob("*.ini")):
        result = _run([str(program), "config", "check", "--config", str(path)])
        if result.returncode:
            faults.append(f"{path.name}: exit code {result.returncode}: {result.stdout.strip()}")
    return faults


def _needs_torch(root, header, seen=None):
    seen = seen if seen is not None else set()
    if header in seen or not (root / "include" / header).exists():
        return False
    seen.add(header)
    for include in tree.includes(tree.read(root, Path("include") / header)):
        if re.match(r"(torch|ATen|c10)/", include.name) or _needs_torch(root, include.name, seen):
            return True
    return False


def _compile_headers(root, want_torch):
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if not compiler:
        raise Skip("g++ is not installed")
    flags = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c++", "-I",
             str(root / "include")]
    if want_torch:
        torch = os.environ.get("LOCKSTEP_TORCH_INCLUDE", "")
        if not torch:
            raise Skip("LOCKSTEP_TORCH_INCLUDE is not set (CMake sets it)")
        for folder in (torch, f"{torch}/torch/csrc/api/include"):
            flags += ["-isystem", folder]
    headers = [str(path.relative_to("include")) for path in tree.code_files(root, "include")]
    headers = [header for header in headers if _needs_torch(root, header) == want_torch]

    def compile_alone(header):
        source = f"#include <{header}>\n#include <{header}>\n"
        result = subprocess.run([compiler, *flags, "-"], input=source, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        first = next((line for line in result.stdout.splitlines() if "error" in line), "")
        return f"include/{header}: does not compile alone: {first}" if result.returncode else None

    with ThreadPoolExecutor(max_workers=1 if want_torch else 2) as pool:
        return [fault for fault in pool.map(compile_alone, headers) if fault]


def headers(root):
    """Every public header without LibTorch compiles alone."""
    return _compile_headers(root, want_torch=False)


def torch_headers(root):
    """Every public header with LibTorch compiles alone."""
    return _compile_headers(root, want_torch=True)


def _changed_sources(root):
    """Sources that differ from the merge base with main, or with the commit before on main."""
    def git(*arguments):
        result = _run(["git", "-C", str(root), *arguments])
        return result.stdout.strip() if result.returncode == 0 else ""

    head = git("rev-parse", "HEAD")
    if not head:
        raise Skip("not a git checkout")
    base = os.environ.get("LOCKSTEP_TIDY_BASE", "")
    for branch in ("origin/main", "main"):
        base = base or git("merge-base", "HEAD", branch)
    if base in ("", head):
        base = git("rev-parse", "HEAD~1")
    names = git("diff", "--name-only", "--diff-filter=AM", base, "--", "src").splitlines()
    return [name for name in names if name.endswith(".cpp")]


def tidy(root):
    """clang-tidy finds nothing in the sources that changed; LOCKSTEP_TIDY_ALL=1 takes all."""
    tool = _tool("clang-tidy")
    build = Path(os.environ.get("LOCKSTEP_BUILD", root / "build/release"))
    if not (build / "compile_commands.json").exists():
        raise Skip(f"{build}/compile_commands.json is not there")
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    compiled = {entry["file"]: entry["command"] for entry in commands}
    if os.environ.get("LOCKSTEP_TIDY_ALL"):
        names = [str(path) for path in tree.code_files(root, "src")]
    else:
        names = _changed_sources(root)
    database = _without_gcc_headers(compiled, build)
    faults = []
    for name in names:
        if str(root / name) in compiled:
            result = _run([tool, "-p", str(database), "--quiet", str(root / name)])
            faults += [line for line in result.stdout.splitlines() if re.search(r": (warning|error): ", line)]
    return faults


def _without_gcc_headers(compiled, build):
    """Commands that clang understands: without GCC's precompiled headers and the ccache launcher."""
    folder = build / "clang_tidy"
    folder.mkdir(exist_ok=True)
    entries = []
    for file, command in compiled.items():
        if file.endswith(".cpp"):
            command = re.sub(r"-include \S*cmake_pch\S*|-Winvalid-pch", "", command)
            command = re.sub(r"^.*?(?=\S*c\+\+ |\S*g\+\+ )", "", command)
            entries.append({"directory": str(build), "file": file, "command": command})
    (folder / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder
