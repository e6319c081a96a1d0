"""One rank of two fails alone, in every phase of a run: all ranks leave with its code within seconds,
and one FATAL record names the rank, the phase, the step and the cause. The ranks work in folders of
their own, so that the same settings mean other files to each."""

import os
import re
import shutil
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program

TIME_LIMIT_S = 20
OWN_FOLDER = 'cd "$0/rank$OMPI_COMM_WORLD_RANK" && exec "$@"'
BATCH = 8  # sequential: step s, micro-batch m of A, rank r reads (s - 1) 2 B A + (2 m + r) B + i


class Case:
    def __init__(self, name, code, words, settings=(), *, spoil=None, rank=1, phase=None, step=None, keeps=False,
                 command="train", meanwhile=None, val=True):
        self.name, self.code, self.words, self.settings, self.spoil = name, code, words, settings, spoil
        self.rank, self.phase, self.step, self.keeps = rank, phase, step, keeps
        self.command, self.meanwhile, self.val = command, meanwhile, val


def flip(file, sample):
    def change(folder):
        program.subprocess.run([os.environ["LOCKSTEP_SPOIL"], "pixel", str(folder / file), str(sample)], check=True)
    return change


def write(file, text):
    return lambda folder: (folder / file).write_text(text)


def other_data(folder):
    program.synthetic(folder / "other.h5", num_samples=96, classes=4, seed=2)
    os.replace(folder / "other.h5", folder / "train.h5")


def take_the_snapshots_name(run):
    """A folder that is not empty stands where the last snapshot must go."""
    end = time.monotonic() + TIME_LIMIT_S
    while not (run / "snapshots").is_dir() and time.monotonic() < end:
        time.sleep(0.002)
    (run / "snapshots/step_00000300").mkdir()
    (run / "snapshots/step_00000300/mine").write_text("")


CASES = [
    Case("data missing on one rank", 74, ["train.h5"], spoil=lambda folder: (folder / "train.h5").unlink(),
         phase="setup"),
    Case("no HDF5 on one rank", 65, ["train.h5"], spoil=write("train.h5", "text" * 100), phase="probe"),
    Case("other data on one rank", 78, ["data.train is", "on rank 0 and", "on rank 1"], spoil=other_data, phase="setup"),
    Case("weights missing on one rank", 74, ["init.safetensors"], ["--weights.init=init.safetensors"],
         spoil=lambda folder: (folder / "init.safetensors").unlink(), phase="setup"),
    Case("no run folder on one rank", 74, ["run.dir = run", "not there for rank 1"], ["--run.dir=run"], phase="setup"),
    Case("damaged sample in the first epoch", 65, ["train.h5", "sample 43"], spoil=flip("train.h5", 43),
         phase="step", step=3, keeps=True),
    Case("damaged sample in a first micro-batch", 65, ["sample 43"], ["--train.accumulate=2"],
         spoil=flip("train.h5", 43), phase="step", step=2, keeps=True),
    Case("damaged sample in a last micro-batch", 65, ["sample 27"], ["--train.accumulate=2"],
         spoil=flip("train.h5", 27), phase="step", step=1, keeps=True),
    Case("damaged sample, optimizer state spread over ranks", 65, ["sample 43"],
         ["--train.accumulate=2", "--parallel.zero=1"], spoil=flip("train.h5", 43), phase="step", step=2, keeps=True),
    Case("damaged sample without reader threads", 65, ["sample 43"], ["--data.reader=naive"],
         spoil=flip("train.h5", 43), phase="step", step=3, keeps=True),
    Case("damaged sample in the evaluation", 65, ["val.h5", "sample 11"], spoil=flip("val.h5", 11), phase="eval",
         step=6, keeps=True),
    Case("snapshot cannot be written", 74, ["step_00000300"], ["--run.epochs=50"], val=False, rank=0,
         phase="snapshot", step=300, keeps=True, meanwhile=take_the_snapshots_name),
    Case("divergence", 76, ["optim.lr", "first in the", "on rank"], ["--run.epochs=5", "--optim.lr=1e30"], rank=0, phase="step", keeps=True),
    Case("divergence, optimizer state spread over ranks", 76, ["optim.lr"],
         ["--run.epochs=5", "--optim.lr=1e30", "--parallel.zero=1"], rank=0, phase="step", keeps=True),
    Case("beyond the memory limit", 71, ["out of memory", "memory.limit_mib", "memory.on_oom = shrink"],
         ["--memory.limit_mib=1", "--model.dim=64"], rank=0, phase="step", step=1, keeps=True),
    Case("the memory limit is never kept", 71, ["out of memory", "memory.limit_mib"],
         ["--memory.limit_mib=1", "--model.dim=64", "--memory.on_oom=shrink"], rank=0, phase="step", step=1, keeps=True),
    Case("eval: weights missing on one rank", 74, ["init.safetensors"], ["--weights=init.safetensors"],
         spoil=lambda folder: (folder / "init.safetensors").unlink(), phase="setup", command="eval"),
    Case("eval: damaged sample", 65, ["sample 71"], ["--weights=init.safetensors"], spoil=flip("val.h5", 71),
         phase="eval", command="eval"),
    Case("bench: data missing on one rank", 74, ["train.h5"], spoil=lambda folder: (folder / "train.h5").unlink(),
         phase="bench_input", command="bench input"),
    Case("bench: damaged sample", 65, ["sample 43"], ["--data.order=sequential", "--batch=8"],
         spoil=flip("train.h5", 43), phase="bench_input", command="bench input"),
    Case("command of a later version", 64, ["export"], rank=0, command="export"),
]


