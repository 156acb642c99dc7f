"""The cards of `/v1/models`: the engine's list, with what the adapters' manifests say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.manifest import Manifest, read_manifest
from nothing_gpt.records import encode
from serve.middleware.error_body import normalize_error
from serve.middleware.request.routes import WITHOUT_KEY, read_model_id
from serve.middleware.response import TrackedResponse


class ModelCards:
    """The cards of a base model and its adapters.

    Args:
        base: The base's model name.
        adapters: The folder of each adapter, by model name.

    Attributes:
        names: All model names, the base first.

    Raises:
        UserError: a manifest cannot be read.
    """

    def __init__(self, base: str, adapters: Mapping[str, str]) -> None:
        self._base = base
        self._descriptions = {
            name: _describe_adapter(base, read_manifest(Path(path)))
            for name, path in adapters.items()
        }
        self.names = (base, *self._descriptions)

    def rewrite_body(
        self, response: TrackedResponse, status: int, body: Any
    ) -> tuple[int, dict[str, Any]]:
        """Make the status and body of an error, of health or of models from the engine's own."""
        if status >= 400:
            return status, normalize_error(status, body, self.names)
        if response.path in WITHOUT_KEY:
            # An engine that answers has loaded and checked all of them.
            models = {"models": self.names} if response.shows_models else {}
            return status, {"status": "ok", **models}
        name, cards = read_model_id(response.path), self.make_list(body)
        if name is None:
            return status, cards
        found = [card for card in cards["data"] if card["id"] == name]
        missing = {"error": {"param": "model"}}
        return (200, found[0]) if found else (404, normalize_error(404, missing, self.names))

    def make_list(self, engine_list: dict[str, Any]) -> dict[str, Any]:
        """Make the response body from the engine's own list of models."""
        max_length = engine_list["data"][0]["max_model_len"]
        cards = [self._make_card(card, max_length) for card in engine_list["data"]]
        return {"object": "list", "data": cards}

    def _make_card(self, card: dict[str, Any], max_length: int) -> dict[str, Any]:
        # The engine's own card is not passed on: it has file paths of this machine.
        description = self._descriptions.get(card["id"])
        return {
            "id": card["id"],
            "object": "model",
            "created": card["created"],
            "owned_by": "nothing-gpt",
            "max_model_len": max_length,
            "parent": None if description is None else self._base,
            "structured_outputs": True,
            **({"precision": card["precision"]} if "precision" in card else {}),
            **({} if description is None else {"nothing_gpt": description}),
        }


def _describe_adapter(base: str, manifest: Manifest) -> dict[str, Any]:
    """Select the parts of a manifest that clients see; none is a path of this machine.

    `system` is the system message, for programs that do not read shows. `inputs` tells an adapter
    from one of the same name that was trained before.
    """
    data = encode(manifest)
    keys = ("show", "format", "rank", "metrics", "git_revision", "inputs")
    selected = {key: data[key] for key in keys}
    corpus = data["show"]["corpus"]
    if Path(corpus["source"]).is_absolute():
        corpus["source"] = Path(corpus["source"]).name
    return {"base": base, "system": manifest.show.system, **selected}
