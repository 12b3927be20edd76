"""Requests that a build from an endpoint sends, counted by the servers.

    python benchmarks/bench_harvest.py

A thousand entities with three articles and two images each are built from a real SPARQL server (the
`oxigraph` command) and a local wiki. Prints one JSON object per figure. The scripts of the paper sent
at least a dozen requests per entity and one per image.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mlmkg.catalog import read_catalog
from mlmkg.harvest.client import Client
from mlmkg.pipeline import build
from mlmkg.recipe import read_recipe
from mlmkg.sources.endpoint import Endpoint
from mlmkg.sources.wikimedia import Wikimedia
from mlmkg.steps import dataset
from mlmkg.vocab import PREFIXES
from mlmkg.workspace import Workspace
from tests.endpoints import endpoint
from tests.wikis import picture, wiki

ENTITIES = 1_000
LANGUAGES = ("en", "de", "fr")


def turtle() -> str:
    """Return the entities as the query service has them."""
    text = [f"@prefix {name}: <{iri}> ." for name, iri in PREFIXES.items()]
    text += [f"wd:Q{100 + n} wdt:P279 wd:Q486972 ." for n in range(200)]
    for n in range(ENTITIES):
        text.append(
            f'wd:Q{1000 + n} wdt:P31 wd:Q{100 + n % 200} ; rdfs:label "Place {n}"@en ;'
            f' wdt:P625 "Point({n % 360 - 180} {n % 180 - 90})"^^geo:wktLiteral ;'
            f" wdt:P18 <http://commons.wikimedia.org/wiki/Special:FilePath/a{n}.png> ;"
            f" wdt:P41 <http://commons.wikimedia.org/wiki/Special:FilePath/b{n}.png> ."
        )
        text += [
            f"<https://{code}.wikipedia.org/wiki/{code}_{n}> schema:about wd:Q{1000 + n} ;"
            f' schema:isPartOf <https://{code}.wikipedia.org/> ; schema:name "{code} {n}"@{code} .'
            for code in LANGUAGES
        ]
    return "\n".join(text)


def figure(name: str, sent: int, limit: int) -> None:
    """Print a figure."""
    content = {
        "name": f"requests for {name}", "ours": sent, "target": f"<= {limit:,}", "met": sent <= limit
    }  # fmt: skip
    print(json.dumps(content), flush=True)


def main() -> None:
    """Build, and print what the servers counted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data.ttl").write_text(turtle(), "utf-8")
        with endpoint(folder / "data.ttl", folder) as front, wiki() as server:
            server.extracts = 20
            server.pages = {f"{c} {n}": f"Text {n}." for c in LANGUAGES for n in range(ENTITIES)}
            server.files = {f"{x}{n}.png": picture(n % 256) for x in "ab" for n in range(ENTITIES)}
            mirrors = dict(server.mirrors)
            for code in LANGUAGES:
                mirrors[f"https://{code}.wikipedia.org/"] = server.url
            client = Client("bench@example.org", mirrors)
            catalog = read_catalog()
            recipe = read_recipe(catalog.folder / "recipe.toml")
            source = Endpoint(front.url, client, "now")
            media = Wikimedia(client, folder / "mlm" / "journal", "now")
            build(dataset(catalog, recipe, source, media), Workspace(folder / "mlm"))
            api = [address for address in server.requests if "/w/api.php" in address]
            figure("SPARQL", len(front.queries), 30)
            figure("summaries", sum("extracts" in address for address in api), 150)
            figure("image data", sum("imageinfo" in address for address in api), 40)
            figure("image files", len(server.requests) - len(api), 2 * ENTITIES)
            whole = len(front.queries) + len(server.requests)
            print(json.dumps({
                "name": "requests in all", "ours": whole, "peer": "the paper's scripts, at least",
                "theirs": 12 * ENTITIES + 2 * ENTITIES + 1_000,
                "ratio": round(whole / (15 * ENTITIES), 2),
            }))  # fmt: skip
            assert server.most["api"] <= 3
            assert server.most["media"] <= 2
            assert front.most == 1


if __name__ == "__main__":
    main()
