"""Modal's control plane in miniature: the real client talks to it by the real protocol.

It writes down what is asked of it and builds no image, but keeps what is uploaded, so that
`modal deploy` and `modal run` can be run to their end. A `run` is called for each input of a
function, and stands for its container.
"""

import asyncio
import hashlib
import inspect
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import grpclib.const
import grpclib.server
from google.protobuf.message import Message
from modal_proto import api_grpc, api_pb2

BUILDER = "2025.06"
Result = api_pb2.GenericResult


class Run(Protocol):
    """Runs a function on pickled arguments; gives the pickled result, or raises."""

    def __call__(self, plane: "ControlPlane", function: Any, arguments: bytes) -> bytes: ...


@dataclass
class ControlPlane:
    """The requests so far, by method; the secrets that there are, with their keys.

    Attributes:
        endpoint: The address of the deployed `Endpoint`; empty as long as none is deployed.
        values: What the keys of the secrets hold; nothing if they are not named.
    """

    secrets: dict[str, set[str]] = field(default_factory=dict)
    volume: Path = Path("/nonexistent")
    run: Run | None = None
    url: str = ""
    endpoint: str = ""
    values: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, Any]] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    calls: dict[str, Any] = field(default_factory=dict)

    def asked(self, method: str) -> list[Any]:
        """The requests to one method, in order."""
        return [request for name, request in self.requests if name == method]

    def functions(self) -> dict[str, Any]:
        """The functions that were created, by name."""
        return {r.function.function_name: r.function for r in self.asked("FunctionCreate")}

    def image(self, identity: str) -> list[str]:
        """The lines of an image's Dockerfiles, from its base up."""
        image = self._by("ImageGetOrCreate", identity).image
        below = [line for base in image.base_images for line in self.image(base.image_id)]
        return [*below, *image.dockerfile_commands]

    def files(self, function: Any) -> dict[str, bytes]:
        """What a function's container is given of this checkout: mounted, or in its image."""
        mounts = [identity for identity in function.mount_ids if identity[3:].isdigit()]
        found: dict[str, bytes] = {}
        for identity in [*self._context(function.image_id), *mounts]:
            for file in self._by("MountGetOrCreate", identity).files:
                found[f"/{file.filename.lstrip('/')}"] = self.blobs[file.sha256_hex]
        return found

    def _context(self, identity: str) -> list[str]:
        image = self._by("ImageGetOrCreate", identity).image
        below = [mount for base in image.base_images for mount in self._context(base.image_id)]
        return [*below, image.context_mount_id] if image.context_mount_id else below

    def _by(self, method: str, identity: str) -> Any:
        return self.asked(method)[int(identity.partition("-")[2])]


@contextmanager
def control_plane(
    secrets: dict[str, set[str]] | None = None,
    volume: Path = Path("/nonexistent"),
    run: Run | None = None,
) -> Iterator[ControlPlane]:
    """Run the control plane in a thread."""
    plane = ControlPlane(secrets or {}, volume, run)
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        server = grpclib.server.Server([_Service(plane, uploads)])
        await server.start("127.0.0.1", 0)
        sockets = server._server.sockets  # type: ignore[union-attr]
        plane.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        started.set()
        await stop.wait()
        server.close()
        await server.wait_closed()

    with _uploads(plane) as uploads:
        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
        thread.start()
        assert started.wait(10)
        try:
            yield plane
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)


_BLOBS = "/blobs/"


