"""What a user gets wrong, each under mpirun -np 2: one FATAL record, once, that names the file, key or
rank and what to do; the documented exit code; no hang; no run directory left behind."""

import os
import re
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program

TIME_LIMIT_S = 60


class Case:
    def __init__(self, name, code, words, settings, *, data="good", run_dir="run", prepare=None, keeps=False):
        self.name, self.code, self.words, self.settings = name, code, words, settings
        self.data, self.run_dir, self.prepare, self.keeps = data, run_dir, prepare, keeps


def cases(folder):
    (folder / "empty.h5").write_bytes(b"")
    (folder / "text.h5").write_text("this is not HDF5\n" * 100)
    good = (folder / "good.h5").read_bytes()
    (folder / "cut.h5").write_bytes(good[: len(good) // 2])
    (folder / "bad.ini").write_text("[model]\ndimm = 32\n")
    (folder / "broken.ini").write_text("[model\ndim = 32\n")
    full = folder / "full"
    full.mkdir()
    (full / "notes.txt").write_text("mine")
    locked = folder / "locked"
    locked.mkdir()
    all_cases = [
        Case("data file missing", 74, ["missing.h5"], [], data="missing.h5"),
        Case("data file empty", 65, ["empty.h5"], [], data="empty.h5"),
        Case("not HDF5", 65, ["text.h5", "HDF5"], [], data="text.h5"),
        Case("truncated", 65, ["cut.h5"], [], data="cut.h5"),
        Case("wrong format version", 65, ["version.h5", "lockstep_format"], [], data="version.h5"),
        Case("label outside the classes", 65, ["label.h5", "-7"], [], data="label.h5"),
        Case("file that crashes HDF5", 65, ["crash.h5", "crashed"], [], data="crash.h5"),
        Case("data.train not given", 78, ["data.train"], ["--data.train="]),
        Case("patch does not divide", 78, ["patch_size"], ["--model.patch_size=5"]),
        Case("heads do not divide", 78, ["heads"], ["--model.heads=5"]),
        Case("channels of the data differ", 78, ["in_channels", "1"], ["--model.in_channels=3"]),
        Case("number of classes differs", 78, ["num_classes", "10"], ["--model.num_classes=7"]),
        Case("more ranks than samples", 78, ["rank"], [], data="one.h5"),
        Case("global batch does not divide", 78, ["global_batch"], ["--train.global_batch=25"]),
        Case("batch beyond any memory", 78, ["batch_per_rank"], ["--train.batch_per_rank=4000000000"]),
        Case("model that does not fit", 71, ["out of memory", "batch_per_rank"], ["--model.dim=1048576"]),
        Case("warm-up longer than the run", 78, ["warmup_steps"], ["--schedule.warmup_steps=100000"]),
        Case("warm-up longer than max_steps", 78, ["warmup_steps = 9", "3 steps"],
             ["--schedule.warmup_steps=9", "--run.max_steps=3"]),
        Case("unknown optimizer", 78, ["optim.name", "adamx"], ["--optim.name=adamx"]),
        Case("unknown schedule", 78, ["schedule.name", "sawtooth"], ["--schedule.name=sawtooth"]),
        Case("a factor for nobody", 78, ["optim.lr_factors", "heads.*", "head."], ["--optim.lr_factors=heads.*:2"]),
        Case("nobody to freeze", 78, ["optim.freeze", "block.0.*", "blocks.0."], ["--optim.freeze=block.0.*"]),
        Case("nothing left to train", 78, ["optim.freeze", "no parameter"], ["--optim.freeze=*"]),
        Case("rows cut by ZeRO", 78, ["parallel.zero", "optim.clip_agc = 0.01", "whole rows"],
             ["--optim.clip_agc=0.01", "--parallel.zero=1"]),
        Case("two ways of clipping", 78, ["clip_norm", "clip_value"], ["--optim.clip_norm=1", "--optim.clip_value=1"]),
        Case("run directory not empty", 74, ["full", "not empty"], [], run_dir="full", keeps=True),
        Case("a stage of ZeRO that is not there", 78, ["parallel.zero", "2"], ["--parallel.zero=2"]),
        Case("unknown way to recompute", 78, ["memory.recompute = all", "every:K"], ["--memory.recompute=all"]),
        Case("groups of no blocks", 78, ["memory.recompute = every:0"], ["--memory.recompute=every:0"]),
        Case("a part that no block has", 78, ["selective:norm", "attention"], ["--memory.recompute=selective:norm"]),
        Case("groups that leave nothing to recompute", 78, ["memory.recompute = every:2", "group of 1 to 1"],
             ["--memory.recompute=every:2"]),
        Case("a budget without a limit", 78, ["memory.recompute = budget", "memory.limit_mib"], ["--memory.recompute=budget"]),
        Case("a limit below what one image needs", 78, ["memory.limit_mib = 1 is less than one image needs: "],
             ["--memory.recompute=budget", "--memory.limit_mib=1", "--model.dim=64"]),
        Case("micro-batches that may change", 78, ["run.determinism = world", "memory.on_oom"],
             ["--run.determinism=world", "--memory.on_oom=shrink"]),
        Case("unknown device", 78, ["run.device", "tpu"], ["--run.device=tpu"]),
        Case("unknown setting", 64, ["optim.lrr", "optim.lr"], ["--optim.lrr=1"]),
        Case("malformed number", 78, ["optim.lr", "fast"], ["--optim.lr=fast"]),
        Case("unknown key in a file", 78, ["bad.ini", "model.dim"], [f"--config={folder / 'bad.ini'}"]),
        Case("malformed file", 78, ["broken.ini"], [f"--config={folder / 'broken.ini'}"]),
        Case("configuration file missing", 78, ["nowhere.ini"], [f"--config={folder / 'nowhere.ini'}"]),
        Case("weights missing", 74, ["none.safetensors"], [f"--weights.init={folder / 'none.safetensors'}"]),
        Case("weights that are none", 65, ["text.h5"], [f"--weights.init={folder / 'text.h5'}"]),
        Case("three blocks are no binary tree", 78, ["run.determinism", "powers of two", "accumulate = 3"],
             ["--run.determinism=world", "--train.accumulate=3"]),
        Case("a wire that rounds by rank", 78, ["run.determinism", "comm.wire = bf16"],
             ["--run.determinism=world", "--comm.wire=bf16"]),
        Case("slices have norms of their own", 78, ["run.determinism", "parallel.zero"],
             ["--run.determinism=world", "--parallel.zero=1"]),
        Case("digest at negative steps", 78, ["parallel.digest_every = -1"], ["--parallel.digest_every=-1"]),
        Case("resume is not in this version", 64, ["resume"], ["--resume=auto"]),
    ]
    if not os.path.exists("/dev/nvidia0"):
        all_cases.append(Case("no GPU here", 69, ["cuda"], ["--run.device=cuda"]))
    if os.geteuid() != 0:
        locked.chmod(0o500)
        all_cases.append(Case("run directory not writable", 74, ["locked"], [], run_dir="locked/run"))
    else:
        # Root may write anywhere but below a file.
        all_cases.append(Case("run directory below a file", 74, ["text.h5"], [], run_dir="text.h5/run"))
    return all_cases


def make_data(folder):
    program.synthetic(folder / "good.h5", num_samples=96)
    program.synthetic(folder / "one.h5", num_samples=1)
    for name in ("version", "label"):
        (folder / f"{name}.h5").write_bytes((folder / "good.h5").read_bytes())
    # Attribute and label are changed through HDF5 itself.
    tool = os.environ["LOCKSTEP_SPOIL"]
    for what in ("version", "label"):
        program.subprocess.run([tool, what, str(folder / f"{what}.h5")], check=True)
    program.subprocess.run([tool, "crash", str(folder / "crash.h5")], check=True)


def check(folder, case):
    run_dir = folder / case.run_dir
    before = sorted(run_dir.iterdir()) if run_dir.is_dir() else None
    data = [] if any(s.startswith("--data.train") for s in case.settings) else [
        f"--data.train={folder / (case.data if case.data.endswith('.h5') else case.data + '.h5')}"]
    result = program.run("train", *program.TINY_MODEL, f"--run.dir={run_dir}", "--train.batch_per_rank=8",
                         *data, *case.settings, ranks=2, timeout_s=TIME_LIMIT_S)
    records = re.findall(r"^FATAL .*$", result.stderr, re.M)
    problems = []
    if result.returncode != case.code:
        problems.append(f"exit code {result.returncode}, not {case.code}")
    if len(records) != 1:
        problems.append(f"{len(records)} FATAL records")
    for record in records[:1]:
        if not re.fullmatch(r'FATAL code=\d+ rank=\d+ host=\S+ pid=\d+ phase=.* step=\d+ cause=".*"', record):
            problems.append(f"malformed record: {record}")
        if f"code={case.code} " not in record:
            problems.append(f"the record has another code: {record}")
        problems += [f"the record does not say \"{word}\": {record}" for word in case.words if word not in record]
    after = sorted(run_dir.iterdir()) if run_dir.is_dir() else None
    if after != before:
        problems.append(f"left behind: {after}")
    print(("FAILED " if problems else "ok     ") + case.name + (": " + records[0] if records else ""))
    for problem in problems:
        print("        " + problem)
    if problems and not records:
        print(result.stderr[-2000:])
    return not problems


def main():
    program.need_mpirun()
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        make_data(folder)
        good = [check(folder, case) for case in cases(folder)]
        if not all(good):
            sys.exit(f"{good.count(False)} of {len(good)} cases failed")


main()
