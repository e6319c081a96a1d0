"""memory.recompute changes no bit: losses, gradient norms and weights of 12 steps with dropout, stochastic depth and
clipping are those of the plain run on 1, 2 and 4 ranks, with accumulation, ZeRO, bf16 autocast, fp16 with loss scaling,
and with run.determinism = bitwise and world; and memory_peak_bytes is less."""

import hashlib
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program

STEPS = 12
MODES = ["every:1", "every:3", "selective:attention,mlp", "selective:gelu"]
ALL_RANKS = (1, 2, 4)
# name: settings, ranks, modes
SETTINGS = {
    "plain": ([], ALL_RANKS, MODES),
    "accumulated, ZeRO": (["--train.accumulate=3", "--parallel.zero=1"], ALL_RANKS, MODES[:1]),
    "bf16": (["--precision.compute=bf16", "--run.determinism=bitwise"], (1, 2), MODES),
    "fp16": (["--precision.compute=fp16"], (1,), MODES[:1]),
    "world": (["--run.determinism=world", "--train.accumulate=2"], ALL_RANKS, MODES[:1] + MODES[2:3]),
}


def train(folder, data, ranks, recompute, settings):
    run = folder / f"run_{len(list(folder.iterdir()))}"
    program.must_run("train", f"--data.train={data}", f"--run.dir={run}", f"--memory.recompute={recompute}",
                     *program.TINY_MODEL, "--model.depth=5", "--model.dropout=0.1", "--model.drop_path=0.2",
                     "--model.layer_scale=0.1", f"--run.max_steps={STEPS}", "--run.epochs=20", "--train.global_batch=48",
                     "--optim.clip_norm=0.5", "--telemetry.log_every=1", "--comm.first_bucket_mib=0.01",
                     "--comm.bucket_mib=0.05", *settings, ranks=ranks)
    lines = program.read_lines(run / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1)), "a step is missing or doubled"
    (weights,) = (run / "snapshots").glob("step_*/model.safetensors")
    return ([(line["loss"], line["grad_norm"]) for line in lines], hashlib.sha256(weights.read_bytes()).hexdigest(),
            max(line["memory_peak_bytes"] for line in lines))


def main():
    program.need_mpirun()
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        data = program.synthetic(folder / "train.h5", num_samples=100)
        for what, (settings, all_ranks, modes) in SETTINGS.items():
            for ranks in all_ranks:
                plain = train(folder, data, ranks, "none", settings)
                assert len(set(plain[0])) == STEPS, "losses repeat"
                for mode in modes:
                    found = train(folder, data, ranks, mode, settings)
                    if found[:2] != plain[:2]:
                        sys.exit(f"{what}, {ranks} ranks: {mode} gives {found[:2]}, not {plain[:2]}")
                    if not found[2] < plain[2]:
                        sys.exit(f"{what}, {ranks} ranks: {mode} peaks at {found[2]} bytes, plainly at {plain[2]}")
                    print(f"{what}, {ranks} ranks, {mode}: the same bits, peak {found[2] / plain[2]:.2f}", flush=True)


main()
