import io
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import PIL.Image
import pytest

import stele
from stele.client import downloads
from stele.errors import DoesNotExist, InvalidParameterValue

mpl.use("agg")


@pytest.fixture
def run():
    with stele.start_run() as active:
        yield active


def names(run, path=None):
    return [info.path for info in stele.Client().list_artifacts(run.info.run_id, path)]


def content(run, path):
    return Path(stele.Client().download_artifacts(run.info.run_id, path)).read_bytes()


def test_texts_and_dictionaries(run):
    stele.log_text("grün", "reports/a.txt")
    stele.log_dict({"a": [1, np.float32(2)], "when": pd.Timestamp("2026-01-01")}, "d.json")
    stele.log_dict({"a": [1, 2]}, "d.yaml")
    assert content(run, "reports/a.txt").decode() == "grün"
    assert json.loads(content(run, "d.json")) == {"a": [1, 2.0], "when": "2026-01-01T00:00:00"}
    assert b"a" in content(run, "d.yaml")
    assert names(run) == ["d.json", "d.yaml", "reports"]
    assert names(run, "reports") == ["reports/a.txt"]


def test_files_and_directories(run, workplace):
    (workplace / "model" / "deep").mkdir(parents=True)
    (workplace / "model" / "deep" / "w.bin").write_bytes(b"w")
    (workplace / "m.pkl").write_bytes(b"m")
    stele.log_artifact("m.pkl")
    stele.log_artifact(workplace / "m.pkl", "sub")
    stele.log_artifact("model")
    stele.log_artifacts("model", "copy")
    assert names(run) == ["copy", "m.pkl", "model", "sub"]
    assert content(run, "copy/deep/w.bin") == b"w"
    assert content(run, "model/deep/w.bin") == b"w"
    assert content(run, "sub/m.pkl") == b"m"
    for call in (stele.log_artifact, stele.log_artifacts):
        with pytest.raises(InvalidParameterValue, match="no-such"):
            call("no-such")


def test_downloads_land_where_they_should(run, workplace):
    stele.log_text("x", "a/b.txt")
    path = stele.Client().download_artifacts(run.info.run_id, "a", str(workplace / "out"))
    assert (Path(path), Path(path, "b.txt").read_text()) == (workplace / "out" / "a", "x")
    with pytest.raises(DoesNotExist):
        stele.Client().download_artifacts(run.info.run_id, "none")


@pytest.mark.parametrize("path", ["../a.txt", "/a.txt", "a/../../b.txt", ""])
def test_paths_cannot_leave_the_run(run, path):
    with pytest.raises(InvalidParameterValue):
        stele.log_text("x", path)


def test_streams(run):
    stele.log_stream(io.BytesIO(b"x" * 3_000_000), "big.bin")
    assert len(content(run, "big.bin")) == 3_000_000
    with pytest.raises(InvalidParameterValue, match="binary"):
        stele.log_stream(io.StringIO("text"), "t.txt")


@pytest.mark.parametrize(("path", "start"), [("f.png", b"\x89PNG"), ("f.svg", b"<?xml"), ("f.pdf", b"%PDF")])
def test_figures_of_matplotlib(run, path, start):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2])
    stele.log_figure(figure, path, save_kwargs={"dpi": 30})
    plt.close(figure)
    assert content(run, path).startswith(start)


def test_what_is_no_figure_is_refused(run):
    import matplotlib.pyplot as plt

    with pytest.raises(InvalidParameterValue, match="no figure"):
        stele.log_figure("figure", "f.png")
    figure = plt.figure()
    with pytest.raises(InvalidParameterValue, match="cannot be written"):
        stele.log_figure(figure, "f.unknown")
    plt.close(figure)


class TestImages:
    @pytest.mark.parametrize(
        "image",
        [
            np.zeros((4, 5), dtype=np.uint8),
            np.ones((4, 5, 1)),
            np.full((4, 5, 3), 0.5, dtype=np.float32),
            np.zeros((4, 5, 4), dtype=np.int64),
            np.zeros((4, 5), dtype=bool),
            [[0] * 5] * 4,
            PIL.Image.new("RGB", (5, 4)),
        ],
    )
    def test_pictures_of_many_kinds(self, run, image):
        stele.log_image(image, "i.png", synchronous=True)
        assert PIL.Image.open(io.BytesIO(content(run, "i.png"))).size == (5, 4)

    @pytest.mark.parametrize(
        "image",
        [
            np.zeros(4),
            np.zeros((2, 2, 2)),
            np.full((2, 2), 256),
            np.full((2, 2), 1.5),
            np.full((2, 2), np.nan),
            np.zeros((0, 2)),
            [[1], [1, 2]],
            np.array([["a"]]),
            "no-such.png",
        ],
    )
    def test_what_is_no_picture_is_refused(self, run, image):
        with pytest.raises(InvalidParameterValue):
            stele.log_image(image, "i.png")

    def test_a_series_is_written_in_the_background(self, run):
        image = np.zeros((300, 400, 3), dtype=np.uint8)
        for step in range(3):
            stele.log_image(image, key="val/loss", step=step)
        stele.flush_artifact_async_logging()
        found = names(run, "images")
        assert len(found) == 6
        assert sum(path.endswith("+compressed.webp") for path in found) == 3
        assert all(path.startswith("images/val~loss+step+") for path in found)
        small = PIL.Image.open(io.BytesIO(content(run, next(p for p in found if p.endswith(".webp")))))
        assert max(small.size) == 256
        assert stele.get_run(run.info.run_id).data.tags["mlflow.loggedImages"] == "True"

    def test_a_failure_in_the_background_is_told_at_the_flush(self, run, caplog):
        stele.log_image(np.zeros((2, 2)), "../i.png")
        with pytest.raises(InvalidParameterValue):
            stele.flush_artifact_async_logging()
        stele.flush_artifact_async_logging()

    def test_a_path_or_a_key(self, run):
        for arguments in ({}, {"artifact_file": "i.png", "key": "k"}):
            with pytest.raises(InvalidParameterValue, match="either"):
                stele.log_image(np.zeros((2, 2)), **arguments)

    def test_the_class(self, run, workplace):
        image = stele.Image(np.zeros((4, 6), dtype=np.uint8)).resize((3, 2))
        image.save(str(workplace / "i.jpg"))
        assert image.size == stele.Image(str(workplace / "i.jpg")).to_pil().size == (3, 2)
        assert image.to_list() == image.to_array().tolist() == [[0, 0, 0], [0, 0, 0]]
        stele.log_image(image, "i.jpg", synchronous=True)
        assert content(run, "i.jpg").startswith(b"\xff\xd8")


