"""Experiments by name, tag and time; runs of all experiments."""

import stele

# --8<-- [start:all]
for name, team in [("fraud/cards", "risk"), ("fraud/loans", "risk"), ("churn", "growth")]:
    experiment_id = stele.create_experiment(name, tags={"team": team})
    stele.Client().create_run(experiment_id, run_name=f"first of {name}")

for filter_string in [
    "name LIKE 'fraud/%'",
    "tags.team = 'growth' OR name ILIKE '%LOANS'",
    "tags.team IS NULL",
    "creation_time > now-30d AND NOT name = 'Default'",
]:
    found = stele.search_experiments(filter_string=filter_string, order_by=["name"])
    print(f"{filter_string:50} {[experiment.name for experiment in found]}")

runs = stele.search_runs(search_all_experiments=True, order_by=["run_name"], output_format="list")
print([run.info.run_name for run in runs])
# --8<-- [end:all]
