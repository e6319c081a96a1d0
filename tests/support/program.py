"""Runs the built programs from a test: alone or under mpirun, with a time limit, in a scratch folder."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BIN = pathlib.Path(os.environ["LOCKSTEP_BIN"])
SOURCE = pathlib.Path(os.environ["LOCKSTEP_SOURCE"])
SKIPPED = 77


def run(*arguments, ranks=0, timeout_s=120, cwd=None, environment=None, wrapper=()):
    """lockstep ARGUMENTS, under mpirun when `ranks` is not 0, each rank started through the command
    `wrapper`. A hang is a failure of the test."""
    command = [*map(str, wrapper), str(BIN / "lockstep"), *map(str, arguments)]
    if ranks:
        command = ["mpirun", "-np", str(ranks), *command]
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, cwd=cwd, env=variables)


def must_run(*arguments, **options):
    result = run(*arguments, **options)
    if result.returncode != 0:
        sys.exit(f"lockstep {' '.join(map(str, arguments))} ended with {result.returncode}:\n{result.stderr}")
    return result


def need_mpirun():
    if shutil.which("mpirun") is None:
        print("skipped: mpirun is not installed")
        sys.exit(SKIPPED)


def scratch():
    return tempfile.TemporaryDirectory(prefix="lockstep_test_")


def synthetic(path, *, num_samples, image_size=16, classes=10, channels=1, seed=1):
    must_run("prepare", "synthetic", "--out", path, "--num-samples", num_samples, "--image-size", image_size,
             "--classes", classes, "--channels", channels, "--seed", seed)
    return path


def fatal_records(result):
    return re.findall(r"^FATAL .*$", result.stderr, re.M)


def read_lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


# A ViT that learns the synthetic set in seconds.
TINY_MODEL = ["--model.image_size=16", "--model.patch_size=4", "--model.in_channels=1", "--model.num_classes=10",
              "--model.dim=32", "--model.depth=2", "--model.heads=2", "--run.device=cpu"]

# Debian's package dataset-fashion-mnist, which launch/setup installs.
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def fashion(path, *, num_samples):
    """The first test images of Fashion-MNIST as a data set."""
    import gzip
    import struct

    plain = []
    for name, header, size in (("t10k-images-idx3-ubyte", 16, 28 * 28), ("t10k-labels-idx1-ubyte", 8, 1)):
        source = FASHION / f"{name}.gz"
        if not source.exists():
            print(f"skipped: {source} is not there (apt-get install dataset-fashion-mnist)")
            sys.exit(SKIPPED)
        with gzip.open(source) as file:
            content = file.read(header + num_samples * size)
        plain.append(path.with_name(f"{path.stem}-{name}"))
        plain[-1].write_bytes(content[:4] + struct.pack(">I", num_samples) + content[8:])
    must_run("prepare", "idx", *plain, "--out", path)
    return path


FASHION_MODEL = ["--model.image_size=28", "--model.patch_size=7", "--model.in_channels=1", "--model.num_classes=10",
                 "--model.dim=32", "--model.depth=2", "--model.heads=2", "--run.device=cpu"]
