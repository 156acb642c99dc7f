import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_prep.json_bytes import encode_json

# Long enough for the fast way, with every character that has an escape.
long_texts = st.text(
    st.sampled_from('ab"\\\n\t\r\0\x1f\x7fé\u2028😀') | st.characters(exclude_categories=["Cs"])
).map(lambda text: text * 40)
keys = st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.booleans()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | long_texts,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
    max_leaves=8,
)


@given(values)
def test_the_bytes_are_those_of_python(value: Any) -> None:
    assert encode_json(value) == json.dumps(value, ensure_ascii=False).encode()
