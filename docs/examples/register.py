"""A model on its way from a run into the registry, and an alias that moves through gates."""

import stele

# --8<-- [start:log]
stele.set_experiment("fraud")
with stele.start_run(run_name="amber"):
    stele.log_text("weights", "net/weights.txt")
    model = stele.initialize_logged_model("net", params={"depth": 3}, model_type="classifier")
    stele.log_metric("val_auc", 0.96, model_id=model.model_id)
stele.finalize_logged_model(model.model_id, "READY")
# --8<-- [end:log]

# --8<-- [start:register]
version = stele.register_model(model.model_uri, "fraud", tags={"data": "2026-01"})
print(version.name, version.version)
# --8<-- [end:register]

# --8<-- [start:promote]
result = stele.registry.promote("fraud", version.version, alias="champion", metric="val_auc", min=0.95, max_drop=0.02)
print(result.decision, result.candidate_value)
# --8<-- [end:promote]

# --8<-- [start:worse]
with stele.start_run(run_name="pale"):
    worse = stele.initialize_logged_model("net", params={"depth": 1})
    stele.log_metric("val_auc", 0.91, model_id=worse.model_id)
result = stele.registry.promote("fraud", worse, metric="val_auc", max_drop=0.02)
print(result.decision, result.reasons)
# --8<-- [end:worse]

# --8<-- [start:protect]
client = stele.Client()
client.protect("fraud", alias="champion", reason="it serves customers")
request = client.request_approval("fraud", "delete_alias", alias="champion", reason="it is wrong on new data")
client.comment_on_request(request.request_id, "which data?")
print(request.status, request.before)
# --8<-- [end:protect]

# --8<-- [start:events]
for event in client.search_registry_events("fraud", kinds=["alias_set", "alias_protected"]):
    print(event.kind, event.subject, event.before, event.after, event.reason)
# --8<-- [end:events]

# --8<-- [start:lineage]
lineage = stele.registry.lineage("fraud", "1")
print(lineage.run.run_name, lineage.model.name, lineage.version.version, lineage.version.aliases)
card = stele.registry.card("fraud", "1")
print(card.splitlines()[0])
# --8<-- [end:lineage]

# --8<-- [start:webhook]
hook = client.create_webhook(
    "ci",
    "https://ci.example.com/hook",
    ["model_version_alias.created", "model_version_stage.changed", "run.finished"],
    secret="long and random",
)
print(hook.status)
# --8<-- [end:webhook]
