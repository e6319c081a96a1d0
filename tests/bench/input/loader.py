"""`lockstep bench input` against its peers: DataLoader over h5py (tuned and ordinary), a bare loop of pread, HDF5's own
threads, a chunk-window loader. Same file, same cores, interleaved. A ratio above 1 means that ours delivers more.
Exit 77: the packages are not there, or a row is void; 1: what was read differs."""

import argparse
import io
import json
import pathlib
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import interleave
import sides

try:
    import h5py
    import numpy as np
    import torch  # noqa: F401
    from PIL import Image
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
BATCH = 64  # divides the numbers of images, so that nothing is padded
NUM_224 = 1536
NUM_GZIP = 2048
NUM_JPEG = 64
CHUNK = 16
# Passes over a warm file a block, so that a block takes about half a second: shorter ones feel every interrupt.
PASSES = {"rgb224": 16, "fashion": 16}
PEER_CACHE_MIB = 32  # of HDF5; the gzip file is ten times as large


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.rows, self.files = arguments, folder, [], {}

    def row(self, name, goal, ours, peer, unit="images/s", slower_is_better=False, **more):
        blocks = interleave.measure(ours, peer, self.arguments.rounds, say=self.arguments.say)
        result = interleave.summary(blocks)
        if slower_is_better:  # of times: how many times less
            result["ratio"] = 1 / result["ratio"]
            result["interval_95"] = sorted(1 / value for value in result["interval_95"])
        print(interleave.sentence(name, result, unit), flush=True)
        met = not result["void"] and result["interval_95"][0] >= float(goal.removeprefix("at least "))
        self.rows.append({"row": name, "goal": goal, "met": met, "unit": unit, "result": result, "blocks": blocks} | more)

    def ours(self, path, output, threads, *more, batch=BATCH, passes=0):
        with h5py.File(path, "r") as file:
            steps = passes * (len(file["label"]) // batch) if passes else 0
        return sides.Ours(self.arguments.program, path, batch, output, threads, *more, steps=steps)

    # Files, made when a row first wants them.
    def file(self, name):
        if name not in self.files:
            self.files[name] = getattr(self, f"make_{name}")(self.folder / f"{name}.h5")
        return self.files[name]

    def prepare(self, path, *words):
        sides.run(self.arguments.program, "prepare", *words, "--out", path)
        return path

    def synthetic(self, path, count, size, channels):
        return self.prepare(path, "synthetic", "--num-samples", count, "--image-size", size, "--classes", 10,
                            "--channels", channels, "--seed", 1)

    def make_rgb224(self, path):
        return self.synthetic(path, NUM_224, 224, 3)

    def make_fashion(self, path):
        return self.prepare(path, "idx", *(FASHION / f"train-{kind}-ubyte.gz"
                                           for kind in ("images-idx3", "labels-idx1")))

    def make_million(self, path):
        return self.synthetic(path, 1_280_000, 8, 1)

    def make_gzip(self, path):
        """Foreign: smooth pictures with noise, 16 a chunk, deflated; about half their size."""
        random = np.random.default_rng(1)
        with h5py.File(path, "w") as file:
            images = file.create_dataset("images", (NUM_GZIP, 224, 224, 3), "u1", chunks=(CHUNK, 224, 224, 3),
                                         compression="gzip", compression_opts=4)
            for begin in range(0, NUM_GZIP, CHUNK):
                coarse = random.integers(0, 256, (CHUNK, 14, 14, 3))
                smooth = np.repeat(np.repeat(coarse, 16, axis=1), 16, axis=2)
                images[begin:begin + CHUNK] = np.clip(smooth + random.integers(-4, 5, smooth.shape), 0, 255)
            file["label"] = random.integers(0, 10, NUM_GZIP)
        return path

    def make_chunks(self, path):
        """Foreign: 20,000 chunks, not deflated."""
        with h5py.File(path, "w") as file:
            images = file.create_dataset("images", (20_000, 16, 16, 1), "u1", chunks=(1, 16, 16, 1))
            images[:] = np.arange(20_000, dtype=np.uint8)[:, None, None, None]
            file["label"] = np.arange(20_000) % 10
        return path

    def make_pictures(self, kb):
        """JPEG files of 500 x 375 and about so many KB, with the spectrum of photographs (amplitude 1 / frequency)."""
        random = np.random.default_rng(kb)
        folder = self.folder / f"jpeg{kb}"
        folder.mkdir()
        frequency = np.hypot(np.fft.fftfreq(375)[:, None], np.fft.fftfreq(500)[None, :])
        frequency[0, 0] = 1
        for number in range(NUM_JPEG):
            waves = np.fft.fft2(random.standard_normal((3, 375, 500))) / frequency
            planes = np.fft.ifft2(waves).real
            shared = planes[:1] + 0.3 * planes[1:].mean(axis=0, keepdims=True)  # colours go together
            picture = np.concatenate([shared, shared + 0.3 * planes[1:2], shared + 0.3 * planes[2:]])
            picture = 128 + 50 * picture / picture.std()
            picture = Image.fromarray(np.clip(picture, 0, 255).astype("u1").transpose(1, 2, 0))
            sizes = {}
            for quality in (20, 30, 40, 50, 60, 70, 75, 80, 85, 88, 90, 92, 94, 95, 96, 97, 98):
                bytes_of = io.BytesIO()
                picture.save(bytes_of, "JPEG", quality=quality)
                sizes[abs(bytes_of.tell() - 1000 * kb)] = bytes_of.getvalue()
            (folder / f"{number:03}.jpg").write_bytes(sizes[min(sizes)])
        return folder

    # Rows.
    def rows_jpeg(self):
        for kb, goal in ((110, "at least 1.1"), (30, "at least 1.4")):
            folder = self.make_pictures(kb)
            one = lambda way: json.loads(sides.run(self.arguments.jpeg, folder, way, sides.BLOCKS))  # noqa: E731
            similar = one("ssim")
            if similar["ssim_mean"] < 0.98:
                sys.exit(f"JPEG of {kb} KB: SSIM {similar['ssim_mean']} between both ways, they do not show the same")
            print(f"JPEG of {kb} KB: SSIM {similar['ssim_mean']:.4f}, of the worst {similar['ssim_least']:.4f}", flush=True)
            self.row(f"JPEG of 500 x 375 and {kb} KB to random crops of 224, one core, against whole decodes", goal,
                     lambda: statistics.median(one("ours")["blocks"]), lambda: statistics.median(one("loop")["blocks"]),
                     **similar)

    def rows_f32(self):
        path = self.file("rgb224")
        ours = self.ours(path, "f32", 2, passes=PASSES["rgb224"])
        for kind, goal, ways in (
                ("tuned", "at least 4", sides.tuned_ways()),
                ("ordinary", "at least 10", sides.of_kind("ordinary"))):
            peer = sides.best(path, BATCH, "f32", ways)
            self.row(f"f32 224 x 224, shuffled, warm, against {kind} h5py", goal, ours.block, peer.block,
                     peer_tuning=peer.tuning, cpu_us_per_image=ours.records[-1]["cpu_us_per_image"] if ours.records else None,
                     versions={"ours": ours.record()["versions"], "peer": peer.first["versions"]})
            peer.close()

    def rows_u8(self):
        path = self.file("rgb224")
        peer = sides.best(path, BATCH, "u8", sides.tuned_ways())
        self.row("u8 224 x 224, two reader threads, against tuned h5py", "at least 2",
                 self.ours(path, "u8", 2, passes=PASSES["rgb224"]).block, peer.block, peer_tuning=peer.tuning)
        peer.close()

    def pread(self, path, labels, *more, batch=BATCH, epochs=1, buffers=2):
        with h5py.File(path, "r") as file:
            images = file["images"]
            file["label"][:].astype("<i8").tofile(labels)
            size, count = int(np.prod(images.shape[1:])), len(images)
            offset = images.id.get_offset()
        return lambda: json.loads(sides.run(self.arguments.pread, path, labels, offset, size, count, batch,
                                            sides.BLOCKS, epochs, buffers, *more))

    def check_bytes(self, path, ours, pread):
        """The same images and labels reach all three."""
        with h5py.File(path, "r") as file:
            images = file["images"]
            through_h5py = sum(int(images[i:i + 512].sum(dtype="u8")) for i in range(0, len(images), 512))
        floor, first = pread(), ours.record()
        if floor["byte_sum"] != through_h5py or first["checksum"] != floor["checksum"]:
            sys.exit(f"{path.name}: what was read differs: sums {floor['byte_sum']} and {through_h5py}, checksums "
                     f"{first['checksum']} and {floor['checksum']}")
        print(f"{path.name}: the same images and labels on all sides")

    def rows_floor(self):
        for name, batch in (("rgb224", BATCH), ("fashion", 250)):
            if name == "fashion" and not FASHION.is_dir():
                print("skipped fashion: install dataset-fashion-mnist")
                continue
            path = self.file(name)
            passes = PASSES[name]
            pread = self.pread(path, path.with_suffix(".labels"), batch=batch, epochs=passes)
            floor = lambda: statistics.median(pread()["blocks"])  # noqa: E731
            one = self.pread(path, path.with_suffix(".labels"), batch=batch, epochs=passes, buffers=1)
            ours = self.ours(path, "u8", 1, batch=batch, passes=passes)
            self.check_bytes(path, ours, pread)
            self.row(f"{name}: loader, one thread, against a bare pread loop with two buffers, warm", "at least 0.90",
                     ours.block, floor)
            self.row(f"{name}: the same against the loop with one buffer", "at least 0.90", ours.block,
                     lambda: statistics.median(one()["blocks"]))
            checked = self.ours(path, "u8", 1, "--data.verify=always", batch=batch, passes=passes)
            self.row(f"{name}: the same with CRC-32C against the loop with two, without", "at least 0.60", checked.block,
                     floor)

    def rows_cold(self):
        path = self.file("rgb224")
        pread = self.pread(path, path.with_suffix(".labels"), "cold")
        ours = self.ours(path, "u8", 1, "--cold")
        self.row("rgb224: loader, one thread, against a bare pread loop, cold", "at least 0.95", ours.block,
                 lambda: statistics.median(pread()["blocks"]))

    def rows_gzip(self):
        path = self.file("gzip")
        ours = self.ours(path, "u8", 2)
        for kind, goal, ways in (
                ("tuned", "at least 8", sides.of_kind("tuned", read="select", cache_mib=PEER_CACHE_MIB)),
                ("window", "at least 1.5", sides.of_kind("window", cache_mib=PEER_CACHE_MIB))):
            peer = sides.best(path, BATCH, "u8", ways)
            what = "a global shuffle by tuned h5py" if kind == "tuned" else "a chunk-window h5py loader"
            # A block of the global shuffle takes many seconds: one is enough of it.
            self.row(f"gzip, 16 a chunk, against {what}", goal, ours.block,
                     peer.one if kind == "tuned" else peer.block, peer_tuning=peer.tuning,
                     shuffle=ours.record()["shuffle"])
            peer.close()

    def rows_threads(self):
        for name, batch, epochs in (("rgb224", BATCH, 8), ("fashion", 250, 1)):
            if name == "fashion" and not FASHION.is_dir():
                continue
            path = self.file(name)
            native = lambda: statistics.median(json.loads(sides.run(  # noqa: E731
                self.arguments.hdf5, "threads", path, "images", batch, sides.BLOCKS, epochs, 2))["blocks"])
            self.row(f"{name}: two reader threads against two threads of HDF5", "at least 2.5",
                     self.ours(path, "u8", 2, batch=batch, passes=PASSES[name]).block, native)

    def rows_first(self):
        path = self.file("million")
        times = []
        for _ in range(self.arguments.rounds):
            times.append(self.ours(path, "u8", 1, "--steps=10").first_batch_s())
        print(f"first batch of 1.28 M samples: {1e3 * statistics.median(times):.1f} ms (goal: at most 50)", flush=True)
        self.rows.append({"row": "first batch after opening, 1.28 M samples", "goal": "at most 50 ms",
                          "met": statistics.median(times) <= 0.05, "unit": "s",
                          "result": {"ours_median": statistics.median(times), "void": False}, "blocks": times})
        path = self.file("chunks")
        ours = self.ours(path, "u8", 1, "--steps=10")
        self.row("first batch after opening, 20,000 chunks, against a chunk_info loop", "at least 100",
                 ours.first_batch_s,
                 lambda: json.loads(sides.run(self.arguments.hdf5, "chunk_info", path, "images"))["seconds"],
                 unit="s", slower_is_better=True)


def table(rows):
    lines = ["| what | goal | met | ratio (95 %) | ours | peer | control |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        result = row["result"]
        if "ratio" not in result:
            lines.append(f"| {row['row']} | {row['goal']} | {row['met']} | | {result['ours_median']:.4g} {row['unit']} | | |")
            continue
        low, high = result["interval_95"]
        void = " void" if result["void"] else ""
        lines.append(f"| {row['row']} | {row['goal']} | {row['met']} | {result['ratio']:.2f} ({low:.2f} to {high:.2f}) | "
                     f"{result['ours_median']:.4g} | {result['peer_median']:.4g} {row['unit']} | "
                     f"{result['control']:.3f}{void} |")
    return "\n".join(lines)


def parse():
    names = [name.removeprefix("rows_") for name in dir(Bench) if name.startswith("rows_")]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built lockstep")
    parser.add_argument("pread", help="the built bench_pread_loop")
    parser.add_argument("hdf5", help="the built bench_hdf5_peer")
    parser.add_argument("jpeg", help="the built bench_jpeg_loop")
    parser.add_argument("--rows", default=",".join(names), help="of " + ", ".join(names))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quiet", action="store_true", help="no line a round")
    parser.add_argument("--out", help="write the record as JSON")
    return parser.parse_args()


def main():
    arguments = parse()
    arguments.say = (lambda line: None) if arguments.quiet else print
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lockstep_bench_") as folder:
        bench = Bench(arguments, pathlib.Path(folder))
        for name in arguments.rows.split(","):
            getattr(bench, f"rows_{name}")()
    print(f"\n{table(bench.rows)}\n{time.monotonic() - begin:.0f} s")
    interleave.save(arguments.out, {"bench": "input", "machine": interleave.machine(), "rows": bench.rows})
    sys.exit(77 if not bench.rows or any(row["result"]["void"] for row in bench.rows) else 0)


if __name__ == "__main__":
    main()
