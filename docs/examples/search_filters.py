"""Three runs, and what each filter finds."""

import numpy as np

import stele

# --8<-- [start:runs]
stele.set_experiment("search")
for name, lr, model, losses in [
    ("ann", "0.1", "forest", [0.9, 0.2, 0.4]),
    ("bob", "0.01", "network", [0.8, 0.5, 0.3]),
    ("cleo", "1e-3", "linear", [0.7, 0.6, float("nan")]),
]:
    with stele.start_run(run_name=name, tags={"team": "risk" if name != "cleo" else "Growth"}):
        stele.log_params({"lr": lr, "model": model})
        for step, loss in enumerate(losses):
            stele.log_metric("loss", loss, step=step)
        if name == "ann":
            stele.log_metric("val/auc 10", 0.9)
            stele.log_input(stele.data.from_numpy(np.arange(4), name="digits"), context="training")
# --8<-- [end:runs]


# --8<-- [start:find]
def found(filter_string, order_by=None):
    runs = stele.search_runs(filter_string=filter_string, order_by=order_by, output_format="list")
    return " ".join(run.info.run_name for run in runs) or "none"


# --8<-- [end:find]

FILTERS = {
    "comparison": [
        "metrics.loss < 0.35",
        "metrics.loss <= 0.3",
        "metrics.loss > 0.3",
        "metrics.loss >= 0.3",
        "metrics.loss != 0.3",
        "params.model = 'forest'",
        "params.model != 'forest'",
        "tags.team = 'risk'",
        "status = 'FINISHED'",
        "run_name = 'ann'",
    ],
    "combined": [
        "metrics.loss < 0.35 AND params.model = 'network'",
        "params.model = 'forest' OR params.model = 'linear'",
        "NOT params.model = 'forest'",
        "tags.team = 'risk' AND (metrics.loss < 0.35 OR params.lr = '0.1')",
        "NOT (tags.team = 'risk' AND metrics.loss < 0.35)",
    ],
    "sets": [
        "params.model IN ('forest', 'linear')",
        "params.model NOT IN ('forest', 'linear')",
        "metrics.loss IN (0.3, 0.4)",
        "metrics.loss BETWEEN 0.3 AND 0.35",
        "params.lr BETWEEN 0.001 AND 0.05",
    ],
    "patterns": [
        "params.model LIKE '%o%k'",
        "tags.team LIKE 'growth'",
        "tags.team ILIKE 'growth'",
        "run_name LIKE '___'",
        "params.model RLIKE '^(forest|linear)$'",
        "params.model RLIKE 'n{1,2}e'",
    ],
    "presence": [
        "metrics.`val/auc 10` IS NOT NULL",
        "metrics.`val/auc 10` IS NULL",
        "metrics.`val/auc 10` != 0",
        "NOT metrics.`val/auc 10` = 0",
    ],
    "numbers": [
        "params.lr < 0.05",
        "params.lr = 0.001",
        "params.lr = '0.001'",
        "params.lr IN (0.1, 0.01)",
    ],
    "aggregates": [
        "min(metrics.loss) < 0.25",
        "max(metrics.loss) >= 0.8",
        "first(metrics.loss) = 0.7",
        "last(metrics.loss) < 0.5",
        "mean(metrics.loss) > 0.6",
        "count(metrics.loss) = 3",
    ],
    "times": [
        "start_time > '2020-01-01'",
        "start_time < '2020-01-01T09:30:00+01:00'",
        "start_time > now() - 7d",
        "start_time BETWEEN now-1d12h AND now+1m",
        "duration < 2h",
        "duration > 90s",
        "end_time IS NOT NULL",
    ],
    "datasets": [
        "dataset.name = 'digits'",
        "datasets.context = 'training'",
        "dataset.digest LIKE '%'",
    ],
}

ORDERS = [
    "metrics.loss ASC",
    "metrics.loss DESC",
    "min(metrics.loss)",
    "params.lr ASC",
    "start_time ASC",
    "run_name DESC",
]

for filters in FILTERS.values():
    for text in filters:
        print(f"{text:68} {found(text, ['run_name'])}")
for order in ORDERS:
    print(f"{order:68} {found('', [order])}")
