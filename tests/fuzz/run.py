"""Builds the fuzz targets with clang in a folder of their own and runs each from small seeds. A finding fails the
test and stays under build/fuzz/findings. Exit 77: clang or its libFuzzer is not installed."""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

SOURCE = pathlib.Path(os.environ["LOCKSTEP_SOURCE"])
BUILD = SOURCE / "build/fuzz"
MEMORY_MIB = 1024  # of one input; sanitizers take their part
LONGEST_S = 5      # for one input


def links_fuzzers(compiler):
    with tempfile.TemporaryDirectory() as folder:
        probe = pathlib.Path(folder) / "probe.cpp"
        probe.write_text("""#include <source_location>
auto place = std::source_location::current();
extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }
""")
        made = subprocess.run([compiler, "-std=c++20", "-fsanitize=fuzzer,address", probe, "-o", probe.with_suffix("")],
                              capture_output=True, check=False)
    return made.returncode == 0


def clang():
    """clang++ 16 or newer with libFuzzer, or None. Older ones lack std::source_location."""
    names = ["clang++", *(f"clang++-{version}" for version in range(22, 15, -1))]
    return next((found for found in map(shutil.which, names) if found and links_fuzzers(found)), None)


def build(compiler, targets):
    c_compiler = compiler.replace("clang++", "clang")
    configure = ["cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                 "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -g1", f"-DCMAKE_CXX_COMPILER={compiler}",
                 f"-DCMAKE_C_COMPILER={c_compiler}", "-DLOCKSTEP_FUZZ=ON", "-DLOCKSTEP_TESTS=ON",
                 "-DLOCKSTEP_CUDA=OFF", "-DLOCKSTEP_MPI=OFF",
                 "-DLOCKSTEP_SANITIZE=address,undefined,fuzzer-no-link"]
    for command in (configure, ["cmake", "--build", BUILD, "-j", "2", "--target", *targets]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def png(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + bytes(range(3 * width)) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def idx_pair():
    images = struct.pack(">IIII", 0x803, 2, 3, 3) + bytes(18)
    labels = struct.pack(">II", 0x801, 2) + bytes([0, 1])
    return struct.pack(">H", len(images)) + images + labels


COCO = b"""{"images": [{"id": 1, "file_name": "a.jpg", "height": 20, "width": 30}], "categories": [{"id": 3,
"name": "cell"}], "annotations": [{"id": 7, "image_id": 1, "category_id": 3, "bbox": [1, 2.5, 3e0, 4], "area": 12,
"iscrowd": 0, "segmentation": [[1, 2, 3, 4]]}]}"""
VOC = b"""<annotation><size><width>30</width><height>20</height><depth>3</depth></size><object><name>RBC</name>
<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>6</ymax></bndbox></object></annotation>"""


def manifest():
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(os.environ["LOCKSTEP_BIN"]) / "lockstep"
        out = pathlib.Path(folder) / "train.json"
        subprocess.run([program, "prepare", "synthetic", "--out", out, "--num-samples=9", "--image-size=8",
                        "--shards=2"], check=True, capture_output=True)
        return out.read_bytes()


def seeds():
    """Target -> inputs that the parser takes."""
    pictures = [path.read_bytes() for path in sorted(SOURCE.glob("datasets/**/*.jpg"))[:3]]
    record = bytes([3]) + bytes(3072)
    return {"coco": [COCO], "voc": [VOC], "manifest": [manifest()], "image": [png(4, 3), *pictures],
            "idx": [idx_pair()], "cifar": [b"\0" + record, b"\1" + b"\1" + record]}


def fuzz(target, seconds):
    corpus, findings = BUILD / "corpus" / target, BUILD / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    for old in corpus.glob("seed_*"):
        old.unlink()
    findings.mkdir(exist_ok=True)
    for number, content in enumerate(seeds()[target]):
        (corpus / f"seed_{number}").write_bytes(content)
    program = BUILD / "tests" / f"fuzz_{target}"
    taken = subprocess.run([program, *sorted(corpus.glob("seed_*"))], capture_output=True, text=True, check=False,
                           env={**os.environ, "LOCKSTEP_FUZZ_TAKEN": "1"})
    if taken.returncode != 0:
        return target, taken.returncode, 0, f"an input that is valid was refused\n{taken.stderr}"
    command = [program, f"-max_total_time={seconds}", f"-timeout={LONGEST_S}",
               f"-rss_limit_mb={MEMORY_MIB}", "-max_len=65536", "-seed=1", f"-artifact_prefix={findings}/{target}-",
               "-print_final_stats=1", corpus]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=0"})
    executions = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    return target, done.returncode, int(executions[0]) if executions else 0, done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--targets", nargs="+", required=True)
    arguments = parser.parse_args()
    compiler = clang()
    if compiler is None:
        print("skipped: no clang++ 16 or newer with libFuzzer is installed (launch/setup --developer)")
        sys.exit(77)
    build(compiler, [f"fuzz_{target}" for target in arguments.targets])
    failed = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for target, code, executions, said in pool.map(lambda t: fuzz(t, arguments.seconds), arguments.targets):
            print(f"{target}: {executions} inputs, exit {code}", flush=True)
            if code != 0 or executions == 0:
                failed.append(target)
                print(said[-6000:])
    sys.exit(f"findings in {', '.join(failed)}: build/fuzz/findings" if failed else 0)


if __name__ == "__main__":
    main()
