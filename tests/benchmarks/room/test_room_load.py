from benchmarks.room.room_load import measure


def test_people_in_the_room_get_all_their_lines_and_a_closed_tab_stops_the_server() -> None:
    alone, many, gone = measure(people=4, rounds=1, lines=3, spread=0.1)
    for crowd, count in ((alone, 3), (many, 4)):
        assert crowd["errors"] == []
        assert crowd["continuations"] == count
        assert crowd["added median s"] > 0
    assert gone["generation stopped after s"] < 20  # for ever, if it went on
