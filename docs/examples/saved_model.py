from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import stele.sklearn
from stele.models import infer_signature

frame = load_iris(as_frame=True)
rows = frame.data.iloc[:, [0, 2]].set_axis(["sepal", "petal"], axis=1)
model = LogisticRegression().fit(rows, frame.target)

signature = infer_signature(rows, model.predict(rows))
stele.sklearn.save_model(model, "model", signature=signature, input_example=rows.head(2))
