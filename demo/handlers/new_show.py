"""Handlers of a new show: the page asks, and the controller on this machine answers."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from demo.controller.client import ControllerClient
from demo.generation.client import ModelClient
from demo.handlers.connection import ConnectionHandlers
from demo.ui.forms import FieldValues
from demo.ui.gradio_patch import read_event
from demo.ui.layout import Layout
from demo.ui.script_html import pack
from demo.ui.view import Updates
from nothing_gpt.errors import UserError


class NewShowHandlers:
    """Handlers for what the page asks of the controller."""

    def __init__(
        self,
        controller: ControllerClient,
        client: ModelClient,
        layout: Layout,
        connection: ConnectionHandlers,
    ) -> None:
        self._controller, self._client = controller, client
        self._layout, self._connection = layout, connection

    async def ask(self, event: gr.EventData) -> Updates:
        """Answer one question of the page, which has a number."""
        question = read_event(event)
        action, fields = question.get("action"), question.get("fields")
        try:
            if action:
                given = fields if isinstance(fields, Mapping) else {}
                job = await self._controller.do(str(action), given)
            else:
                job = await self._controller.describe()
            answer = {"job": job, "offered": await self._is_offered(job)}
        except UserError as error:
            answer = {"error": str(error)}
        return {self._layout.new_show: pack({"number": question.get("number"), **answer})}

    async def _is_offered(self, job: Mapping[str, Any]) -> bool:
        """Tell whether the server offers the adapter that was trained."""
        adapter = job["adapter"]
        if adapter is None:
            return False
        try:
            models = await self._client.list_models()
        except UserError:  # it starts at this moment; the page asks again
            return False
        return (adapter["name"], adapter["inputs"]) in {(m.name, m.inputs) for m in models}

    async def write(self, event: gr.EventData, values: FieldValues) -> Updates:
        """Choose the new show's model to write with."""
        name = str(read_event(event).get("model"))
        return await self._connection.connect({**values, self._layout.models.model: name})
