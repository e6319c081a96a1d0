"""One rank with a global batch, and the same batch split over ranks and micro-batches, have the same
losses: 100 fp32 steps on real images that cross the padded last step of several epochs, within 2e-6
relative; also when the ranks choose the size of buckets by measurement. A run whose learning rate is off by a thousandth must differ by far more, so that a wrong
normaliser (ranks, accumulation, padding) would show."""

import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program

GLOBAL_BATCH = 24
NUM_SAMPLES = 250  # 10 full steps of 24 and a padded one of 10
STEPS = 100
LIMIT = 2e-6
SPLITS = [(2, 1), (4, 1), (1, 4), (2, 3)]  # (ranks, accumulate)
MEASURED = [(2, []), (4, ["--parallel.zero=1"])]  # (ranks, settings)


def losses(folder, data, ranks, accumulate, *settings, lr=1e-3, says=""):
    run = folder / f"run_{len(list(folder.iterdir()))}"
    text = program.must_run(
        "train", f"--data.train={data}", f"--run.dir={run}", *program.FASHION_MODEL, "--run.epochs=20",
        f"--run.max_steps={STEPS}", f"--train.global_batch={GLOBAL_BATCH}", f"--train.accumulate={accumulate}",
        f"--optim.lr={lr}", "--optim.clip_norm=1", "--schedule.warmup_steps=10", "--telemetry.log_every=1",
        *settings, ranks=ranks, timeout_s=300).stderr
    assert says in text, f"nothing of {says} in: {text}"
    lines = program.read_lines(run / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1)), "a step is missing or doubled"
    images = sum(sum(record.get("images", 0) for record in program.read_lines(file))
                 for file in sorted((run / "ranks").glob("*.jsonl")))
    return [line["loss"] for line in lines], images


def largest_difference(found, expected):
    return max(abs(a - b) / abs(b) for a, b in zip(found, expected))


def main():
    program.need_mpirun()
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        data = program.fashion(folder / "train.h5", num_samples=NUM_SAMPLES)
        expected, expected_images = losses(folder, data, 1, 1)
        assert expected[-1] < 0.8 * expected[0], f"the run does not learn: {expected[0]} to {expected[-1]}"
        control = largest_difference(losses(folder, data, 1, 1, lr=1.001e-3)[0], expected)
        print(f"control, learning rate off by a thousandth: {control:.2e}")
        assert control > 20 * LIMIT, "these losses would not show a wrong update"
        worst = 0.0
        for ranks, accumulate in SPLITS:
            found, images = losses(folder, data, ranks, accumulate)
            assert images == expected_images, f"{ranks}x{accumulate}: {images} images, not {expected_images}"
            difference = largest_difference(found, expected)
            print(f"{ranks} ranks x {accumulate} micro-batches: largest relative difference {difference:.2e}")
            worst = max(worst, difference)
        refused = program.run("train", "--dry-run", f"--data.train={data}", *program.FASHION_MODEL, "--train.global_batch=24",
                              "--comm.bucket_mib=auto", "--run.determinism=bitwise", ranks=2)
        assert refused.returncode == 78 and "auto measures: write a number" in refused.stderr, refused.stderr
        for ranks, settings in MEASURED:
            found, _ = losses(folder, data, ranks, 1, "--comm.bucket_mib=auto", "--comm.first_bucket_mib=0.01", *settings,
                              says="comm.bucket_mib = auto: buckets of")
            difference = largest_difference(found, expected)
            print(f"{ranks} ranks, buckets by measurement {' '.join(settings)}: largest relative difference {difference:.2e}")
            worst = max(worst, difference)
        if worst > LIMIT:
            sys.exit(f"losses differ by {worst:.2e}, more than {LIMIT:.0e}")


main()
