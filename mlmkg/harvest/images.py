"""Images from Wikimedia Commons: who made them, under which licence, and a thumbnail of each.

IRIs of images enter; files named by their SHA-256 and N-Triples that describe them leave. Fifty titles
go in a request for data, and the thumbnail comes from the address that the API gives. What the
journal holds is not fetched again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import orjson

from mlmkg import provenance
from mlmkg.errors import SourceError
from mlmkg.harvest import api, pictures
from mlmkg.harvest.client import Answer, Client, Failed
from mlmkg.harvest.journal import Journal
from mlmkg.harvest.summaries import said
from mlmkg.licences import licence_iri
from mlmkg.ntriples import boolean, integer, iri, line, text, typed
from mlmkg.progress import Progress
from mlmkg.vocab import DC, DCT, IMAGE, MLM, RDF, SCHEMA, XSD

logger = logging.getLogger(__name__)

API: Final = "https://commons.wikimedia.org/w/api.php"
#: Titles a request.
TITLES: Final = 50
#: Files in the air at a time.
AT_ONCE: Final = 2
#: Tries of one file: one that cannot be decoded is most likely so on the server.
ATTEMPTS: Final = 5
#: Widths that Commons serves; others are refused.
WIDTHS: Final = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
_FILE_PATH: Final = "/wiki/Special:FilePath/"
_LONGEST: Final = 1_000
#: Images whose data are held in memory at a time.
_CHUNK: Final = 2_000
_FIELDS: Final = "Artist|Credit|ImageDescription|License|LicenseShortName|LicenseUrl|UsageTerms"


def check_width(width: int) -> None:
    """Refuse a width that Commons does not serve.

    :raises SourceError: naming those it does.
    """
    if width not in WIDTHS:
        raise SourceError(
            f"Commons serves no thumbnail {width} pixels wide", where="--width",
            action=f"Take one of {', '.join(map(str, WIDTHS))}",
        )  # fmt: skip


def fetch(
    images: Sequence[str], folder: Path, client: Client | None, journal: Journal, *,
    width: int = 330, earlier: Sequence[Journal] = (), progress: Progress,
    note: Callable[[str], None], url: str = API,
) -> Iterator[bytes]:  # fmt: skip
    """Yield the lines of the images and their files; fetch those that the journal or the disk lacks.

    :param images: IRIs, ``http://commons.wikimedia.org/wiki/Special:FilePath/…``.
    :param folder: where files go, as ``ab/abcd….jpg``.
    :param client: None if nothing may be sent: the rest is left for later, and counted.
    :param width: of the thumbnails, in pixels; one of :data:`WIDTHS`.
    :param earlier: journals of earlier moments: files whose originals are as they were are kept.
    :param note: told how many files there are, and what became of the others.
    :raises SourceError: if Commons stays down or refuses; what was fetched is kept.
    """
    check_width(width)
    for one in (journal, *earlier):
        _look(images, folder, one, width, progress)
    if client is not None:
        left = [image for image in images if _record(image, journal, folder, width) is None]
        ticks = _ask(left, folder, client, journal, earlier, width, url)
        for _ in progress(ticks, "images", total=len(left), unit="image"):
            pass
    outcomes: Counter[str] = Counter()
    described: set[str] = set()
    for image in images:
        record = _record(image, journal, folder, width)
        if record is None:
            outcomes["left for later"] += 1
            continue
        outcomes[record["outcome"]] += 1
        if record["outcome"] == "file":
            yield from _image_lines(image, record)
            if record["sha256"] not in described:
                described.add(record["sha256"])
                yield from _file_lines(record)
        elif record["outcome"] != "missing":
            logger.warning("%s: %s", image, record["why"])
    note(said(outcomes))


def _key(image: str, width: int) -> str:
    return f"file {width} {image}"


def _record(image: str, journal: Journal, folder: Path, width: int) -> dict[str, Any] | None:
    """Return what is known of an image, or None if it is to be fetched."""
    content = journal.get(_key(image, width))
    if content is None:
        return None
    record: dict[str, Any] = orjson.loads(content)
    gone = record["outcome"] == "file" and not (folder / record["path"]).is_file()
    return None if gone else record


def _look(
    images: Sequence[str], folder: Path, journal: Journal, width: int, progress: Progress
) -> None:
    """Journal the perceptual hashes of files that were fetched when mlmkg made none.

    A file that cannot be decoded any more is removed: it is to be fetched again.
    """
    batches = list(api.batches(images, _CHUNK))
    for some in progress(batches, "perceptual hashes", unit="batch"):
        seen: dict[str, bytes] = {}
        for image in some:
            record = _record(image, journal, folder, width)
            if record is None or record["outcome"] != "file" or "perceptual_hash" in record:
                continue
            looks = pictures.look(folder / record["path"])
            if looks is None:
                (folder / record["path"]).unlink()
            else:
                seen[_key(image, width)] = orjson.dumps({**record, "perceptual_hash": looks})
        journal.add(seen)


def title_of(image: str) -> str | None:
    """Return the title of an image's page, or None if it is none of Commons'.

    >>> title_of("http://commons.wikimedia.org/wiki/Special:FilePath/Andacollo%20Plaza.jpg")
    'File:Andacollo Plaza.jpg'
    """
    _, found, name = image.partition(_FILE_PATH)
    return f"File:{unquote(name)}" if found and name else None


def _ask(
    images: Sequence[str], folder: Path, client: Client, journal: Journal,
    earlier: Sequence[Journal], width: int, url: str,
) -> Iterator[None]:  # fmt: skip
    """Fetch data and files, and journal each as it comes; yield once per image."""
    foreign = [image for image in images if title_of(image) is None]
    journal.add({
        _key(i, width): orjson.dumps({"outcome": "not on Commons", "why": "no file of Commons"})
        for i in foreign
    })  # fmt: skip
    yield from (None for _ in foreign)
    ours = [image for image in images if title_of(image) is not None]
    question = partial(_data, client, url, width)
    try:
        for some in api.batches(ours, _CHUNK):
            lacking = [image for image in some if f"data {width} {image}" not in journal]
            for _, found in api.side_by_side(question, api.batches(lacking, TITLES), client.at_once):
                journal.add(
                    {f"data {width} {i}": orjson.dumps(d) for i, d in found.items()},
                    failed=[f"data {width} {i}" for i, d in found.items() if d["outcome"] == "failed"],
                )
            data = {
                image: (
                    journal.get(f"data {width} {image}") or b"{}",
                    next((r for j in earlier if (r := _record(image, j, folder, width))), {}),
                )
                for image in some
            }
            get = partial(_file, client, folder, data)
            for image, record in api.side_by_side(get, some, AT_ONCE):
                failed = [_key(image, width)] if record["outcome"] == "failed" else []
                journal.add({_key(image, width): orjson.dumps(record)}, failed=failed)
                yield None
    except Failed as failure:
        raise SourceError(
            f"no images: {failure.why}", where=client.mirrored(url),
            action="Build again when Commons is well: what was fetched is kept",
        ) from None  # fmt: skip


def _data(client: Client, url: str, width: int, images: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what Commons says of each image."""
    titles = {image: str(title_of(image)) for image in images}
    pages = api.ask(client, url, list(dict.fromkeys(titles.values())), {
        "prop": "imageinfo", "iiprop": "url|size|sha1|mime|extmetadata",
        "iiurlwidth": str(width), "iiextmetadatafilter": _FIELDS, "iiextmetadatalanguage": "en",
    })  # fmt: skip
    return {image: describe(pages[title]) for image, title in titles.items()}


