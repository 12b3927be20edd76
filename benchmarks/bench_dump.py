"""Reading a Wikidata dump, as ratios against unpacking it, and against other people's readers.

    python benchmarks/bench_dump.py

The dump is made here: entities with the mean number of labels, descriptions, sitelinks, statements,
qualifiers and references of a sample of Wikidata's, one in a thousand wanted, one in ten with
coordinates, packed with gzip. What has coordinates and is not wanted is counted. Every job runs in a
process of its own. Prints one JSON object per figure. `wikibase-dump-filter` comes from npm and is left
out where there is none.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ENTITIES = 20_000
#: Times that these stand in the dump: long enough for starting Python not to matter.
REPEATED = 30
#: Times that every job runs; the least counts, the peers' too.
TURNS = 3
WANTED = -(-ENTITIES // 1000) * REPEATED
COUNTED = -(-ENTITIES // 10) * REPEATED - WANTED
LANGUAGES = [f"{a}{b}" for a in "abcdefghij" for b in "klmnop"]
UNPACK = """
import sys; from isal import igzip
with igzip.open(sys.argv[1]) as f:
    while f.read(4 << 20): pass
"""
OURS = """
import sys; from pathlib import Path
from mlmkg.catalog import read_catalog; from mlmkg.progress import quiet
from mlmkg.recipe import read_recipe; from mlmkg.sources.dump import Dump
from mlmkg.sources.wikibase import wanted
catalog = read_catalog(); recipe = read_recipe(catalog.folder / "recipe.toml")
dump = Dump((sys.argv[1],), wanted(catalog, recipe), Path(sys.argv[2]))
lines = list(dump.statements(quiet))
left_out = (line.split(b'"')[1] for line in lines if b"#leftOutCount>" in line)
print(sum(b"/P625>" in line for line in lines), sum(map(int, left_out)))
"""
QWIKIDATA = """
import sys; from qwikidata.json_dump import WikidataJsonDump
images = "P18 P41 P94 P242 P948 P1943 P2716 P3451".split(); sites = ("enwiki", "dewiki", "frwiki")
print(sum(
    1 for e in WikidataJsonDump(sys.argv[1])
    if "P31" in e["claims"] and "P625" in e["claims"] and any(p in e["claims"] for p in images)
    and any(s in e["sitelinks"] for s in sites)
))
"""


def item(number: int) -> dict[str, object]:
    """Return a value that is an entity."""
    value = {"entity-type": "item", "numeric-id": number, "id": f"Q{number}"}
    return {"datavalue": {"value": value, "type": "wikibase-entityid"}, "datatype": "wikibase-item"}


def snak(name: str, value: dict[str, object], chance: random.Random) -> dict[str, object]:
    """Return a snak with its hash, as in references and qualifiers."""
    digest = f"{chance.getrandbits(160):040x}"
    return {"snaktype": "value", "property": name, "hash": digest, **value}


def claim(name: str, value: dict[str, object], chance: random.Random) -> dict[str, object]:
    """Return a statement: half have a reference of two or three snaks, a quarter a qualifier."""
    made: dict[str, object] = {
        "mainsnak": {"snaktype": "value", "property": name, **value}, "type": "statement",
        "id": f"Q{chance.randrange(10**8)}${chance.getrandbits(128):032x}", "rank": "normal",
    }  # fmt: skip
    if chance.random() < 0.25:
        made["qualifiers"] = {"P585": [snak("P585", item(chance.randrange(10**8)), chance)]}
        made["qualifiers-order"] = ["P585"]
    if chance.random() < 0.5:
        names = ["P248", "P813", "P854"][: chance.choice((2, 3))]
        made["references"] = [{
            "hash": f"{chance.getrandbits(160):040x}", "snaks-order": names,
            "snaks": {n: [snak(n, item(chance.randrange(10**8)), chance)] for n in names},
        }]  # fmt: skip
    return made


def entity(number: int, chance: random.Random) -> dict[str, object]:
    """Return an entity; every thousandth is wanted, every tenth has coordinates."""
    words = [f"{chance.getrandbits(40):x}" for _ in range(60)]

    def texts(many: int, length: int) -> dict[str, dict[str, str]]:
        return {
            code: {"language": code, "value": " ".join(chance.choices(words, k=length))}
            for code in LANGUAGES[:many]
        }

    claims: dict[str, object] = {
        name: [claim(name, item(chance.randrange(10**8)), chance)]
        for name in ["P31", *(f"P{chance.randrange(1000, 9000)}" for _ in range(20))]
    }
    if number % 10 == 0:
        place = {
            "latitude": chance.uniform(-80, 80), "longitude": chance.uniform(-170, 170),
            "altitude": None, "precision": 0.01, "globe": "http://www.wikidata.org/entity/Q2",
        }  # fmt: skip
        value: dict[str, object] = {
            "datavalue": {"value": place, "type": "globecoordinate"},
            "datatype": "globe-coordinate",
        }
        claims["P625"] = [claim("P625", value, chance)]
    links = {
        f"{code}wiki": {"site": f"{code}wiki", "title": word, "badges": []}
        for code, word in zip(LANGUAGES[:8], words, strict=False)
    }
    if number % 1000 == 0:
        name = {"datavalue": {"value": f"{words[0]}.jpg", "type": "string"}, "datatype": "commonsMedia"}
        claims["P18"] = [claim("P18", name, chance)]
        links["enwiki"] = {"site": "enwiki", "title": words[1], "badges": []}
    return {
        "type": "item", "id": f"Q{number + 1}", "labels": texts(12, 2), "descriptions": texts(19, 3),
        "aliases": {code: [text] for code, text in texts(4, 2).items()}, "claims": claims,
        "sitelinks": links, "lastrevid": number,
    }  # fmt: skip


def write_dump(path: Path) -> int:
    """Write a dump, one entity a line, and return its size, unpacked."""
    chance, size = random.Random(1), 0
    with gzip.open(path, "wb", 6) as stream:
        for number in range(ENTITIES):
            line = json.dumps(entity(number, chance), separators=(",", ":")).encode()
            size += stream.write(line + b"\n")
    once = path.read_bytes()  # gzip files can be joined
    with path.open("ab") as stream:
        for _ in range(REPEATED - 1):
            stream.write(once)
    return size * REPEATED


def measure(words: Sequence[str], *, shell: bool = False) -> tuple[float, float, float, str]:
    """Return clock seconds, CPU seconds, peak memory in MB and what a command printed."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(" ".join(words) if shell else words, shell=shell, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        clock = time.perf_counter() - started
        assert os.waitstatus_to_exitcode(status) == 0, words
        output.seek(0)
        said = output.read().decode()
    return clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said


