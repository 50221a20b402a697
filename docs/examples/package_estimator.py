import pandas as pd
from sklearn.linear_model import LinearRegression

import stele

data = pd.DataFrame({"area": [50.0, 80.0, 120.0], "rooms": [2.0, 3.0, 5.0]})
price = [150.0, 240.0, 360.0]

# --8<-- [start:log]
with stele.start_run() as run:
    model = LinearRegression().fit(data, price)
    info = stele.sklearn.log_model(model, name="price", input_example=data)
# --8<-- [end:log]

# --8<-- [start:load]
by_run = stele.pyfunc.load_model(f"runs:/{run.info.run_id}/price")
estimator = stele.sklearn.load_model(info.model_uri)
print(by_run.predict(pd.DataFrame({"area": [100], "rooms": [4]})).round())
# --8<-- [end:load]

# --8<-- [start:check]
try:
    by_run.predict(pd.DataFrame({"area": ["large"], "rooms": [4.0]}))
except stele.exceptions.InvalidParameterValue as error:
    print(error)
# --8<-- [end:check]

# --8<-- [start:inspect]
found = stele.models.inspect(info.model_uri)
print(found.runs_code, [(file.file, file.format) for file in found.findings])
# --8<-- [end:inspect]
