"""Every command that README.md shows runs. A command that this table does not know fails the test, so
that none is added unproven."""

import re
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program

HELP = "is too long for this test, or needs what is not here: its --help must work"
PARSE = "needs Slurm: the script must parse"
RUN = "runs as it stands"
SHORT = "runs as it stands, cut to a few steps on a small data set"

COMMANDS = {
    "launch/quickstart": HELP,
    "launch/test": HELP,
    "mkdir -p data": RUN,
    "lockstep prepare synthetic --out data/smoke.h5 --num-samples 512 --image-size 16 --classes 4 --channels 1 --seed 1": RUN,
    "mpirun -np 2 lockstep train --config configs/smoke.ini --run.dir runs/smoke": RUN,
    "launch/run_node train --config configs/vit_fashion.ini --run.dir runs/fashion": SHORT,
    "sbatch --nodes 2 --ntasks-per-node 8 --gpus-per-node 8 slurm/train.sbatch --config configs/vit_fashion.ini": PARSE,
    "launch/debug_t4 --train.batch_per_rank 64 --run.max_steps 50": HELP,
    "lockstep collect runs/fashion --out runs/fashion/report": RUN,
}


def commands_of(text):
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"\s+", " ", line.split("#")[0]).strip()
            if command:
                yield command


def sh(command, folder, path):
    result = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=300,
                            env={**program.os.environ, "PATH": path})
    if result.returncode != 0:
        sys.exit(f"{command}\nended with {result.returncode}:\n{result.stdout[-1500:]}\n{result.stderr[-1500:]}")


def shortened(command, folder):
    data = program.fashion(folder / "fashion.h5", num_samples=256)
    return f"{command} --data.train {data} --data.val {data} --run.max_steps 3 --schedule.warmup_steps 0"


def main():
    program.need_mpirun()
    shown = list(commands_of((program.SOURCE / "README.md").read_text()))
    unknown = [command for command in shown if command not in COMMANDS]
    missing = [command for command in COMMANDS if command not in shown]
    if unknown or missing:
        sys.exit(f"README.md shows commands that this test does not know: {unknown}; the other way round: {missing}")
    path = f"{program.BIN}:{program.os.environ['PATH']}"
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        for part in ("configs", "launch", "slurm"):
            (folder / part).symlink_to(program.SOURCE / part)
        for command in shown:
            how = COMMANDS[command]
            print(f"{command}  [{how}]", flush=True)
            first = command.split()[0]
            if how == HELP:
                sh(f"{program.SOURCE / first} --help", folder, path)
            elif how == PARSE:
                sh(f"bash -n {next(word for word in command.split() if word.startswith('slurm/'))}", folder, path)
            elif how == SHORT:
                sh(f"{program.SOURCE}/{shortened(command, folder)}", folder, path)
            else:
                sh(command, folder, path)


main()
