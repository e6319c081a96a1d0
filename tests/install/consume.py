"""Installs the tree into a scratch prefix, builds a user's program against it with
find_package(lockstep), and trains with it on one rank and on two: the same final loss."""

import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program


def sh(*command, **options):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=500, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
    return result.stdout


def main():
    program.need_mpirun()
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        prefix = folder / "prefix"
        sh("cmake", "--install", program.os.environ["LOCKSTEP_BUILD"], "--prefix", prefix)
        sh("cmake", "-S", program.SOURCE / "tests/install/consumer", "-B", folder / "build", "-G", "Ninja",
           f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release")
        sh("cmake", "--build", folder / "build")
        version = sh(prefix / "bin/lockstep", "version")
        assert version.startswith("lockstep "), version
        data = program.synthetic(folder / "train.h5", num_samples=500, classes=4)
        # The installed libraries must do without the build tree.
        losses = [float(sh(*launcher, folder / "build/consumer", data, prefix / "bin/lockstep")) for launcher in ([], ["mpirun", "-np", "2"])]
        print("final loss on one rank and on two:", *losses)
        assert losses[0] < 0.7, "the user's module does not learn"
        assert abs(losses[0] - losses[1]) < 1e-4 * losses[0], losses


main()
