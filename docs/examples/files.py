"""Every way to keep a file with a run, and how to get it back."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import stele

Path("plots").mkdir(exist_ok=True)
Path("plots/a.csv").write_text("x,y\n1,2\n")
Path("weights.bin").write_bytes(bytes(1000))

stele.set_experiment("files")
with stele.start_run() as run:
    # --8<-- [start:log]
    stele.log_text("It went well.\n", "report.txt")
    stele.log_dict({"layers": [64, 32], "dropout": 0.1}, "config.json")
    stele.log_artifact("weights.bin", "model")
    stele.log_artifacts("plots", "plots")

    figure, axes = plt.subplots()
    axes.plot([1, 2, 3], [3, 2, 1])
    stele.log_figure(figure, "plots/loss.png")

    stele.log_table({"digit": [3, 8], "taken_for": [8, 3]}, "mistakes.json")
    with Path("weights.bin").open("rb") as stream:
        stele.log_stream(stream, "model/copy.bin")
    # --8<-- [end:log]

    # --8<-- [start:images]
    picture = np.zeros((32, 32, 3), dtype=np.uint8)
    stele.log_image(picture, "black.png")
    for step in range(3):
        stele.log_image(picture, key="samples", step=step)
    # --8<-- [end:images]
    # --8<-- [start:versions]
    stele.log_text("It went well. Nearly.\n", "report.txt")
    # --8<-- [end:versions]

# --8<-- [start:read]
for file in stele.artifacts.list_artifacts(run_id=run.info.run_id):
    print(file.path + "/" * file.is_dir)

print(stele.artifacts.load_text(f"runs:/{run.info.run_id}/report.txt").strip())
print(stele.artifacts.load_dict(f"runs:/{run.info.run_id}/config.json"))
folder = stele.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="plots", dst_path="copies")
print(sorted(path.name for path in Path(folder).iterdir()))
# --8<-- [end:read]

# --8<-- [start:tables]
rows = stele.load_table("mistakes.json", extra_columns=["run_id"])
print(rows[["digit", "taken_for"]].to_dict("list"), rows["run_id"].nunique(), "run")
# --8<-- [end:tables]

# --8<-- [start:old]
repository = stele.Client().repository(run.info.run_id)
for version in repository.versions("report.txt"):
    print(version.version, version.file_size, version.sha256[:12], version.current)
print(repository.open_read("report.txt", version=1).read().decode().strip())
# --8<-- [end:old]