class TestTables:
    def test_a_second_table_is_appended(self, run):
        stele.log_table({"q": ["a", "b"], "n": [1, 2]}, "t.json")
        stele.log_table(pd.DataFrame({"q": ["c"], "x": [float("nan")]}), "t.json")
        frame = stele.load_table("t.json")
        assert list(frame.columns) == ["q", "n", "x"]
        assert list(frame["q"]) == ["a", "b", "c"]
        assert list(frame["n"].fillna(-1)) == [1, 2, -1]
        assert json.loads(content(run, "t.json"))["data"][2] == ["c", None, None]

    def test_one_value_is_a_row(self, run):
        stele.log_table({"q": "a", "v": np.float64(1)}, "t.json")
        assert stele.load_table("t.json").to_dict("records") == [{"q": "a", "v": 1.0}]

    def test_tables_of_several_runs_are_joined_with_facts_about_them(self):
        ids = []
        for i in range(3):
            with stele.start_run() as run:
                stele.log_param("i", i)
                if i < 2:
                    stele.log_table({"v": [i, i]}, "t.json")
                ids.append(run.info.run_id)
        frame = stele.load_table("t.json", extra_columns=["run_id", "params.i"])
        assert set(frame["run_id"]) == set(ids[:2])
        assert list(frame["params.i"].astype(int)) == list(frame["v"])
        assert len(stele.load_table("t.json", run_ids=ids[:1])) == 2
        assert stele.load_table("other.json").empty
        with pytest.raises(InvalidParameterValue, match="already"):
            stele.load_table("t.json", extra_columns=["v"])
        with pytest.raises(InvalidParameterValue, match="no field"):
            stele.load_table("t.json", extra_columns=["colour"])

    def test_pictures_in_cells_become_files(self, run):
        stele.log_table({"image": [stele.Image(np.zeros((2, 2)))]}, "t.json")
        cell = stele.load_table("t.json")["image"][0]
        assert cell["type"] == "image"
        assert content(run, cell["filepath"]).startswith(b"\x89PNG")

    @pytest.mark.parametrize("data", [{"a": [1], "b": [1, 2]}, [1, 2], "table"])
    def test_what_is_no_table_is_refused(self, run, data):
        with pytest.raises(InvalidParameterValue):
            stele.log_table(data, "t.json")

    def test_other_files_are_refused(self, run):
        with pytest.raises(InvalidParameterValue, match=r"\.json"):
            stele.log_table({"a": [1]}, "t.csv")
        stele.log_text("[1]", "t.json")
        with pytest.raises(InvalidParameterValue, match="no table"):
            stele.log_table({"a": [1]}, "t.json")


class TestAddresses:
    def test_files_are_read_by_their_address(self, run, workplace):
        stele.log_dict({"a": 1}, "deep/d.json")
        stele.log_image(np.zeros((2, 3)), "i.png", synchronous=True)
        root = f"runs:/{run.info.run_id}"
        assert downloads.load_dict(f"{root}/deep/d.json") == {"a": 1}
        assert json.loads(downloads.load_text(f"{root}/deep/d.json")) == {"a": 1}
        assert downloads.load_image(f"{root}/i.png").size == (3, 2)
        assert downloads.load_dict(stele.get_artifact_uri("deep/d.json")) == {"a": 1}
        assert [info.path for info in downloads.list_artifacts(root)] == ["deep", "i.png"]
        assert [info.path for info in downloads.list_artifacts(f"{root}/deep")] == ["deep/d.json"]
        assert Path(downloads.download_artifacts(root, dst_path=str(workplace / "o")), "i.png").is_file()
        found = downloads.download_artifacts(run_id=run.info.run_id, artifact_path="deep/d.json")
        assert Path(found).name == "d.json"

    def test_what_cannot_be_read(self, run):
        stele.log_stream(io.BytesIO(b"\xff\xfe"), "x.bin")
        root = f"runs:/{run.info.run_id}"
        for load in (downloads.load_text, downloads.load_dict, downloads.load_image):
            with pytest.raises(InvalidParameterValue):
                load(f"{root}/x.bin")
        with pytest.raises(DoesNotExist):
            downloads.load_text(f"{root}/none")
        with pytest.raises(InvalidParameterValue, match="either"):
            downloads.download_artifacts()
        with pytest.raises(InvalidParameterValue, match="artifact_path"):
            downloads.download_artifacts(artifact_uri=root, artifact_path="x")