def describe(page: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a page of the API: address, credit, licence, description."""
    if page.get("unanswered"):
        return {"outcome": "failed", "why": "Commons says nothing of it"}
    info = (page.get("imageinfo") or [None])[0]
    if info is None:
        return {"outcome": "missing", "why": "no such file on Commons"}
    said_of = {
        name: pictures.plain(str(entry.get("value", "")))[:_LONGEST]
        for name, entry in (info.get("extmetadata") or {}).items() if isinstance(entry, dict)
    }  # fmt: skip
    address = info.get("thumburl") or info.get("url")
    short = said_of.get("LicenseShortName") or said_of.get("UsageTerms", "")
    return {
        "outcome": "file", "address": address, "page": info.get("descriptionurl", ""),
        "mime": info.get("mime", ""), "sha1": info.get("sha1", ""),
        "author": said_of.get("Artist", ""), "credit": said_of.get("Credit", ""),
        "description": said_of.get("ImageDescription", ""), "short": short,
        "licence": licence_iri(short, said_of.get("LicenseUrl", ""), said_of.get("License", "")),
    }  # fmt: skip


def _file(
    client: Client, folder: Path, known: Mapping[str, tuple[bytes, Mapping[str, Any]]], image: str
) -> dict[str, Any]:
    """Fetch an image's file and return its record.

    :param known: image -> its data now, and its record of an earlier moment or an empty one.
    """
    packed, before = known[image]
    data: dict[str, Any] = orjson.loads(packed)
    if data["outcome"] != "file":
        return data
    if not data["address"]:
        return {**data, "outcome": "no picture", "why": f"{data['mime']} has no rendering"}

    if data["sha1"] and before.get("outcome") == "file" and before.get("sha1") == data["sha1"]:
        return {**before, **data}

    def read(answer: Answer) -> pictures.Picture:
        if answer.media_type == "text/html":
            raise Failed("HTML instead of an image")
        return pictures.check(answer.body)

    try:
        picture = client.ask(
            data["address"], read, largest=pictures.LARGEST, attempts=ATTEMPTS
        )  # fmt: skip
    except Failed as failure:
        if failure.status in {404, 410}:
            return {**data, "outcome": "missing", "why": failure.why}
        outcome = "failed" if failure.again else "refused"
        return {**data, "outcome": outcome, "why": failure.why}
    pictures.store(picture, folder)
    return {
        **data, "sha256": picture.sha256, "path": picture.path, "width": picture.width,
        "height": picture.height, "bytes": len(picture.content), "media_type": picture.media_type,
        "perceptual_hash": picture.perceptual_hash,
        "retrieved": provenance.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip


def _image_lines(image: str, record: Mapping[str, Any]) -> Iterator[bytes]:
    node = iri(image)
    who = record["author"] or record["credit"] or "unknown author"
    credit = ", ".join(part for part in (who, record["short"], record["page"]) if part)
    yield line(node, iri(MLM.file), iri(IMAGE[record["sha256"]]))
    yield line(node, iri(DCT.license), iri(record["licence"]))
    yield line(node, iri(MLM.attribution), text(credit))
    yield line(node, iri(MLM.retrieved), typed(record["retrieved"], XSD.dateTime))
    if record["author"]:
        yield line(node, iri(DC.creator), text(record["author"]))
    if record["description"]:
        yield line(node, iri(SCHEMA.description), text(record["description"], "en"))
    if record["page"]:
        yield line(node, iri(MLM.page), iri(pictures.safe_iri(record["page"])))
    if record["mime"]:
        yield line(node, iri(MLM.originalMediaType), text(record["mime"]))


def _file_lines(record: Mapping[str, Any]) -> Iterator[bytes]:
    file = iri(IMAGE[record["sha256"]])
    yield line(file, iri(RDF.type), iri(MLM.ImageFile))
    yield line(file, iri(MLM.sha256), text(record["sha256"]))
    yield line(file, iri(MLM.width), integer(record["width"]))
    yield line(file, iri(MLM.height), integer(record["height"]))
    yield line(file, iri(MLM.byteSize), integer(record["bytes"]))
    yield line(file, iri(MLM.mediaType), text(record["media_type"]))
    yield line(file, iri(MLM.path), text(record["path"]))
    yield line(file, iri(MLM.perceptualHash), text(record["perceptual_hash"]))
    yield line(file, iri(MLM.generated), boolean(False))
