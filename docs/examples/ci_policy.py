"""Refuses an experiment without an owner."""

import stele

# --8<-- [start:set]
try:
    stele.set_experiment("churn", required_tags=["team", "ticket"])
except stele.exceptions.InvalidParameterValue as error:
    print(error)

stele.set_experiment("churn", tags={"team": "growth", "ticket": "ML-17"}, required_tags=["team", "ticket"])
print("fine")
# --8<-- [end:set]
# --8<-- [start:all]
for experiment in stele.check_experiment_tags(["team"]):
    print(experiment.name, experiment.tags["team"])
# --8<-- [end:all]
