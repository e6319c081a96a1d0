#!/usr/bin/env python3
"""Checks one rule of the project: lint.py RULE [--root DIR]; lint.py --list names the rules.

Exit codes: 0 clean, 1 faults (one a line), 64 usage, 77 skipped because a tool is missing.
"""
import sys
from pathlib import Path

import rules_code
import rules_structure
import rules_tools
import rules_words

RULES = {
    rule.__name__: rule
    for rule in (
        rules_structure.layers, rules_structure.doors, rules_structure.tests,
        rules_code.sizes, rules_code.exits, rules_code.conditionals,
        rules_words.words,
        rules_tools.formatting, rules_tools.shell, rules_tools.configs,
        rules_tools.headers, rules_tools.torch_headers, rules_tools.tidy)
}


def main(arguments):
    if arguments == ["--list"]:
        for name, rule in RULES.items():
            print(f"{name:15}{rule.__doc__.splitlines()[0]}")
        return 0
    root = Path(__file__).resolve().parents[2]
    if len(arguments) == 3 and arguments[1] == "--root":
        root = Path(arguments[2]).resolve()
    elif len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 64
    if arguments[0] not in RULES:
        print(f"lint: unknown rule '{arguments[0]}' (lint.py --list)", file=sys.stderr)
        return 64
    try:
        faults = RULES[arguments[0]](root)
    except rules_tools.Skip as reason:
        print(f"lint {arguments[0]}: skipped: {reason}")
        return 77
    for fault in faults:
        print(fault)
    print(f"lint {arguments[0]}: {len(faults)} fault(s)")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
