"""The body of a request, as far as no engine has to run."""

from typing import Any

import pytest
from pydantic import ValidationError

from serve.local_engine.request import ChatRequest

BODY: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}


def test_a_message_with_tool_calls_is_refused_in_a_sentence() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    with pytest.raises(ValidationError, match="this model only writes scenes"):
        ChatRequest.model_validate({**BODY, "messages": [message]})
