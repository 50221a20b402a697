"""A program that logs one metric in a loop, with Stele or with MLflow, and prints as JSON how long the calls took.

``python log_loop.py MODULE URI CALLS [SYNCHRONOUS]``; the module is ``stele`` or ``mlflow``, and ``SYNCHRONOUS``
(``yes`` or ``no``) what is said to every call. Runs in either environment.
"""

import importlib
import json
import sys
import time


def main() -> None:
    """Log, and print what it took."""
    name, uri, calls, *synchronous = sys.argv[1:]
    tracker, count = importlib.import_module(name), int(calls)
    tracker.set_tracking_uri(uri)
    options = {"synchronous": synchronous == ["yes"]} if synchronous else {}
    log, clock = tracker.log_metric, time.perf_counter_ns
    with tracker.start_run():
        for step in range(min(count, 1000) // 10 + 1):
            log("warm", 0.5, step=step, **options)
        samples = []
        for step in range(min(count, 200_000)):
            started = clock()
            log("timed", 0.5, step=step, **options)
            samples.append(clock() - started)
        started = clock()
        for step in range(count):
            log("sustained", 0.5, step=step, **options)
        ended = clock()
    samples.sort()
    print(
        json.dumps(
            {
                "p50_us": samples[len(samples) // 2] / 1000,
                "p99_us": samples[len(samples) * 99 // 100] / 1000,
                "calls_a_second": count / (ended - started) * 1e9,
                "stored_seconds": (clock() - ended) / 1e9,
            }
        )
    )


if __name__ == "__main__":
    main()