def arguments(case, run):
    settings = list(case.settings)
    if case.command == "train":
        settings = [*program.TINY_MODEL, "--model.num_classes=4", f"--run.dir={run}", "--data.train=train.h5",
                    "--data.order=sequential", f"--train.batch_per_rank={BATCH}", "--telemetry.log_every=1",
                    "--run.epochs=2", *settings]
    if case.command == "bench input":
        settings = ["--data.train=train.h5", *settings]
    if case.command == "eval" or (case.command == "train" and case.val):
        settings.append("--data.val=val.h5")
    return [*case.command.split(), *settings]


def check(case, good, folder):
    for rank in (0, 1):
        shutil.copytree(good, folder / f"rank{rank}")
    if case.spoil:
        case.spoil(folder / "rank1")
    run = folder / "run"
    if case.meanwhile:
        threading.Thread(target=case.meanwhile, args=(run,), daemon=True).start()
    begin = time.monotonic()
    result = program.run(*arguments(case, run), ranks=2, timeout_s=60, wrapper=["sh", "-c", OWN_FOLDER, folder])
    took_s = time.monotonic() - begin
    problems = []
    records = program.fatal_records(result)
    if result.returncode != case.code:
        problems.append(f"exit code {result.returncode}, not {case.code}")
    if len(records) != 1:
        problems.append(f"{len(records)} FATAL records")
    if took_s > TIME_LIMIT_S:
        problems.append(f"took {took_s:.1f} s")
    for record in records[:1]:
        wanted = [f"code={case.code} ", f"rank={case.rank} ", *case.words]
        wanted += [f"phase={case.phase} "] if case.phase else []
        wanted += [f"step={case.step} "] if case.step is not None else []
        problems += [f"the record does not say \"{word}\"" for word in wanted if word not in record]
        if not re.fullmatch(r'FATAL code=\d+ rank=\d+ host=\S+ pid=\d+ phase=\S+ step=\d+ cause=".*"', record):
            problems.append("the record is malformed")
    folders = [path for path in (run, folder / "rank0/run", folder / "rank1/run") if path.exists()]
    if case.keeps:
        text = (run / "result.json").read_text() if run.exists() else "{}"
        outcome = program.json.loads(text)
        if (outcome.get("status"), outcome.get("exit_code")) != ("failed", case.code):
            problems.append(f"result.json: {text}")
        problems += [f"left half-made: {path}" for path in run.glob("**/*.tmp*")]
    elif folders:
        problems.append(f"left behind: {folders}")
    print(("FAILED " if problems else "ok     ") + f"{took_s:4.1f} s {case.name}: " + "; ".join(records))
    for problem in problems:
        print("        " + problem)
    if problems:
        print(result.stderr[-1500:])
    return not problems


def main():
    program.need_mpirun()
    chosen = [case for case in CASES if len(sys.argv) < 2 or sys.argv[1] in case.name]
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        good = folder / "good"
        good.mkdir()
        program.synthetic(good / "train.h5", num_samples=96, classes=4)
        program.synthetic(good / "val.h5", num_samples=96, classes=4, seed=3)
        program.must_run("train", *program.TINY_MODEL, "--model.num_classes=4", f"--data.train={good / 'train.h5'}",
                         f"--run.dir={folder / 'first'}", "--run.max_steps=1")
        (folder / "first/snapshots/step_00000001/model.safetensors").rename(good / "init.safetensors")
        passed = []
        for number, case in enumerate(chosen):
            place = folder / f"case{number}"
            place.mkdir()
            passed.append(check(case, good, place))
        if not all(passed):
            sys.exit(f"{passed.count(False)} of {len(passed)} cases failed")


main()
