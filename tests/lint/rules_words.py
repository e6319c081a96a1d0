"""What no file of the project may say."""
import re

import source_tree as tree

# In pieces, so that this file does not name what it forbids.
_HOSTS = [("py" "pi", "org"), ("python" "hosted", "org"), ("deb.deb" "ian", "org"),
          ("security.deb" "ian", "org"), ("archive.ubu" "ntu", "com"), ("download.py" "torch", "org"),
          ("registry.np" "mjs", "org"), ("proxy.go" "lang", "org"), ("con" "da", "anaconda.org"),
          ("crat" "es", "io")]
_MACHINE_PATHS = [r"(?<![\w.}])/wo" r"rk/", r"(?<![\w.}])/ro" r"ot/", r"(?<![\w.}])/ho" r"me/\w"]
_UNFINISHED = r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b"
_FORBIDDEN = (
    [(re.compile(re.escape(f"{name}.{end}")), "host of a package registry") for name, end in _HOSTS]
    + [(re.compile(path), "absolute path of one machine") for path in _MACHINE_PATHS]
    + [(re.compile(_UNFINISHED), "unfinished business: do it, or file an issue")])
_BINARY = {".gz", ".h5", ".png", ".jpg", ".safetensors", ".npz", ".bin"}


def words(root):
    """No registry hosts, no paths of one machine, nothing marked as unfinished."""
    faults = []
    for path in tree.files(root):
        if path.suffix in _BINARY:
            continue
        for number, line in enumerate(tree.read(root, path).splitlines(), 1):
            for pattern, what in _FORBIDDEN:
                match = pattern.search(line)
                if match:
                    faults.append(f"{path}:{number}: '{match[0]}': {what}")
    return faults