@contextmanager
def _uploads(plane: ControlPlane) -> Iterator[str]:
    """Where the client puts the contents of files for the volume, and long arguments."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.startswith(_BLOBS):
                plane.blobs[self.path.removeprefix(_BLOBS)] = data
            else:
                path = plane.volume / self.path.lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.send_header("ETag", hashlib.md5(data, usedforsecurity=False).hexdigest())
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Service:
    def __init__(self, plane: ControlPlane, uploads: str) -> None:
        self._plane = plane
        self._uploads = uploads

    def __mapping__(self) -> dict[str, grpclib.const.Handler]:
        return {
            path: handler._replace(func=self._serve(path.rpartition("/")[2], handler))
            for path, handler in _methods().items()
        }

    def _serve(self, method: str, handler: grpclib.const.Handler) -> Callable[..., Any]:
        answer: Callable[[Any], Any] = getattr(self, method, lambda _: None)

        async def serve(stream: Any) -> None:
            request = await stream.recv_message()
            self._plane.requests.append((method, request))
            try:
                given = answer(request)
                given = await given if inspect.isawaitable(given) else given
            except LookupError as error:
                raise grpclib.GRPCError(grpclib.Status.NOT_FOUND, str(error)) from None
            await stream.send_message(handler.reply_type() if given is None else given)

        return serve

    def _identity(self, kind: str, method: str) -> str:
        return f"{kind}-{len(self._plane.asked(method)) - 1}"

    def ClientHello(self, _: Any) -> Message:
        return api_pb2.ClientHelloResponse(image_builder_version=BUILDER)

    async def AppGetLogs(self, _: Any) -> Message:
        await asyncio.sleep(0.1)  # there are none; the client asks again at once
        return api_pb2.TaskLogsBatch(app_done=bool(self._plane.asked("AppClientDisconnect")))

    def AppCreate(self, _: Any) -> Message:
        return api_pb2.AppCreateResponse(app_id="ap-1", app_page_url="http://app")

    def AppPublish(self, request: Any) -> Message:
        return api_pb2.AppPublishResponse(url=f"http://deployed/{request.name}")

    def EnvironmentGetOrCreate(self, _: Any) -> Message:
        settings = api_pb2.EnvironmentSettings(image_builder_version=BUILDER)
        metadata = api_pb2.EnvironmentMetadata(name="main", settings=settings)
        return api_pb2.EnvironmentGetOrCreateResponse(environment_id="en-1", metadata=metadata)

    def SecretGetOrCreate(self, request: Any) -> Message:
        name = request.deployment_name
        if not name:
            return api_pb2.SecretGetOrCreateResponse(
                secret_id=self._identity("st", "SecretGetOrCreate")
            )
        if name not in self._plane.secrets:
            raise LookupError(f"Secret '{name}' not found in environment 'main'")
        missing = set(request.required_keys) - self._plane.secrets[name]
        if missing:
            raise LookupError(f"Secret '{name}' is missing key(s): {', '.join(missing)}")
        return api_pb2.SecretGetOrCreateResponse(secret_id=f"st-{name}")

    def VolumeGetOrCreate(self, request: Any) -> Message:
        name, version = request.deployment_name, request.version
        metadata = api_pb2.VolumeMetadata(name=name, version=version)
        return api_pb2.VolumeGetOrCreateResponse(
            volume_id=f"vo-{name}", version=version, metadata=metadata
        )

    def VolumePutFiles2(self, request: Any) -> Message:
        for file in request.files:  # the client leaves trailing zeros out
            path = self._plane.volume / file.path.lstrip("/")
            if path.is_file():
                os.truncate(path, file.size)
        missing = [
            api_pb2.VolumePutFiles2Response.MissingBlock(
                file_index=i, block_index=0, put_url=f"{self._uploads}/{file.path.lstrip('/')}"
            )
            for i, file in enumerate(request.files)
            if not file.blocks[0].HasField("put_response")
        ]
        return api_pb2.VolumePutFiles2Response(missing_blocks=missing)

    def BlobCreate(self, _: Any) -> Message:
        blob = self._identity("bl", "BlobCreate")
        urls = api_pb2.UploadUrlList(items=[f"{self._uploads}{_BLOBS}{blob}"])
        return api_pb2.BlobCreateResponse(blob_ids=[blob], upload_urls=urls)

    def MountBatchedCheckExistence(self, request: Any) -> Message:
        missing = [h for h in request.sha256_hex_hashes if h not in self._plane.blobs]
        return api_pb2.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    def MountPutFile(self, request: Any) -> Message:
        self._plane.blobs[request.sha256_hex] = request.data
        return api_pb2.MountPutFileResponse(exists=True)

    def MountGetOrCreate(self, _: Any) -> Message:
        return api_pb2.MountGetOrCreateResponse(mount_id=self._identity("mo", "MountGetOrCreate"))

    def ImageGetOrCreate(self, _: Any) -> Message:
        return api_pb2.ImageGetOrCreateResponse(
            image_id=self._identity("im", "ImageGetOrCreate"),
            result=Result(status=Result.GENERIC_STATUS_SUCCESS),
            metadata=api_pb2.ImageMetadata(image_builder_version=BUILDER),
        )

    def FunctionPrecreate(self, request: Any) -> Message:
        name = request.function_name
        return api_pb2.FunctionPrecreateResponse(
            function_id=f"fu-{name}", handle_metadata=_handle(name, request.method_definitions)
        )

    def FunctionCreate(self, request: Any) -> Message:
        function = request.function
        ranked = api_pb2.FunctionData.RankedFunction(rank=0, function=function)
        return api_pb2.FunctionCreateResponse(
            function_id=f"fu-{function.function_name}",
            function=function,
            function_data=api_pb2.FunctionData(ranked_functions=[ranked]),
            handle_metadata=_handle(function.function_name, function.method_definitions),
        )

    def FunctionBindParams(self, request: Any) -> Message:
        name = request.function_id.removeprefix("fu-")
        return api_pb2.FunctionBindParamsResponse(
            bound_function_id=request.function_id, handle_metadata=_handle(name, {})
        )

    def ClassGet(self, request: Any) -> Message:
        if not self._plane.endpoint:
            raise LookupError(f"no class '{request.object_tag}'")
        return api_pb2.ClassGetResponse(
            class_id="cs-2", handle_metadata=api_pb2.ClassHandleMetadata()
        )

    def FunctionGet(self, request: Any) -> Message:
        if not self._plane.endpoint:
            raise LookupError(f"no function '{request.object_tag}'")
        web = api_pb2.FunctionHandleMetadata(
            function_name="Endpoint.web", is_method=True, web_url=self._plane.endpoint
        )
        service = _handle(request.object_tag, {})
        service.method_handle_metadata["web"].CopyFrom(web)
        function = api_pb2.Function(function_name=request.object_tag)
        ranked = api_pb2.FunctionData.RankedFunction(rank=0, function=function)
        return api_pb2.FunctionGetResponse(
            function_id="fu-Endpoint",
            handle_metadata=service,
            function=api_pb2.FunctionData(ranked_functions=[ranked]),
        )

    def ClassCreate(self, _: Any) -> Message:
        return api_pb2.ClassCreateResponse(
            class_id="cs-1", handle_metadata=api_pb2.ClassHandleMetadata()
        )

    def FunctionMap(self, request: Any) -> Message:
        call = self._identity("fc", "FunctionMap")
        self._plane.calls[call] = []
        items = self._start(call, request.function_id, request.pipelined_inputs)
        return api_pb2.FunctionMapResponse(
            function_call_id=call, pipelined_inputs=items, max_inputs_outstanding=100
        )

    def FunctionPutInputs(self, request: Any) -> Message:
        items = self._start(request.function_call_id, request.function_id, request.inputs)
        return api_pb2.FunctionPutInputsResponse(inputs=items)

    def _start(self, call: str, function_id: str, inputs: Any) -> list[Any]:
        assert self._plane.run
        function = self._plane.functions()[function_id.removeprefix("fu-")]
        items = []
        for given in inputs:
            arguments = given.input.args or self._plane.blobs[given.input.args_blob_id]
            job = asyncio.to_thread(self._plane.run, self._plane, function, arguments)
            identity = f"in-{call}-{given.idx}"
            self._plane.calls[call].append((given.idx, identity, asyncio.create_task(job)))
            items.append(api_pb2.FunctionPutInputsResponseItem(idx=given.idx, input_id=identity))
        return items

    async def FunctionGetOutputs(self, request: Any) -> Message:
        waiting = self._plane.calls[request.function_call_id]
        if waiting:
            await asyncio.wait([job for *_, job in waiting], return_when="FIRST_COMPLETED")
        done = [each for each in waiting if each[2].done()]
        if request.clear_on_success:
            waiting[:] = [each for each in waiting if not each[2].done()]
        outputs = [
            api_pb2.FunctionGetOutputsItem(
                idx=idx, input_id=identity, result=_result(job), data_format=_PICKLE
            )
            for idx, identity, job in done
        ]
        if not outputs:
            await asyncio.sleep(0.05)
        return api_pb2.FunctionGetOutputsResponse(outputs=outputs, last_entry_id="1-0")


_PICKLE = api_pb2.DATA_FORMAT_PICKLE


def _result(job: "asyncio.Task[bytes]") -> Any:
    error = job.exception()
    if error:
        return Result(status=Result.GENERIC_STATUS_FAILURE, exception=str(error))
    return Result(status=Result.GENERIC_STATUS_SUCCESS, data=job.result())


def _handle(name: str, methods: Any) -> Any:
    return api_pb2.FunctionHandleMetadata(
        function_name=name,
        function_type=api_pb2.Function.FUNCTION_TYPE_FUNCTION,
        definition_id="de-1",
        supported_input_formats=[_PICKLE],
        supported_output_formats=[_PICKLE],
        method_handle_metadata={
            method: api_pb2.FunctionHandleMetadata(
                function_name=definition.function_name, is_method=True, web_url="http://web"
            )
            for method, definition in methods.items()
        },
    )


def _methods() -> dict[str, grpclib.const.Handler]:
    """Every method of the protocol, with the kinds of message that it takes and gives."""
    base = api_grpc.ModalClientBase
    nothing = dict.fromkeys(base.__abstractmethods__)
    methods: dict[str, grpclib.const.Handler] = type("Nothing", (base,), nothing)().__mapping__()
    return methods
