from pathlib import Path

import stele


# --8<-- [start:class]
class Greeting(stele.pyfunc.PythonModel):
    def load_context(self, context):
        self.words = Path(context.artifacts["words"]).read_text(encoding="utf-8").split()

    def predict(self, context, model_input: list[str]) -> list[str]:
        return [f"{self.words[0]}, {name}" for name in model_input]


Path("words.txt").write_text("Hello Hi", encoding="utf-8")
info = stele.pyfunc.log_model(name="greeting", python_model=Greeting(), artifacts={"words": "words.txt"})
print(stele.pyfunc.load_model(info.model_uri).predict(["Ada"]))
# --8<-- [end:class]


# --8<-- [start:function]
def lengths(model_input: list[str]) -> list[int]:
    return [len(each) for each in model_input]


stele.pyfunc.save_model("lengths", python_model=lengths)
# --8<-- [end:function]

# --8<-- [start:trust]
model = stele.pyfunc.load_model("lengths", trust=True)
print(model.predict(["abc"]))
# --8<-- [end:trust]
