import asyncio
import time
from dataclasses import replace
from random import Random

import pytest

from demo.generation.client import ModelClient
from demo.generation.constraints import SamplingSettings, SpeakerConstraints
from demo.generation.request import GenerationRequest
from demo.scene.history import History
from demo.scene.scene import Entry, Provenance, Scene
from demo.session.rate_limit import RateLimiter, RateLimits
from demo.session.session import Session
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Opening, load_show
from tests.fake_endpoint import FakeEndpoint, Script, cut, fake_endpoint

SHOW = load_show("unclaimed")


def make_request(seed: int = 1, lines: int = 8) -> GenerationRequest:
    return GenerationRequest(SHOW, "directed", Provenance("unclaimed", seed), lines)


def started() -> Session:
    session = Session()
    session.write(SHOW, "DOT", "It is ringing.")
    return session


async def run(
    session: Session, server: FakeEndpoint, request: GenerationRequest, *, retake: bool = False
) -> None:
    async for _ in session.continue_scene(ModelClient(server.url, "none"), request, retake=retake):
        pass


def speakers(scene: Scene) -> str:
    return " ".join(entry.speaker or "-" for entry in scene.entries)


def test_a_continuation_is_taken_in_and_undone_as_one() -> None:
    session = started()
    with fake_endpoint() as server:
        asyncio.run(run(session, server, make_request(lines=3)))
    assert speakers(session.scene) == "DOT DOT FELIX JUNE"
    assert session.status.text == "3 lines by unclaimed."
    assert not session.writing
    session.undo()
    assert speakers(session.scene) == "DOT"
    session.redo()
    assert speakers(session.scene) == "DOT DOT FELIX JUNE"


def test_a_retake_replaces_the_last_continuation_alone_and_undo_brings_it_back() -> None:
    session = started()
    with fake_endpoint() as server:
        asyncio.run(run(session, server, make_request(1, lines=2)))
        first = session.scene
        server.script.pieces = cut("[WALLY] Ah.\n[BEA] Interesting.\n")
        asyncio.run(run(session, server, make_request(2, lines=2), retake=True))
        contexts = [request["messages"][1]["content"] for request in server.requests]
    assert speakers(session.scene) == "DOT WALLY BEA"
    assert contexts == ["[DOT] It is ringing."] * 2
    session.undo()
    assert session.scene == first


def test_a_retake_that_fails_leaves_the_old_take() -> None:
    session = started()
    with fake_endpoint() as server:
        asyncio.run(run(session, server, make_request(1, lines=2)))
        first = session.scene
        server.script.status = 503
        asyncio.run(run(session, server, make_request(2, lines=2), retake=True))
    assert session.scene == first
    assert session.status.mood == "problem"
    assert session.status.text.startswith("The server is still loading its model (503)")


def test_the_server_dies_in_the_middle_of_a_line_and_comes_back() -> None:
    session = started()
    with fake_endpoint(Script(die_after=25)) as server:
        asyncio.run(run(session, server, make_request()))
        port = int(server.url.split(":")[2].split("/")[0])
    kept = session.scene
    assert speakers(kept) == "DOT DOT FELIX"
    assert session.status.text.startswith("2 lines kept. The server at http")
    assert "broke off in the middle" in session.status.text

    asyncio.run(run(session, server, make_request(2)))
    assert session.scene == kept
    assert "cannot be reached" in session.status.text

    with fake_endpoint(Script(pieces=cut("[WALLY] Ah.\n[BEA] Why?\n")), port) as server:
        asyncio.run(run(session, server, make_request(3, lines=2)))
    assert speakers(session.scene) == "DOT DOT FELIX WALLY BEA"


def test_stopping_keeps_what_is_finished_and_reaches_the_server() -> None:
    session = started()

    async def stop_at_the_third_line(server: FakeEndpoint) -> None:
        task = asyncio.create_task(run(session, server, make_request()))
        while len(session.scene.entries) < 3:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with fake_endpoint(Script(hang_after=25)) as server:
        asyncio.run(stop_at_the_third_line(server))
        assert server.disconnected.wait(5)
    assert speakers(session.scene) == "DOT DOT FELIX"
    assert session.status.text == "Stopped. 2 lines kept."
    assert not session.writing


