"""What a program prints, kept with its run."""

import stele

stele.set_experiment("console")
# --8<-- [start:keep]
with stele.start_run(log_console=True) as run:
    print("reading 1000 rows")
    print("accuracy", 0.93)
# --8<-- [end:keep]

# --8<-- [start:read]
for file in stele.Client().list_artifacts(run.info.run_id, "logs/console"):
    text = stele.artifacts.load_text(f"{run.info.artifact_uri}/{file.path}")
    print(file.path, text.splitlines())
# --8<-- [end:read]
