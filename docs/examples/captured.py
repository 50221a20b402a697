"""What a run says about where it came from."""

import stele

stele.set_experiment("captured")
# --8<-- [start:read]
with stele.start_run() as run:
    pass

run = stele.get_run(run.info.run_id)
print(sorted(key for key in run.data.tags if key.startswith("mlflow.")))
print([file.path for file in stele.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="environment")])
machine = stele.artifacts.load_dict(f"runs:/{run.info.run_id}/environment/environment.json")
print(sorted(machine))
# --8<-- [end:read]