def test_two_models_cannot_write_at_once_nor_can_the_writer_interrupt() -> None:
    session = started()

    async def interrupt(server: FakeEndpoint) -> None:
        first = session.continue_scene(ModelClient(server.url, "none"), make_request())
        await anext(first)
        with pytest.raises(UserError, match="still writing"):
            await run(session, server, make_request())
        with pytest.raises(UserError, match="still writing"):
            session.write(SHOW, "DOT", "Wait.")
        await first.aclose()

    with fake_endpoint() as server:
        asyncio.run(interrupt(server))
    assert not session.writing


def test_there_must_be_something_to_continue_and_to_retake() -> None:
    with fake_endpoint() as server:
        with pytest.raises(UserError, match="no line to go on from"):
            asyncio.run(run(Session(), server, make_request()))
        with pytest.raises(UserError, match="does not end with a model's lines"):
            asyncio.run(run(started(), server, make_request(), retake=True))
        assert server.requests == []


def test_what_was_left_out_is_said() -> None:
    session = started()
    with fake_endpoint(Script(pieces=cut("Well:\n[DOT] No.\n<p>\n"))) as server:
        asyncio.run(run(session, server, make_request()))
    assert session.status.text == (
        "unclaimed ended the scene after 1 line of 8. Continue asks on. "
        "2 pieces of text that were no lines left out."
    )


def test_an_opening_directs_the_scene_and_is_one_step() -> None:
    session = started()
    before = session.scene
    opening = Opening(("[JUNE] Ah.", "[DOT] No."), "Tea.", "INT. OFFICE", ("BEA",))
    session.start_from(opening)
    assert speakers(session.scene) == "JUNE DOT"
    assert session.scene.direction == Direction("Tea.", "INT. OFFICE", ("JUNE", "DOT", "BEA"))
    session.undo()
    assert session.scene == before


def test_the_order_in_which_a_page_names_those_present_is_no_change() -> None:
    session = Session()
    session.set_direction(Direction("Tea.", present=("JUNE", "DOT")))
    session.set_direction(Direction("Tea.", present=("DOT", "JUNE")))
    session.undo()
    assert session.scene == Scene()


def test_surprises_differ_from_what_is_there() -> None:
    session, random = Session(), Random(1)
    for _ in range(20):
        before = session.scene
        session.surprise(SHOW, random)
        assert session.scene.direction.premise != before.direction.premise


def test_an_alias_becomes_the_name() -> None:
    session = started()
    session.write(SHOW, "pike", "With respect.")
    assert speakers(session.scene) == "DOT MR. PIKE"


def test_an_edit_of_what_the_writer_no_longer_sees_is_refused() -> None:
    session = started()
    with pytest.raises(UserError, match="changed meanwhile"):
        session.revise(SHOW, 0, ("DOT", "Another line."), ("DOT", "No."))
    session.revise(SHOW, 0, ("DOT", "It is ringing."), ("june", "It rang."))
    assert session.scene.entries[0].words == ("JUNE", "It rang.")
    session.revise(SHOW, 0, ("JUNE", "It rang."), ("JUNE", " "))
    assert session.scene.entries == ()


def test_a_retake_from_a_line_replaces_it_and_all_after_it() -> None:
    session = started()
    with fake_endpoint() as server:
        asyncio.run(run(session, server, make_request(1, lines=3)))
        first = session.scene
        server.script.pieces = cut("[WALLY] Ah.\n[BEA] Why?\n")

        async def retake_from(index: int) -> None:
            client, request = ModelClient(server.url, "none"), make_request(2, lines=2)
            async for _ in session.continue_scene(client, request, from_index=index):
                shown = speakers(session.scene)
                assert shown.startswith("DOT DOT")
                assert not shown.endswith("FELIX JUNE")

        asyncio.run(retake_from(2))
    assert speakers(session.scene) == "DOT DOT WALLY BEA"
    assert session.scene.entries[:2] == first.entries[:2]
    session.undo()
    assert session.scene == first
    with pytest.raises(UserError, match="no longer here"):
        asyncio.run(retake_from(9))


def test_a_loop_is_said() -> None:
    session = started()
    again = "[DOT] I have told you once and I will not tell you again, not even on a form.\n"
    with fake_endpoint(Script(pieces=cut(again * 5))) as server:
        asyncio.run(run(session, server, make_request()))
    assert speakers(session.scene) == "DOT DOT"
    assert "began to repeat itself" in session.status.text
    assert session.progress is not None
    assert session.progress.ending == "loop"


