"""Random types, schemas and parameters."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from stele.models.params import ParamSchema, ParamSpec
from stele.models.schema import ColSpec, Schema, TensorSpec
from stele.models.types import AnyType, Array, DataType, Map, Object, Property, SparkMLVector

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
scalars = st.sampled_from(DataType)


def _objects(inner):
    entries = st.dictionaries(names, st.tuples(inner, st.booleans()), min_size=1, max_size=4)
    return entries.map(lambda found: Object([Property(name, *each) for name, each in found.items()]))


nested = st.recursive(
    scalars | st.just(AnyType()) | st.just(SparkMLVector()),
    lambda inner: inner.map(Array) | inner.map(Map) | _objects(inner),
    max_leaves=8,
)

named_columns = st.dictionaries(names, st.tuples(nested, st.booleans()), min_size=1, max_size=5).map(
    lambda found: Schema([ColSpec(kind, name, required) for name, (kind, required) in found.items()])
)
unnamed_columns = st.lists(nested.map(ColSpec), min_size=1, max_size=4).map(Schema)
dtypes = st.sampled_from([np.dtype(name) for name in "float32 float64 int8 int64 uint16 bool str bytes object".split()])
shapes = st.lists(st.integers(-1, 40), min_size=1, max_size=4).map(tuple)
named_tensors = st.dictionaries(names, st.tuples(dtypes, shapes), min_size=1, max_size=4).map(
    lambda found: Schema([TensorSpec(dtype, shape, name) for name, (dtype, shape) in found.items()])
)
one_tensor = st.tuples(dtypes, shapes).map(lambda found: Schema([TensorSpec(*found)]))
schemas = named_columns | unnamed_columns | named_tensors | one_tensor

_values = {
    DataType.boolean: st.booleans(),
    DataType.integer: st.integers(-(2**31), 2**31 - 1),
    DataType.long: st.integers(-(2**63), 2**63 - 1),
    DataType.float: st.floats(allow_nan=False, width=32),
    DataType.double: st.floats(allow_nan=False),
    DataType.string: st.text(st.characters(codec="utf-8"), max_size=20),
    DataType.datetime: st.datetimes(),
}


@st.composite
def param_specs(draw, name):
    dtype = draw(st.sampled_from(list(_values)))
    value = _values[dtype]
    if draw(st.booleans()):
        return ParamSpec(name, dtype, draw(st.lists(value, max_size=3)), (-1,))
    return ParamSpec(name, dtype, draw(st.none() | value))


param_schemas = st.lists(names, unique=True, min_size=1, max_size=4).flatmap(
    lambda found: st.tuples(*map(param_specs, found)).map(lambda specs: ParamSchema(list(specs)))
)
