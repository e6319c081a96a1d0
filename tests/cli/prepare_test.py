"""lockstep prepare and inspect on real pictures: the excerpt of BCCD, through VOC and through COCO."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

SOURCE = Path(os.environ["LOCKSTEP_SOURCE"])
PROGRAM = Path(os.environ["LOCKSTEP_BIN"]) / "lockstep"
BCCD = SOURCE / "datasets" / "bccd"
CLASSES = ["Platelets", "RBC", "WBC"]


def run(*arguments, code=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def inspect(path):
    return json.loads(run("inspect", path, "--verify", "--json").stdout)


def coco_of_bccd(path):
    """The same pictures and boxes in COCO's form; zero-size boxes stay of zero size."""
    images, boxes = [], []
    for number, file in enumerate(sorted((BCCD / "Annotations").glob("*.xml"))):
        root = xml.etree.ElementTree.parse(file).getroot()
        images.append({"id": number, "file_name": file.stem + ".jpg",
                       "width": int(root.find("size/width").text),
                       "height": int(root.find("size/height").text)})
        for item in root.findall("object"):
            x0, y0, x1, y1 = (int(item.find(f"bndbox/{key}").text)
                              for key in ("xmin", "ymin", "xmax", "ymax"))
            size = [0, 0] if x0 == x1 else [x1 - x0 + 1, y1 - y0 + 1]
            boxes.append({"id": len(boxes), "image_id": number, "iscrowd": 0,
                          "category_id": CLASSES.index(item.find("name").text),
                          "bbox": [x0 - 1, y0 - 1, *size]})
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES)]
    path.write_text(json.dumps({"images": images, "annotations": boxes, "categories": categories}))


class Prepare(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = Path(self._folder.name)

    def test_voc_counts_are_exact(self):
        out = self.folder / "v.h5"
        text = run("prepare", "voc", BCCD, "--out", out, "--image-size", 160).stdout
        self.assertIn("left out: 2 boxes of no area: BloodImage_00338.xml, BloodImage_00343.xml", text)
        found = inspect(out)
        self.assertEqual(found["num_samples"], 6)
        self.assertEqual(found["num_boxes"], 33)
        self.assertEqual(found["task"], "detection")
        self.assertEqual(found["classes"], CLASSES)

    def test_coco_and_voc_give_the_same_bytes(self):
        coco_of_bccd(self.folder / "c.json")
        run("prepare", "voc", BCCD, "--out", self.folder / "v.h5", "--image-size", 96, "--threads", 1)
        text = run("prepare", "coco", self.folder / "c.json", BCCD / "JPEGImages", "--out",
                   self.folder / "c.h5", "--image-size", 96, "--threads", 3).stdout
        self.assertIn("left out: 2 boxes of no area", text)
        self.assertEqual((self.folder / "v.h5").read_bytes(), (self.folder / "c.h5").read_bytes())

    def test_jpeg_bytes_are_kept(self):
        out = self.folder / "j.h5"
        run("prepare", "voc", BCCD, "--out", out, "--encoding", "jpeg", "--split", "val")
        found = inspect(out)
        self.assertEqual(found["num_samples"], 3)
        self.assertEqual(found["split"], "val")
        stored = out.read_bytes()
        for name in ("00072", "00147", "00338"):
            self.assertIn((BCCD / "JPEGImages" / f"BloodImage_{name}.jpg").read_bytes(), stored)

    def test_own_sizes_and_recoding(self):
        for flags in (["--encoding", "raw"], ["--encoding", "jpeg", "--max-side", 320]):
            out = self.folder / "o.h5"
            run("prepare", "voc", BCCD, "--out", out, "--force", *flags)
            self.assertEqual(inspect(out)["num_boxes"], 33)

    def test_shards(self):
        run("prepare", "voc", BCCD, "--out", self.folder / "s.h5", "--encoding", "jpeg", "--shards", 2)
        self.assertEqual(inspect(self.folder / "s.json")["num_samples"], 6)

    def test_a_name_that_leaves_the_folder_is_bad_data(self):
        (self.folder / "c.json").write_text(json.dumps(
            {"images": [{"id": 1, "file_name": "../LICENSE"}], "categories": [{"id": 1, "name": "a"}],
             "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}]}))
        done = run("prepare", "coco", self.folder / "c.json", BCCD / "JPEGImages", "--out",
                   self.folder / "x.h5", "--image-size", 32, code=65)
        self.assertIn("../LICENSE", done.stderr)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["c.json"])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