def test_who_should_have_spoken_and_did_not_is_said() -> None:
    session = started()
    wanted = replace(make_request(), constraints=SpeakerConstraints(required=("BEA",)))
    with fake_endpoint(Script(pieces=["[DOT] No.\n[GEORGE] Hi.\n"])) as server:
        asyncio.run(run(session, server, wanted))
    assert session.status.text == (
        "unclaimed ended the scene after 1 line of 8. Continue asks on. BEA did not speak. "
        "3 lines left out, of a speaker who may not speak here."
    )


def test_what_is_shown_as_the_request_is_what_is_sent() -> None:
    session = started()
    request = replace(
        make_request(),
        constraints=SpeakerConstraints(first="BEA"),
        sampling=SamplingSettings(0.5, 0.9, 0.1, 0.2),
    )
    shown = session.preview(request)
    with fake_endpoint() as server:
        asyncio.run(run(session, server, request))
        sent = server.requests[0]
    extra = shown.pop("extra_body")
    assert sent == shown | extra
    assert (sent["temperature"], sent["presence_penalty"]) == (0.5, 0.2)


def test_lines_are_put_in_moved_and_taken_out_in_place() -> None:
    session = started()
    session.write(SHOW, "BEA", "Why?")
    session.insert(SHOW, 1, None, "A pause.")
    assert speakers(session.scene) == "DOT - BEA"
    session.move(2, ("BEA", "Why?"), 0)
    assert speakers(session.scene) == "BEA DOT -"
    session.delete(1, ("DOT", "It is ringing."))
    assert speakers(session.scene) == "BEA -"
    with pytest.raises(UserError, match="changed meanwhile"):
        session.move(0, ("DOT", "No."), 1)
    with pytest.raises(UserError, match="changed meanwhile"):
        session.delete(5, ("A", "B"))
    for _ in range(4):
        session.undo()
    assert speakers(session.scene) == "DOT"


def test_a_line_that_was_only_looked_at_stays_the_models() -> None:
    session = started()
    with fake_endpoint() as server:
        asyncio.run(run(session, server, make_request(lines=1)))
    session.revise(SHOW, 1, ("DOT", "It does seem to be."), ("DOT", " It does seem to be. "))
    assert session.scene.entries[1].origin == "model"


def test_the_other_version_is_there() -> None:
    session = started()
    session.write(SHOW, "BEA", "Why?")
    session.undo()
    session.write(SHOW, "JUNE", "Who?")
    here, other = session.branches
    assert (here.current, other.fresh) == (True, (Entry("Why?", "BEA"),))
    session.switch(other.version)
    assert speakers(session.scene) == "DOT BEA"
    with pytest.raises(UserError, match="no longer here"):
        session.switch(99)


def test_a_visitor_of_a_limited_room_gets_so_much_and_pays_only_for_what_was_written() -> None:
    session = started()
    session.rate_limiter, session.visitor = RateLimiter(RateLimits(0, 200, 300)), "somebody"
    with fake_endpoint(Script(pieces=["[WALLY] Ah.", "\n[BEA] Why?"])) as server:
        for _ in range(3):
            asyncio.run(run(session, server, make_request(lines=2)))
            session.history = History()
            session.write(SHOW, "DOT", "It is ringing.")
        assert [request["max_tokens"] for request in server.requests] == [200] * 3
    session.rate_limiter.reserve("somebody", 280, time.monotonic())
    with pytest.raises(UserError, match=r"wait \d+ s"):
        asyncio.run(run(session, server, make_request()))
    assert not session.writing


def test_an_edit_finds_its_line_after_earlier_actions_have_moved_it() -> None:
    session = Session()
    for text in ("One.", "Two.", "Three."):
        session.write(SHOW, "DOT", text)
    session.insert(SHOW, 0, "BEA", "Zero.")
    # The writer saw the lines without the inserted one.
    session.revise(SHOW, 1, ("DOT", "Two."), ("DOT", "Second."))
    session.move(2, ("DOT", "Three."), 1)
    session.delete(0, ("DOT", "One."))
    assert [entry.text for entry in session.scene.entries] == ["Zero.", "Three.", "Second."]
    with pytest.raises(UserError, match="has changed meanwhile"):
        session.revise(SHOW, 1, ("DOT", "Two."), ("DOT", "Second."))
