"""Entities as Wikidata's JSON has them, made by code."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def item(qid: str, *, old: bool = False) -> Json:
    value: Json = {"entity-type": "item", "numeric-id": int(qid[1:])}
    return value if old else {**value, "id": qid}


def point(latitude: float, longitude: float, globe: str = "Q2") -> Json:
    return {
        "latitude": latitude, "longitude": longitude, "altitude": None, "precision": None,
        "globe": f"http://www.wikidata.org/entity/{globe}",
    }  # fmt: skip


def statement(
    name: str, value: Any, kind: str, datatype: str | None, *, rank: str = "normal",
    ended: bool = False,
) -> Json:  # fmt: skip
    snak: Json = {"snaktype": "value", "property": name, "datavalue": {"value": value, "type": kind}}
    if datatype is not None:
        snak["datatype"] = datatype
    made: Json = {"mainsnak": snak, "type": "statement", "rank": rank}
    if ended:
        made["qualifiers"] = {"P582": [{"snaktype": "somevalue", "property": "P582"}]}
    return made


def is_a(*classes: str, old: bool = False) -> list[Json]:
    return [statement("P31", item(c, old=old), "wikibase-entityid", "wikibase-item") for c in classes]


def below(*classes: str) -> list[Json]:
    return [statement("P279", item(c), "wikibase-entityid", "wikibase-item") for c in classes]


def at(latitude: float, longitude: float, globe: str = "Q2") -> list[Json]:
    return [statement("P625", point(latitude, longitude, globe), "globecoordinate", "globe-coordinate")]


def shows(*names: str, datatype: str | None = "commonsMedia") -> list[Json]:
    return [statement("P18", name, "string", datatype) for name in names]


def country(qid: str, *, rank: str = "normal", ended: bool = False) -> Json:
    return statement("P17", item(qid), "wikibase-entityid", "wikibase-item", rank=rank, ended=ended)


def people(number: str, rank: str = "normal") -> Json:
    return statement("P1082", {"amount": number, "unit": "1"}, "quantity", "quantity", rank=rank)


def entity(qid: str, claims: Any, links: Any = None, labels: Any = None) -> Json:
    return {
        "type": "item", "id": qid,
        "labels": labels or {"en": {"language": "en", "value": f"Thing {qid}"}},
        "descriptions": {}, "aliases": {}, "claims": claims,
        "sitelinks": links if links is not None else {
            "enwiki": {"site": "enwiki", "title": f"Thing {qid}", "badges": []}
        },
    }  # fmt: skip


def town(qid: str, **claims: Any) -> Json:
    n = int(qid[1:])
    return entity(qid, {
        "P31": is_a("Q515"), "P625": at(n % 90, n % 180), "P18": shows(f"{qid}.jpg"),
        "P17": [country("Q183")], **claims,
    })  # fmt: skip


def city_class() -> Json:
    return entity("Q515", {"P279": below("Q486972")}, {}, {
        code: {"language": code, "value": f"city in {code}"} for code in ("en", "de", "xx")
    })  # fmt: skip
