#!/usr/bin/env python3
"""The scripts of launch/ and slurm/ on machines that are made up: a folder of stand-ins for
nvidia-smi, mpirun and scontrol comes first on PATH. Nothing is installed or trained."""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(p.name for p in (ROOT / "launch").iterdir() if p.is_file() and os.access(p, os.X_OK))
NVIDIA_SMI = """#!/bin/sh
case "$*" in
  *driver_version*) for i in {gpus}; do echo "Tesla T4, {driver}, 15360, 7.5"; done ;;
  *compute_cap*) for i in {gpus}; do echo 7.5; done ;;
  *) for i in {gpus}; do echo "Tesla T4"; done ;;
esac
"""


class Launch(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="lockstep_launch_"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("OMPI_", "SLURM_")) and name not in
                            ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "Torch_DIR")}
        self.environment["PATH"] = f"{self.folder}:{self.environment['PATH']}"

    def stand_in(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / name).chmod(0o755)

    def gpus(self, count, driver="580.65.06"):
        numbers = " ".join(str(i) for i in range(count))
        self.stand_in("nvidia-smi", NVIDIA_SMI.format(gpus=numbers, driver=driver))

    def run_script(self, *command, **more):
        return subprocess.run([str(ROOT / command[0]), *command[1:]], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=60, **more)

    def test_every_script_takes_help(self):
        for name in SCRIPTS:
            result = self.run_script(f"launch/{name}", "--help")
            self.assertEqual(result.returncode, 0, name)
            self.assertIn(f"launch/{name}", result.stdout)
            self.assertNotIn("source=lib", result.stdout)

    def test_unknown_arguments_are_usage_errors(self):
        for name in ("setup", "build", "quickstart", "run_node"):
            result = self.run_script(f"launch/{name}", "--nonsense")
            self.assertEqual(result.returncode, 64, name)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_one_rank_a_gpu(self):
        self.gpus(4)
        result = self.run_script("launch/run_node", "--dry-run", "train", "--run.seed", "3")
        self.assertIn("mpirun -np 4 ", result.stdout)
        self.assertTrue(result.stdout.rstrip().endswith("lockstep train --run.seed 3"), result.stdout)
        self.assertIn("OMPI_MCA_oob_tcp_keepalive_time=5", result.stdout)

    def test_visible_devices_are_heeded(self):
        self.gpus(4)
        self.environment["CUDA_VISIBLE_DEVICES"] = "2,3"
        self.assertIn("-np 2 ", self.run_script("launch/run_node", "--dry-run", "train").stdout)

    def test_ranks_can_be_chosen_and_threads_kept(self):
        self.environment["OMP_NUM_THREADS"] = "7"
        self.gpus(1)
        result = self.run_script("launch/run_node", "--ranks", "64", "--dry-run", "--", "train")
        self.assertIn("-np 64 ", result.stdout)
        self.assertIn("--bind-to none", result.stdout)
        self.assertIn("OMP_NUM_THREADS=7", result.stderr)

    def test_a_machine_without_gpus_gets_ranks_by_cores(self):
        self.gpus(0)
        result = self.run_script("launch/run_node", "--dry-run", "train")
        self.assertRegex(result.stdout, r"mpirun -np [1-9]")

    def test_debug_t4_refuses_an_old_driver(self):
        self.gpus(1, driver="400.10")
        result = self.run_script("launch/debug_t4")
        self.assertEqual(result.returncode, 69)
        self.assertIn("400.10 is older than", result.stderr)

    def test_debug_t4_without_a_gpu(self):
        self.gpus(0)
        result = self.run_script("launch/debug_t4")
        self.assertEqual(result.returncode, 69)
        self.assertIn("--cpu", result.stderr)

    def test_an_old_libtorch_is_passed_over_by_name(self):
        torch = self.folder / "torch"
        header = torch / "include/torch/csrc/api/include/torch/version.h"
        header.parent.mkdir(parents=True)
        header.write_text("#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 4\n"
                          "#define TORCH_VERSION_PATCH 1\n", encoding="utf-8")
        (torch / "lib").mkdir()
        (torch / "lib/libtorch_cpu.so").touch()
        self.environment["CMAKE_PREFIX_PATH"] = str(self.folder)
        result = self.run_script("launch/setup", "--dry-run")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"LibTorch in {torch} is version 2.4.1, older than 2.7: not taken", result.stdout)

    def slurm_job(self, mpirun):
        """Runs train.sbatch with mpirun's stand-in; returns the process and the requeue log."""
        requeued = self.folder / "requeued"
        self.stand_in("mpirun", mpirun)
        self.stand_in("scontrol", f'#!/bin/sh\necho "$*" >"{requeued}"\n')
        self.environment.update(SLURM_JOB_ID="77", SLURM_SUBMIT_DIR=str(self.folder))
        process = subprocess.Popen(["bash", str(ROOT / "slurm/train.sbatch"), "--run.seed", "1"],
                                   env=self.environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        return process, requeued

    def test_slurm_job_that_saved_its_state_is_requeued(self):
        ready = self.folder / "ready"
        process, requeued = self.slurm_job(
            f"#!/bin/bash\ntrap 'sleep 0.2; exit 75' USR1\ntouch '{ready}'\n"
            "while :; do sleep 0.05; done\n")
        for _ in range(200):
            if ready.exists():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(timeout=20), 75)
        self.assertEqual(requeued.read_text(encoding="utf-8"), "requeue 77\n")

    def test_slurm_job_that_failed_is_not_requeued(self):
        process, requeued = self.slurm_job("#!/bin/bash\nexit 76\n")
        self.assertEqual(process.wait(timeout=20), 76)
        self.assertFalse(requeued.exists())


if __name__ == "__main__":
    unittest.main()
