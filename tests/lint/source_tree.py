"""The files of a tree and what is code in them. Knows nothing about any rule."""
import os
import re
from dataclasses import dataclass
from pathlib import Path

CODE = {".cpp", ".h", ".cu", ".cuh"}
NOT_OURS = {".git", "build", ".deps", "quickstart", "runs", "data", ".cache", "__pycache__"}


@dataclass(frozen=True)
class Include:
    line: int
    name: str  # as between the brackets or quotes
    quoted: bool


@dataclass(frozen=True)
class Function:
    name: str
    first_line: int
    last_line: int

    @property
    def num_lines(self):
        return self.last_line - self.first_line + 1


def files(root):
    """Every file of the project under root, as paths relative to it, sorted."""
    found = []
    for folder, subfolders, names in os.walk(root):
        relative = Path(folder).relative_to(root)
        at_top = relative == Path(".")
        # src/data is a module; data/ at the top is what a user prepared.
        subfolders[:] = sorted(
            name for name in subfolders
            if not (name in NOT_OURS and (at_top or name == "__pycache__")))
        found += [relative / name for name in names if name != ".git"]
    return sorted(path for path in found if not (Path(root) / path).is_symlink())


def code_files(root, *tops):
    """C++ and CUDA files under the named top folders."""
    return [path for path in files(root) if path.suffix in CODE and path.parts[0] in tops]


def read(root, path):
    return (Path(root) / path).read_text(encoding="utf-8", errors="replace")


def layers(root):
    """The layer table: {module: (torch, [modules it may use])}."""
    table = {}
    for line in read(root, "cmake/layers.txt").splitlines():
        if line[:1].isdigit():
            _, module, torch, uses = [cell.strip() for cell in line.split("|")]
            table[module] = (torch, uses.split())
    return table


def module_of(path):
    """The module a file of src/ or include/lockstep/ belongs to, or None."""
    parts = Path(path).parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("include", "lockstep") and len(parts) > 3:
        return parts[2]
    return None


def includes(text):
    found = []
    pattern = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')
    for number, line in enumerate(text.splitlines(), 1):
        match = pattern.match(line)
        if match:
            found.append(Include(number, match[1] or match[2], match[2] is not None))
    return found


_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'',
    re.S)


def without_text(text):
    """The same text with comments and the insides of literals blanked; lines keep their numbers."""
    return _TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def without_directives(code):
    """Blanks preprocessor directives with their continuation lines."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m[0]), code,
                  flags=re.M)


_SCOPE = re.compile(r"^(template\s*<.*>\s*)?(inline\s+)?(typedef\s+)?"
                    r"(namespace|class|struct|union|enum)\b", re.S)
_ACCESS = re.compile(r"^\s*(public|private|protected)\s*:(?!:)")
_ATTRIBUTE = re.compile(r"^\s*(\[\[[^\]]*\]\]|alignas\s*\([^)]*\))")


def _statement(header):
    previous = None
    while previous != header:
        previous = header
        header = _ATTRIBUTE.sub("", _ACCESS.sub("", header))
    return header.strip()


def functions(text):
    """Functions with a body, outermost only, first line of the head to the closing brace.

    Reads our clang-formatted style: a brace that follows a blank opens a body or a scope, one
    that follows anything else initialises something.
    """
    code = without_directives(without_text(text))
    found, position, header_from = [], 0, 0
    while position < len(code):
        mark = code[position]
        if mark in ";}":
            header_from = position + 1
        elif mark == "{":
            header = _statement(code[header_from:position])
            if _initialises(code, position, header):
                position = _closing(code, position)
            elif _SCOPE.match(header) or "(" not in header:
                header_from = position + 1
            else:
                end = _closing(code, position)
                found.append(_function(code, header_from, header, end))
                position, header_from = end, end + 1
        position += 1
    return found


def _initialises(code, position, header):
    """A brace right after a name, after '=' or inside parentheses starts a list of values."""
    after_blank = position == 0 or code[position - 1].isspace()
    return bool(header) and (not after_blank or header.endswith("=")
                             or header.count("(") > header.count(")"))


def _function(code, header_from, header, end):
    start = header_from + code[header_from:].index(header.split("\n")[0].strip() or "{")
    name = re.match(r"[^(]*", header)[0].split()
    return Function(name[-1] if name else "?", code.count("\n", 0, start) + 1,
                    code.count("\n", 0, end) + 1)


def _closing(code, position):
    depth = 0
    for at in range(position, len(code)):
        if code[at] == "{":
            depth += 1
        elif code[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    return len(code) - 1
