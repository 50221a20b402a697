"""The trash: runs and experiments go there, and come back."""

import stele

experiment_id = stele.create_experiment("trials")
client = stele.Client()
for number in range(4):
    run = client.create_run(experiment_id, run_name=f"trial {number}")
    client.set_terminated(run.info.run_id, "FAILED" if number < 3 else "FINISHED")

# --8<-- [start:delete]
for run in stele.search_runs([experiment_id], "status = 'FAILED'", output_format="list"):
    stele.delete_run(run.info.run_id)
print(len(stele.search_runs([experiment_id])), "run is left")

DELETED_ONLY = stele.entities.ViewType.DELETED_ONLY
trash = stele.search_runs([experiment_id], run_view_type=DELETED_ONLY, output_format="list")
stele.restore_run(trash[0].info.run_id)
print(len(stele.search_runs([experiment_id])), "runs are left")
# --8<-- [end:delete]

# --8<-- [start:archive]
print(stele.archive_experiment("trials").name)
print(stele.restore_archived_experiment("trials").name)
# --8<-- [end:archive]
