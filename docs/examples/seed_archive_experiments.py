"""A weekly job: experiments without news for 90 days move to ``_archived/``, their runs stay readable."""

import time

import stele as mlflow

DAY = 24 * 60 * 60 * 1000
oldest = int(time.time() * 1000) - 90 * DAY

for experiment in mlflow.search_experiments(filter_string="NOT name LIKE '_archived/%' AND name != 'Default'"):
    newest = mlflow.search_runs(
        [experiment.experiment_id], order_by=["start_time DESC"], max_results=1, output_format="list"
    )
    last_news = newest[0].info.start_time if newest else experiment.creation_time
    if last_news < oldest:
        print(mlflow.archive_experiment(experiment.name).name)
