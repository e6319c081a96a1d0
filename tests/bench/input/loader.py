"""`lockstep bench input` against a tuned DataLoader over h5py and against a bare loop of pread: same file, warm
page cache. A ratio above 1 means that ours delivers more images a second. Exit 77: the packages are not there;
1: what was read differs."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import interleave

try:
    import h5py  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
# name: batch (divides the number of images, so that nothing is padded), epochs a block
FILES = {"fashion": (250, 4), "synthetic224": (64, 2)}
OUTPUTS = ("u8", "f32")
BLOCKS = 5  # of a launch of ours and of pread; a figure is their median
TUNING_PASSES = 3
WAYS = [{"read": read, "workers": workers, "threads": threads}
        for read in ("select", "direct") for workers, threads in ((0, 1), (0, 2), (1, 1), (2, 1))]


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stderr[-3000:]}")
    return result.stdout.strip().splitlines()[-1] if result.stdout.strip() else ""


def make_file(program, name, folder):
    path = folder / f"{name}.h5"
    if name == "fashion":
        images, labels = (FASHION / f"train-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1"))
        run(program, "prepare", "idx", images, labels, "--out", path)
    else:
        run(program, "prepare", "synthetic", "--out", path, "--num-samples", 1536, "--image-size", 224, "--classes",
            10, "--channels", 3, "--seed", 1)
    return path


class Peer:
    """A process that sleeps until it is asked for a block."""

    def __init__(self, path, batch, output, epochs, way):
        command = [sys.executable, "-s", HERE / "h5py_peer.py", path, batch, output, epochs, json.dumps(way)]
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("h5py_peer.py ended early")
        return json.loads(line)

    def block(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()["rate"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def tune(path, batch, output):
    """The peer's ways in turn, several passes; best first."""
    rates = [[] for _ in WAYS]
    peers = [Peer(path, batch, output, 1, way) for way in WAYS]
    for _ in range(TUNING_PASSES):
        for index, peer in enumerate(peers):
            rates[index].append(peer.block())
    for peer in peers:
        peer.close()
    ranked = sorted(range(len(WAYS)), key=lambda index: -max(rates[index]))
    return [WAYS[index] | {"images_per_s": rates[index]} for index in ranked]


class Ours:
    def __init__(self, program, path, batch, output, epochs, num_samples):
        steps = epochs * -(-num_samples // batch)
        self.command = [program, "bench", "input", f"--data.train={path}", f"--batch={batch}", f"--output={output}",
                        f"--blocks={BLOCKS}", f"--steps={steps}", "--json"]

    def record(self, *more):
        return json.loads(run(*self.command, *more))

    def block(self):
        return statistics.median(self.record()["blocks"])


def check_bytes(name, program, path, batch, place, pread, byte_sum):
    """Our bytes in file order, the loop's and h5py's are the same ones."""
    floor = json.loads(pread())
    ours = Ours(program, path, batch, "u8", 1, place["count"]).record("--data.order=sequential")
    if floor["byte_sum"] != byte_sum or ours["checksum"] != floor["checksum"]:
        sys.exit(f"{name}: what was read differs: sums {floor['byte_sum']} and {byte_sum}, checksums "
                 f"{ours['checksum']} and {floor['checksum']}")
    print(f"{name}: the same {place['count']} images on all sides")


def measure_row(name, output, program, floor_program, path, rounds):
    batch, epochs = FILES[name]
    ways = tune(path, batch, output)
    way = {key: ways[0][key] for key in ("read", "workers", "threads")}
    print(f"{name} {output}: the peer's best of {len(ways)} ways is {way}")
    peer = Peer(path, batch, output, epochs, way)
    place = peer.about["place"]

    def pread():
        return run(floor_program, path, place["offset"], place["sample_bytes"], place["count"], batch, BLOCKS, epochs)

    check_bytes(name, program, path, batch, place, pread, peer.about["byte_sum"])
    ours = Ours(program, path, batch, output, epochs, place["count"])
    versions = {"ours": ours.record()["versions"], "peer": peer.about["versions"]}
    rows = []
    others = {"h5py": lambda: statistics.median(peer.block() for _ in range(BLOCKS))}
    if output == "u8":
        others["pread"] = lambda: statistics.median(json.loads(pread())["blocks"])
    for other, block in others.items():
        blocks = interleave.measure(ours.block, block, rounds)
        result = interleave.summary(blocks)
        print(interleave.sentence(f"{name} {output} against {other}", result, "images/s"), flush=True)
        rows.append({"row": f"{name} {output} against {other}", "unit": "images/s", "result": result,
                     "blocks": blocks, "batch": batch, "epochs_per_block": epochs, "versions": versions,
                     "peer_way": way if other == "h5py" else "one thread", "peer_tuning": ways})
    peer.close()
    return rows


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built lockstep")
    parser.add_argument("floor", help="the built bench_pread_loop")
    parser.add_argument("--files", default=",".join(FILES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="write the record as JSON")
    return parser.parse_args()


def main():
    arguments = parse()
    rows = []
    with tempfile.TemporaryDirectory(prefix="lockstep_bench_") as folder:
        for name in arguments.files.split(","):
            if name == "fashion" and not FASHION.is_dir():
                print("skipped fashion: install dataset-fashion-mnist")
                continue
            path = make_file(arguments.program, name, pathlib.Path(folder))
            for output in OUTPUTS:
                rows += measure_row(name, output, arguments.program, arguments.floor, path, arguments.rounds)
            path.unlink()
    interleave.save(arguments.out, {"bench": "input", "machine": interleave.machine(), "rows": rows})
    sys.exit(77 if not rows or any(row["result"]["void"] for row in rows) else 0)


if __name__ == "__main__":
    main()
