import stele

stele.set_experiment("first")
with stele.start_run(run_name="line"):
    stele.log_params({"lr": 0.1, "epochs": 20})
    loss = 1.0
    for epoch in range(20):
        loss *= 0.9
        stele.log_metric("loss", loss, step=epoch)
    stele.log_text(f"final loss {loss:.3f}", "report.txt")

best = stele.search_runs(filter_string="min(metrics.loss) < 0.2 AND params.lr < 0.5", output_format="list")
print(best[0].info.run_name, round(best[0].data.metrics["loss"], 3))
