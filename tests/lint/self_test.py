#!/usr/bin/env python3
"""Plants one violation of every rule in a small tree and sees the rule find it; also sees that the
same tree without it is clean. And measures functions whose length is known."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import rules_code
import rules_structure
import rules_tools
import rules_words
import source_tree

HERE = Path(__file__).resolve().parent
LAYERS = "0 | base | no |\n1 | gpu | no | base\n2 | comm | no | base gpu\n3 | optim | yes | base comm\n6 | config | no | options\n"
CLEAN = {
    "cmake/layers.txt": LAYERS,
    "tests/lint/untested.txt": "src/gpu/device.cpp | needs a device\n",
    "include/lockstep/comm/world.h": "#pragma once\n#include <lockstep/base/error.h>\n",
    "include/lockstep/base/error.h": "#pragma once\nint error();\n",
    "src/comm/world.cpp": '#include "world.h"\n\n#include <lockstep/comm/world.h>\n\n#include <mpi.h>\n',
    "tests/unit/comm/world_test.cpp": "int test();\n",
    "src/gpu/device.cpp": "int device() { return 0; }\n",
    "README.md": "# A project\n",
}


class Planted(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="lockstep_lint_"))
        self.addCleanup(shutil.rmtree, self.root)
        for name, text in CLEAN.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def expect(self, rule, name, text, word):
        """The rule is silent on the clean tree and names the file and the word on the planted one."""
        try:
            self.assertEqual(rule(self.root), [])
            self.write(name, text)
            faults = rule(self.root)
        except rules_tools.Skip as reason:
            self.skipTest(str(reason))
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(word, faults[0])

    def test_include_of_a_higher_layer(self):
        self.expect(rules_structure.layers, "include/lockstep/base/clock.h",
                    "#include <lockstep/comm/world.h>\n", "may not use comm")

    def test_private_header_of_another_module(self):
        self.expect(rules_structure.layers, "src/comm/group.cpp",
                    '#include "gpu/stream.h"\n', "private header of module gpu")

    def test_libtorch_in_a_module_without_it(self):
        self.expect(rules_structure.layers, "src/comm/group.cpp",
                    "#include <ATen/ATen.h>\n", "free of LibTorch")

    def test_libtorch_in_device_code(self):
        self.expect(rules_structure.layers, "src/optim/update.cu",
                    "#include <ATen/ATen.h>\n", ".cu file")

    def test_config_sees_options_only(self):
        self.write("src/config/settings.cpp", "#include <lockstep/optim/options.h>\n")
        self.expect(rules_structure.layers, "src/config/parse.cpp",
                    "#include <lockstep/optim/arena.h>\n", "may not use optim")

    def test_module_without_a_row(self):
        self.expect(rules_structure.layers, "src/novel/x.cpp", "int x;\n", "no row")

    def test_third_party_outside_its_door(self):
        self.expect(rules_structure.doors, "src/gpu/ranks.cpp", "#include <mpi.h>\n", "MPI only in")

    def test_third_party_in_a_public_header(self):
        self.expect(rules_structure.doors, "include/lockstep/base/json.h",
                    "#include <nlohmann/json.hpp>\n", "JSON only in")

    def test_source_without_a_test(self):
        self.expect(rules_structure.tests, "src/comm/group.cpp", "int x;\n", "no tests/unit/comm/group")

    def test_excuse_without_a_use(self):
        self.expect(rules_structure.tests, "tests/unit/gpu/device_test.cpp", "int x;\n",
                    "excuses no file")

    def test_excuse_without_a_reason(self):
        self.expect(rules_structure.tests, "tests/lint/untested.txt", "src/gpu/device.cpp |\n",
                    "no reason")

    def test_long_function(self):
        body = "  step();\n" * 59
        self.expect(rules_code.sizes, "src/comm/long.cpp",
                    "namespace a {\nvoid run(int count) {\n" + body + "}\n}\n", "run has 61 lines")

    def test_function_of_sixty_lines_is_fine(self):
        self.write("src/comm/long.cpp", "void run(int count) {\n" + "  step();\n" * 58 + "}\n")
        self.assertEqual(rules_code.sizes(self.root), [])

    def test_long_file(self):
        self.expect(rules_code.sizes, "tests/cli/long.py", "pass\n" * 601, "601 lines")

    def test_long_readme(self):
        self.expect(rules_code.sizes, "README.md", "word\n" * 201, "201 lines")

    def test_exit_outside_the_programs(self):
        self.write("src/apps/main.cpp", "void leave() { exit(1); }\n")
        self.write("src/comm/quiet.cpp", '// exit(1)\nvoid f() { say("abort()"); world.abort(); }\n')
        self.expect(rules_code.exits, "src/comm/way.cpp", "void f() { std::_Exit(1); }\n", "_Exit(")

    def test_abort(self):
        self.expect(rules_code.exits, "src/comm/way.cpp", "void f() { ::abort(); }\n", "abort()")

    def test_conditional_in_a_body(self):
        self.write("src/comm/guard.h", "#ifdef A\nint f();\n#endif\n")
        self.expect(rules_code.conditionals, "src/comm/way.cpp",
                    "int f() {\n#ifdef A\n  return 1;\n#endif\n  return 0;\n}\n", "#ifdef A inside f")

    def test_registry_host(self):
        self.expect(rules_words.words, "docs/a.md", "from py" "pi.org\n", "host of a package registry")

    def test_path_of_one_machine(self):
        self.write("docs/b.md", "network/ro" "ot/x and src/wo" "rk/y are fine\n")
        self.expect(rules_words.words, "docs/a.md", "cd /wo" "rk/x\n", "absolute path")

    def test_unfinished(self):
        self.expect(rules_words.words, "src/comm/way.cpp", "// TO" "DO: later\n", "unfinished")

    def test_formatting(self):
        self.write(".clang-format", (HERE.parents[1] / ".clang-format").read_text(encoding="utf-8"))
        self.expect(rules_tools.formatting, "src/comm/way.cpp", "int  f( ) { return 1;}\n", "way.cpp")

    def test_shell(self):
        self.expect(rules_tools.shell, "launch/go", "#!/bin/bash\nls $1\n", "SC2086")

    def test_header_that_needs_another(self):
        self.expect(rules_tools.headers, "include/lockstep/comm/size.h",
                    "#pragma once\nstd::size_t size();\n", "does not compile alone")

    def test_header_without_a_guard(self):
        self.expect(rules_tools.headers, "include/lockstep/comm/size.h", "struct Size {};\n",
                    "does not compile alone")

    def test_recipe_that_does_not_parse(self):
        program = self.root / "build/release/bin/lockstep"
        self.write("build/release/bin/lockstep", '#!/bin/sh\n! grep -q wrong "$4"\n')
        program.chmod(0o755)
        before = os.environ.pop("LOCKSTEP_BIN", None)
        try:
            self.write("configs/good.ini", "[run]\n")
            self.expect(rules_tools.configs, "configs/bad.ini", "wrong\n", "bad.ini: exit code 1")
        finally:
            if before is not None:
                os.environ["LOCKSTEP_BIN"] = before

    def test_driver_says_what_it_found_by_its_exit_code(self):
        lint = [sys.executable, "-B", str(HERE / "lint.py"), "exits", "--root", str(self.root)]
        self.assertEqual(subprocess.run(lint, stdout=subprocess.PIPE, check=False).returncode, 0)
        self.write("src/comm/way.cpp", "void f() { exit(1); }\n")
        found = subprocess.run(lint, stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(found.returncode, 1)
        self.assertIn("src/comm/way.cpp:1", found.stdout)


class Measure(unittest.TestCase):
    def lengths(self, text):
        return [(f.name, f.num_lines) for f in source_tree.functions(text)]

    def test_constructor_with_brace_initialisers(self):
        text = "Loader::Loader(int n)\n    : size_{n}, name_(\"{\") {\n  start();\n}\n"
        self.assertEqual(self.lengths(text), [("Loader::Loader", 4)])

    def test_members_in_a_class(self):
        text = ("class A {\n public:\n  int one() const { return 1; }\n  int two_{2};\n"
                "  std::vector<int> three_ = {1, 2};\n\n  void four() {\n    if (x) {\n    }\n  }\n};\n")
        self.assertEqual(self.lengths(text), [("one", 1), ("four", 4)])

    def test_braces_in_comments_and_literals(self):
        text = "// {\nvoid f() {\n  g('{', \"}\", R\"({)\");  /* } */\n}\nvoid h() {}\n"
        self.assertEqual(self.lengths(text), [("f", 3), ("h", 1)])

    def test_braces_among_arguments_and_c_linkage(self):
        text = ("A::A(int n)\n    : mesh_(open({}, {&host(), 0})) {\n  start();\n}\n"
                "extern \"C\" void* open_it() {\n  return nullptr;\n}\nextern \"C\" {\nvoid g() {}\n}\n")
        self.assertEqual(self.lengths(text), [("A::A", 4), ("open_it", 3), ("g", 1)])

    def test_lambda_at_namespace_scope_and_tables(self):
        text = ("constexpr int kTable[] = {\n  1,\n};\nconst auto f = [](int a) {\n  return a;\n};\n"
                "template <typename T>\nstruct S {\n  T t{};\n};\n")
        self.assertEqual([length for _, length in self.lengths(text)], [3])

    def test_one_thousand_separators_are_no_literals(self):
        self.assertEqual(self.lengths("int f() {\n  return 1'000'000;\n}\n"), [("f", 3)])


if __name__ == "__main__":
    unittest.main()
