"""Gradio's page, but an update costs what it changes and not what it could change."""

from copy import copy
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.state_holder import SessionState


class SparseBlocks(gr.Blocks):
    """As Gradio's own; what an update leaves out is left alone.

    Gradio 6.31 makes every output of a handler anew for each of its updates, also those that stay
    as they are: with the room's 40, 12 ms for each drawing of a line that grows. It also makes a
    component anew to keep it for a later look at its choices, which a button has not.
    """

    async def postprocess_data(
        self,
        block_fn: Any,
        predictions: list[Any] | dict[Any, Any],
        state: SessionState | None,
    ) -> list[Any]:
        """Make of a handler's values what the browser gets."""
        told = predictions if isinstance(predictions, dict) else {}
        if not told or not all(isinstance(key, Block) for key in told):
            return await super().postprocess_data(block_fn, predictions, state)
        new = {block._id: value for block, value in told.items() if isinstance(block, gr.Button)}
        narrow = copy(block_fn)
        narrow.outputs = [block for block in told if block._id not in new]
        values = [told[block] for block in narrow.outputs]
        # Of a single output Gradio takes the value itself.
        given = values[0] if len(values) == 1 else values
        sent = await super().postprocess_data(narrow, given, state)
        new |= {block._id: value for block, value in zip(narrow.outputs, sent, strict=True)}
        return [new.get(block._id, gr.skip()) for block in block_fn.outputs]
