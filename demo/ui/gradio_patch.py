"""The private APIs of Gradio that the room needs, and why.

`SparseBlocks` overrides `Blocks.postprocess_data` and reads `Block._id`, so that an update costs
what it changes. It overrides `Blocks.handle_streaming_diffs`, so that an event that ends repeats
nothing. Gradio has no public hooks there. `read_event` reads `EventData._data`.
"""

from copy import copy
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.state_holder import SessionState


class SparseBlocks(gr.Blocks):
    """A `gr.Blocks` that processes only the components in a handler's update.

    Gradio 6.31 remakes every output of a handler at each update, also the unchanged ones: with
    the room's 40 outputs this takes 12 ms for each update of a growing line. It also keeps a
    remade component to check later values against its choices, which a button does not have.
    """

    async def postprocess_data(
        self,
        block_fn: Any,
        predictions: list[Any] | dict[Any, Any],
        state: SessionState | None,
    ) -> list[Any]:
        """Turn a handler's values into what the browser receives."""
        updates = predictions if isinstance(predictions, dict) else {}
        if not updates or not all(isinstance(key, Block) for key in updates):
            return await super().postprocess_data(block_fn, predictions, state)
        sent = {
            block._id: value for block, value in updates.items() if isinstance(block, gr.Button)
        }
        narrow = copy(block_fn)
        narrow.outputs = [block for block in updates if block._id not in sent]
        values = [updates[block] for block in narrow.outputs]
        # For a single output Gradio expects the value itself and not a list.
        given = values[0] if len(values) == 1 else values
        processed = await super().postprocess_data(narrow, given, state)
        sent |= {block._id: value for block, value in zip(narrow.outputs, processed, strict=True)}
        return [sent.get(block._id, gr.skip()) for block in block_fn.outputs]

    def handle_streaming_diffs(
        self,
        block_fn: Any,
        data: list[Any],
        session_hash: str | None,
        run: str | None,
        final: bool,  # noqa: FBT001 - the signature is Gradio's
        simple_format: bool = False,  # noqa: FBT001
    ) -> list[Any]:
        """Return what a step of a handler sends.

        At the end of a generator Gradio sends its last values again, for clients of the API. On
        the page they would replace what another event has shown in the meantime.
        """
        sent = super().handle_streaming_diffs(
            block_fn, data, session_hash, run, final, simple_format
        )
        is_of_page = block_fn.api_visibility == "private"
        return [gr.skip() for _ in sent] if final and is_of_page else sent


def read_event(event: gr.EventData) -> dict[str, Any]:
    """Read all fields of an event of the page; the public attributes give only one by its name."""
    data: dict[str, Any] = event._data
    return data
