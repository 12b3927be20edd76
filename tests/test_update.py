"""`mlmkg update`: what is otherwise than before, as a table and as triples."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from PIL import Image

from mlmkg.changes import compare
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.conftest import in_a_tiny_disk, invoke
from tests.wikidata import at, city_class, town
from tests.wikis import Wiki, picture, wiki


def dump(folder: Path, name: str, *towns: dict[str, Any]) -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(map(orjson.dumps, [city_class(), *towns])) + b"\n")
    return path


def words(folder: Path, server: Wiki, path: Path, verb: str) -> list[object]:
    made: list[object] = [
        "-w", folder / "mlm", "--contact", "tests@example.org", verb, "--source", "dump", "--dump",
        path,
    ]  # fmt: skip
    for old in ("https://en.wikipedia.org/", "https://commons.wikimedia.org/"):
        made += ["--mirror", f"{old}={server.url}"]
    return made


def test_an_update_says_what_changed(tmp_path: Path) -> None:
    with wiki() as server:
        for n in (1, 2, 3, 4):
            server.pages[f"Thing Q{n}"] = f"Thing {n}."
            server.files[f"Q{n}.jpg"] = picture(n, "JPEG")
        first = dump(tmp_path, "old.json", town("Q1"), town("Q2"), town("Q3"))
        built = invoke(*words(tmp_path, server, first, "build"))
        assert built.exit_code == 0, built.output
        before = open_read_only(Workspace(tmp_path / "mlm")).keys()
        server.pages["Thing Q2"] = "Thing 2, told anew."
        server.files["Q2.jpg"] = picture(99, "JPEG")
        newer = dump(tmp_path, "new.json", town("Q1", P625=at(5.5, 6.5)), town("Q2"), town("Q4"))
        updated = invoke(*words(tmp_path, server, newer, "update"))
        assert updated.exit_code == 0, updated.output
    # The one that was there is not fetched again: its original is as it was.
    assert sum("/thumb/Q1.jpg" in address for address in server.requests) == 1
    workspace = Workspace(tmp_path / "mlm")
    changes = compare(workspace, before, open_read_only(workspace).keys())
    said = {(c.what, c.how, c.subject.split("/")[-1 - (c.what == "summary")]) for c in changes.rows}
    assert said == {
        ("entity", "added", "Q4"), ("entity", "removed", "Q3"),
        ("place", "changed", "Q1"), ("place", "added", "Q4"), ("place", "removed", "Q3"),
        ("summary", "added", "Q4"), ("summary", "removed", "Q3"),
        ("summary", "changed", "Q2"), ("image", "added", "Q4.jpg"), ("image", "removed", "Q3.jpg"),
        ("image", "changed", "Q2.jpg"),
    }  # fmt: skip
    assert "entity\t1\t1\t0" in updated.output
    assert "place\t1\t1\t1" in updated.output
    rows = open_read_only(Workspace(tmp_path / "mlm")).rows(
        "SELECT ?before ?after { ?c a mlm:Change ; mlm:changed wd:Q1 ; mlm:changeKind 'changed' ;"
        " mlm:before ?before ; mlm:after ?after }"
    )
    assert list(rows) == [["Point(1 1)", "Point(6.5 5.5)"]]


def test_an_update_that_finds_nothing_new_says_so(tmp_path: Path) -> None:
    with wiki() as server:
        server.pages["Thing Q1"] = "Thing 1."
        server.files["Q1.jpg"] = picture(1, "JPEG")
        path = dump(tmp_path, "old.json", town("Q1"))
        assert invoke(*words(tmp_path, server, path, "build")).exit_code == 0
        updated = invoke(*words(tmp_path, server, path, "update"))
        assert updated.exit_code == 0, updated.output
    assert "entity\t0\t0\t0" in updated.output
    assert "summary\t0\t0\t0" in updated.output


def test_a_stopped_update_goes_on_from_where_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlmkg.harvest.client.ATTEMPTS", 1)
    with wiki() as server:
        for n in (1, 2):
            server.pages[f"Thing Q{n}"] = f"Thing {n}."
            server.files[f"Q{n}.jpg"] = picture(n, "JPEG")
        path = dump(tmp_path, "old.json", town("Q1"))
        assert invoke(*words(tmp_path, server, path, "build")).exit_code == 0
        newer = dump(tmp_path, "new.json", town("Q1"), town("Q2"))
        server.fault = lambda address: "503" if "extracts" in address else ""
        assert invoke(*words(tmp_path, server, newer, "update")).exit_code != 0
        # Something else finishes the build; the update still knows what it began from.
        server.fault = lambda address: ""
        assert invoke(*words(tmp_path, server, newer, "build")).exit_code == 0
        updated = invoke(*words(tmp_path, server, newer, "update"))
    assert "entity\t1\t0\t0" in updated.output


def test_without_a_build_there_is_nothing_to_update(tmp_path: Path) -> None:
    result = invoke("-w", tmp_path / "mlm", "update", "--source", "dump", "--dump", "x.json")
    assert "there is no store" in str(result.exception)


def test_a_disk_that_fills_up_while_fetching_is_said_in_one_line(tmp_path: Path) -> None:
    import random

    noise = random.Random(1)
    with wiki() as server:
        towns = [town(f"Q{n}") for n in range(1, 60)]
        for n in range(1, 60):
            server.pages[f"Thing Q{n}"] = f"Thing {n}."
            pixels = noise.randbytes(200 * 200 * 3)
            stream = io.BytesIO()
            Image.frombytes("RGB", (200, 200), pixels).save(stream, "PNG")
            server.files[f"Q{n}.jpg"] = stream.getvalue()
        path = dump(tmp_path, "dump.json", *towns)
        arguments = words(tmp_path, server, path, "build")[2:]
        done = in_a_tiny_disk(tmp_path / "disk", 4, *arguments)
    assert done.returncode == 2, done.stderr
    assert "the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert len(server.requests) > 10


@pytest.mark.slow
def test_what_failed_is_fetched_again_when_that_is_asked_for(tmp_path: Path) -> None:
    with wiki() as server:
        server.pages["Thing Q1"] = "Thing 1."
        server.files["Q1.jpg"] = picture(1, "JPEG")[:100]
        path = dump(tmp_path, "dump.json", town("Q1"))
        build = words(tmp_path, server, path, "build")
        assert "image_files: 1 failed" in invoke(*build).output
        server.files["Q1.jpg"] = picture(1, "JPEG")
        assert "Nothing to do" in invoke(*build).output
        assert "Nothing to do" in invoke(*build, "--offline").output
        assert "image_files: 1 file" in invoke(*build, "--retry").output
        assert "Nothing to do" in invoke(*build, "--retry").output
    rows = open_read_only(Workspace(tmp_path / "mlm")).rows("SELECT ?f { ?i mlm:file ?f }")
    assert len(list(rows)) == 1


def test_an_update_is_from_the_source_of_the_build(tmp_path: Path) -> None:
    path = dump(tmp_path, "dump.json", town("Q1"))
    words = ["-w", tmp_path / "mlm"]
    assert invoke(*words, "build", "--source", "dump", "--dump", path, "--offline").exit_code == 0
    result = invoke(*words, "update")
    assert "the last build was from 'dump'. Add --source dump" in str(result.exception)


def test_a_build_that_finds_nothing_says_why_that_may_be(tmp_path: Path) -> None:
    path = tmp_path / "towns.json"
    path.write_bytes(orjson.dumps(town("Q1")) + b"\n")  # without its class
    words = ["-w", tmp_path / "mlm", "build", "--source", "dump", "--dump", path, "--offline"]
    assert "no entity was found: does the source hold the class tree" in invoke(*words).output
    bad = invoke("-w", tmp_path / "none", *words[2:], "--cirrus", tmp_path / "none.json.gz")
    assert "there is no such file" in str(bad.exception)
    assert not (tmp_path / "none").exists()
