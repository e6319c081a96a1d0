"""run.determinism = world: the same blocks of samples spread over 1, 2 and 4 ranks have losses and gradient norms that
are equal bit for bit, with clipping, dropout, stochastic depth, MixUp and a padded last step. Without it they differ
somewhere, so that the comparison says something."""

import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program

BATCH = 6  # of a block
NUM_SAMPLES = 250  # 10 full steps of 24 and a padded one of 10
STEPS = 60
SPLITS = [(1, 4), (2, 2), (4, 1)]  # (ranks, accumulate)


def figures(folder, data, ranks, accumulate, *more):
    run = folder / f"run_{ranks}x{accumulate}{''.join(more)}"
    program.must_run(
        "train", f"--data.train={data}", f"--run.dir={run}", *program.FASHION_MODEL, "--run.epochs=20",
        f"--run.max_steps={STEPS}", f"--train.batch_per_rank={BATCH}", f"--train.accumulate={accumulate}",
        "--optim.clip_norm=1", "--schedule.warmup_steps=10", "--telemetry.log_every=1", "--model.dropout=0.1",
        "--model.drop_path=0.1", "--augment.mixup_alpha=0.2", "--comm.bucket_mib=0.02", *more,
        ranks=ranks, timeout_s=300)
    lines = program.read_lines(run / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1)), "a step is missing or doubled"
    return [(line["loss"], line["grad_norm"]) for line in lines]


def main():
    program.need_mpirun()
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        data = program.fashion(folder / "train.h5", num_samples=NUM_SAMPLES)
        expected = figures(folder, data, *SPLITS[0], "--run.determinism=world")
        assert len(set(expected)) == STEPS, "losses repeat"
        for ranks, accumulate in SPLITS[1:]:
            found = figures(folder, data, ranks, accumulate, "--run.determinism=world")
            different = [step for step, (a, b) in enumerate(zip(found, expected), 1) if a != b]
            print(f"{ranks} ranks x {accumulate} micro-batches: {len(different)} of {STEPS} steps differ")
            if different:
                step = different[0]
                sys.exit(f"step {step}: {found[step - 1]} against {expected[step - 1]}")
        plain = [figures(folder, data, *split) for split in SPLITS]
        if plain[0] == plain[1] == plain[2]:
            sys.exit("without it they are equal too: this test says nothing")


main()
