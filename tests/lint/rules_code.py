"""How long code may be, and what it may not do."""
import fnmatch
import re

import source_tree as tree

LONGEST_FUNCTION = 60
LONGEST_FILE = 600
LONGEST_README = 200
MEASURED = {".cpp", ".h", ".cu", ".cuh", ".py", ".sh", ".cmake", ".sbatch"}
# Where a process may end itself: the programs, and World::abort of the two worlds.
MAY_EXIT = ["src/apps/*", "src/comm/solo_world.cpp", "src/comm/mpi_world.cpp"]
_EXIT = re.compile(r"(?<![\w.>:])(?:(?:std)?::)?((?:_exit|exit|_Exit|quick_exit)\s*\(|abort\s*\(\s*\))")
_CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b")


def sizes(root):
    """No function over 60 lines, no file over 600, README within 200."""
    faults = []
    for path in tree.files(root):
        text = tree.read(root, path) if path.suffix in MEASURED or path.parts[0] == "launch" else ""
        num_lines = text.count("\n")
        if num_lines > LONGEST_FILE:
            faults.append(f"{path}: {num_lines} lines, at most {LONGEST_FILE}")
    for path in tree.code_files(root, "src", "include", "tests"):
        for function in tree.functions(tree.read(root, path)):
            if function.num_lines > LONGEST_FUNCTION:
                faults.append(f"{path}:{function.first_line}: {function.name} has "
                              f"{function.num_lines} lines, at most {LONGEST_FUNCTION}")
    readme = tree.read(root, "README.md").count("\n") if (root / "README.md").exists() else 0
    if readme > LONGEST_README:
        faults.append(f"README.md: {readme} lines, at most {LONGEST_README}")
    return faults


def exits(root):
    """exit and abort only in the programs and in the file that is there for it."""
    faults = []
    for path in tree.code_files(root, "src", "include"):
        if any(fnmatch.fnmatch(str(path), glob) for glob in MAY_EXIT):
            continue
        for number, line in enumerate(tree.without_text(tree.read(root, path)).splitlines(), 1):
            match = _EXIT.search(line)
            if match and not re.search(r"\bvoid\s+$", line[:match.start()]):
                faults.append(f"{path}:{number}: {match[0]}…): only in {' '.join(MAY_EXIT)}")
    return faults


def conditionals(root):
    """No #if inside a function body: twin files instead."""
    faults = []
    for path in tree.code_files(root, "src", "include", "tests"):
        text = tree.read(root, path)
        lines = text.splitlines()
        for function in tree.functions(text):
            for number in range(function.first_line, function.last_line + 1):
                if number <= len(lines) and _CONDITIONAL.match(lines[number - 1]):
                    faults.append(f"{path}:{number}: {lines[number - 1].strip()} inside {function.name}")
    return faults
