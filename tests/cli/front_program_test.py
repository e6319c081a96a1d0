"""What a person sees of the front program: texts, exit codes, one FATAL record, start-up time."""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["LOCKSTEP_BIN"])
SOURCE = pathlib.Path(os.environ["LOCKSTEP_SOURCE"])
PROGRAM = BIN / "lockstep"
FATAL = re.compile(
    r'^FATAL code=(\d+) rank=\d+ host=\S+ pid=\d+ phase=\S+ step=\d+ cause="(.*)"$')
START_UP_LIMIT_S = 0.050


def run(*arguments, program=PROGRAM, **environment):
    return subprocess.run([str(program), *arguments], capture_output=True, text=True,
                          cwd=SOURCE, env={**os.environ, **environment}, timeout=60)


class Case(unittest.TestCase):
    def refused(self, code, part, *arguments, **environment):
        done = run(*arguments, **environment)
        self.assertEqual(done.returncode, code, done.stderr)
        records = [line for line in done.stderr.splitlines() if line.startswith("FATAL")]
        self.assertEqual(len(records), 1, done.stderr)
        self.assertEqual(done.stderr.splitlines()[-1], records[0])
        match = FATAL.match(records[0])
        self.assertIsNotNone(match, records[0])
        self.assertEqual(int(match.group(1)), code)
        self.assertIn(part, match.group(2))
        self.assertEqual(done.stdout, "")

    def accepted(self, *arguments, **environment):
        done = run(*arguments, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class Help(Case):
    def test_lists_every_command_once_with_an_example(self):
        text = self.accepted("--help")
        for name in ("prepare", "inspect", "train", "eval", "bench", "collect", "config",
                     "version"):
            self.assertEqual(len(re.findall(rf"^  {name} ", text, re.M)), 1, name)
            self.assertRegex(text, rf"\n {{14}}.*lockstep {name}( |$)", name)
        self.assertEqual(self.accepted("-h"), text)
        self.assertEqual(self.accepted("help"), text)

    def test_starts_at_once(self):
        times = []
        for _ in range(20):
            begin = time.monotonic()
            self.accepted("--help")
            times.append(time.monotonic() - begin)
        self.assertLess(statistics.median(times), START_UP_LIMIT_S)

    def test_needs_none_of_the_heavy_libraries(self):
        libraries = subprocess.run(["ldd", str(PROGRAM)], capture_output=True, text=True).stdout
        for name in ("libtorch", "libc10", "libmpi", "libcudart", "libnccl"):
            self.assertNotIn(name, libraries)


class Commands(Case):
    def test_unknown_command_names_the_nearest(self):
        self.refused(64, 'no command \\"trian\\"; did you mean train?', "trian")
        self.refused(64, "`lockstep --help` names all", "qqqqqqqqqq")
        self.refused(64, "needs a command")

    def test_reserved_commands_say_so(self):
        for name in ("doctor", "submit", "completion", "tune", "compare"):
            self.refused(64, "not in this version", name)

    def test_trainer_is_started_with_the_same_arguments(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = pathlib.Path(folder) / "lockstep"
            shutil.copy(PROGRAM, alone)
            path = {"LD_LIBRARY_PATH": str(BIN.parent / "lib")}
            done = run("train", "--x", program=alone, **path)
            self.assertEqual(done.returncode, 69, done.stderr)
            self.assertIn("lockstep-trainer is missing", done.stderr)
            trainer = pathlib.Path(folder) / "lockstep-trainer"
            trainer.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 75\n')
            trainer.chmod(0o755)
            for name in ("train", "eval", "bench", "export"):
                done = run(name, "--a", "b c", "", program=alone, **path)
                self.assertEqual(done.returncode, 75, done.stderr)
                self.assertEqual(done.stdout, f"{name}|--a|b c||")

    def test_only_one_rank_speaks(self):
        done = run("trian", OMPI_COMM_WORLD_RANK="1")
        self.assertEqual((done.returncode, done.stderr), (64, ""))


class Version(Case):
    def test_as_json(self):
        versions = json.loads(self.accepted("version", "--json"))
        for name in ("lockstep", "git_id", "build_id", "compiler", "build_type", "libtorch",
                     "cuda", "nccl", "mpi", "hdf5", "boost"):
            self.assertTrue(versions[name], name)
        self.assertRegex(versions["lockstep"], r"^\d+\.\d+\.\d+$")
        self.assertRegex(versions["hdf5"], r"^\d+\.\d+")

    def test_as_text(self):
        versions = json.loads(self.accepted("version", "--json"))
        for line in self.accepted("version").splitlines():
            name, value = line.split(None, 1)
            self.assertEqual(versions[name], value)

    def test_refuses_other_arguments(self):
        self.refused(64, "--jsn", "version", "--jsn")


class Config(Case):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def ini(self, text):
        path = self.folder / "x.ini"
        path.write_text(text)
        return str(path)

    def test_show_prints_values_with_origins(self):
        path = self.ini("[optim]\nlr = 1e-2\nbeta1 = 0.8\n")
        text = self.accepted("config", "show", "--config", path, "--optim.lr", "0.5",
                             LOCKSTEP_RUN_SEED="7")
        self.assertRegex(text, r"(?m)^lr = 0\.5 +# command line$")
        self.assertRegex(text, rf"(?m)^beta1 = 0\.8 +# {re.escape(path)}:3$")
        self.assertRegex(text, r"(?m)^seed = 7 +# LOCKSTEP_RUN_SEED$")
        self.assertRegex(text, r"(?m)^depth = 12 +# default$")

    def test_show_can_be_read_again(self):
        once = self.accepted("config", "show", "--run.dir", "a #b", "--no-weights.strict")
        again = self.accepted("config", "show", "--config", self.ini(once))

        def without_origins(text):
            return re.sub(r" +# [^#\n]*$", "", text, flags=re.M)

        self.assertEqual(without_origins(again), without_origins(once))
        self.assertIn('dir = "a #b"', again)

    def test_list_names_every_setting(self):
        text = self.accepted("config", "list")
        for name in ("run.dir", "data.train", "model.patch_size", "optim.lr", "comm.backend"):
            self.assertRegex(text, rf"(?m)^{re.escape(name)} ")

    def test_documentation_is_up_to_date(self):
        self.assertEqual(self.accepted("config", "list", "--markdown"),
                         (SOURCE / "docs/configuration.md").read_text())

    def test_every_recipe_can_be_used(self):
        recipes = sorted((SOURCE / "configs").glob("*.ini"))
        self.assertTrue(recipes)
        for recipe in recipes:
            self.assertEqual(self.accepted("config", "check", "--config", str(recipe)),
                             "settings can be used\n", recipe.name)

    def test_check_warns_of_settings_without_effect(self):
        done = run("config", "check", "--precision.loss_scale", "8")
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: precision.loss_scale = 8 (command line) has no effect", done.stderr)
        self.assertIn("1 warning", done.stdout)

    def test_unknown_settings(self):
        self.refused(64, "--optm.lr; did you mean --optim.lr?", "config", "check", "--optm.lr", "1")
        self.refused(78, "x.ini:2: unknown setting optim.lrr; did you mean optim.lr?",
                     "config", "check", "--config", self.ini("[optim]\nlrr = 1\n"))
        self.refused(78, "LOCKSTEP_OPTIM_LRR is no setting", "config", "check",
                     LOCKSTEP_OPTIM_LRR="1")

    def test_values_that_cannot_be_used(self):
        self.refused(78, 'run.device = \\"tpu\\" is not one of', "config", "check",
                     "--run.device", "tpu")
        self.refused(78, "does not divide model.image_size", "config", "check",
                     "--model.patch_size", "15")
        self.refused(78, "x.ini:1:", "config", "check", "--config", self.ini("lr\n"))

    def test_files_that_cannot_be_read(self):
        self.refused(78, "there is no such file", "config", "check", "--config", "missing.ini")
        self.refused(74, "is not a file", "config", "check", "--config", str(self.folder))

    def test_unknown_word(self):
        self.refused(64, "did you mean show?", "config", "shwo")
        self.refused(64, "show, list or check", "config")


if __name__ == "__main__":
    unittest.main()
