"""Fits a line to ten points by gradient descent, and logs how it goes."""

import stele

POINTS = [(x / 10, 2 * x / 10 + 1) for x in range(10)]


# --8<-- [start:fit]
def fit(lr, epochs):
    slope = offset = 0.0
    for epoch in range(epochs):
        errors = [slope * x + offset - y for x, y in POINTS]
        loss = sum(error * error for error in errors) / len(POINTS)
        stele.log_metric("loss", loss, step=epoch)
        slope -= lr * sum(error * x for error, (x, _) in zip(errors, POINTS, strict=True)) / len(POINTS)
        offset -= lr * sum(errors) / len(POINTS)
    return slope, offset, loss


# --8<-- [end:fit]
# --8<-- [start:run]
if __name__ == "__main__":
    stele.set_experiment("line", tags={"team": "tutorial"})
    with stele.start_run(run_name="first try") as run:
        stele.log_params({"lr": 0.1, "epochs": 200})
        slope, offset, loss = fit(lr=0.1, epochs=200)
        stele.log_text(f"y = {slope:.3f} x + {offset:.3f}\n", "formula.txt")
        stele.set_tag("reviewed", "no")
    print(f"loss {loss:.5f}")
    # --8<-- [end:run]