def python(code: str, *arguments: object) -> tuple[float, float, float, str]:
    """Measure Python code."""
    return measure([sys.executable, "-c", code, *map(str, arguments)])


def figure(name: str, ours: float, peer: str, theirs: float, target: str, met: bool) -> None:
    """Print a figure: how many times the peer's throughput ours is."""
    print(json.dumps({
        "name": name, "ours": round(ours, 2), "peer": peer, "theirs": round(theirs, 2),
        "ratio": round(theirs / ours, 2), "target": target, "met": met,
    }), flush=True)  # fmt: skip


def against(peer: str, clock: float, cpu: float, theirs: list[tuple[float, float, float, str]]) -> None:
    """Print the figures against a reader: by the clock, and by CPU as we unpack in a second thread."""
    least = min(run[0] for run in theirs), min(run[1] for run in theirs)
    for name, ours, other in zip(("clock s", "CPU s"), (clock, cpu), least, strict=True):
        figure(name, ours, peer, other, ">= 8", other >= 8 * ours)


def node_filter(folder: Path) -> str | None:
    """Install wikibase-dump-filter; return its command, or None where there is no npm."""
    if shutil.which("npm") is None:
        return None
    words = ["npm", "install", "--silent", "--prefix", str(folder), "wikibase-dump-filter"]
    if subprocess.run(words, check=False, capture_output=True).returncode:
        return None
    return str(folder / "node_modules" / ".bin" / "wikibase-dump-filter")


def main() -> None:
    """Run the jobs and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dump = folder / "dump.json.gz"
        size = write_dump(dump)
        print(json.dumps({"unpacked_MB": size >> 20, "packed_MB": dump.stat().st_size >> 20}))
        runs = []
        for turn in range(TURNS):  # in turns, and the least of each: what is left of them is noise
            runs.append((python(UNPACK, dump), python(OURS, dump, folder / str(turn))))
        unpack = min(run[0][0] for run in runs), min(run[0][1] for run in runs)
        clock, cpu = min(run[1][0] for run in runs), min(run[1][1] for run in runs)
        assert all(run[1][3].split() == [str(WANTED), str(COUNTED)] for run in runs)
        figure("clock s", clock, "isal unpacking alone", unpack[0], ">= 0.33", clock <= 3 * unpack[0])
        figure("CPU s", cpu, "isal unpacking alone", unpack[1], ">= 0.33", cpu <= 3 * unpack[1])
        memory = max(run[1][2] for run in runs)
        figure("memory MB", memory, "limit", 500, "<= 500", memory <= 500)
        theirs = [python(QWIKIDATA, dump) for _ in range(TURNS)]
        assert all(int(run[3]) == WANTED for run in theirs)
        against("qwikidata's reader", clock, cpu, theirs)
        command = node_filter(folder)
        if command is None:
            print(json.dumps({"name": "clock s", "peer": "wikibase-dump-filter", "left out": "no npm"}))
            return
        words = [
            "gzip -dc", str(dump), "|", command, "--claim 'P31&P625&P18'",
            "--sitelink 'enwiki|dewiki|frwiki' --quiet | wc -l",
        ]  # fmt: skip
        theirs = [measure(words, shell=True) for _ in range(TURNS)]
        print(json.dumps({"wikibase-dump-filter kept": int(theirs[0][3]), "of": WANTED}))
        against("wikibase-dump-filter", clock, cpu, theirs)


if __name__ == "__main__":
    main()
