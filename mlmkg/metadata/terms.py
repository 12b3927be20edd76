"""Vocabularies that only metadata needs, and the codes of the EU's authority tables for DCAT-AP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mlmkg.licences import family
from mlmkg.vocab import PREFIXES, SH, SPDX, Namespace

VCARD: Final = Namespace("http://www.w3.org/2006/vcard/ns#")
FORMATS: Final = Namespace("http://www.w3.org/ns/formats/")
MEDIA_TYPE: Final = Namespace("https://www.iana.org/assignments/media-types/")
EU: Final = Namespace("http://publications.europa.eu/resource/authority/")
DCATAP: Final = Namespace("http://data.europa.eu/r5r/")
ADMS: Final = Namespace("http://purl.org/adms/")

METADATA_PREFIXES: Final = {
    **PREFIXES, "vcard": str(VCARD), "spdx": str(SPDX), "sh": str(SH), "dcatap": str(DCATAP),
}  # fmt: skip

#: ISO 639-1 -> the code of the EU's language table (ISO 639-3), for the larger Wikipedias.
#: http://publications.europa.eu/resource/authority/language
LANGUAGES: Final = {
    "ar": "ARA", "bg": "BUL", "bn": "BEN", "ca": "CAT", "cs": "CES", "da": "DAN", "de": "DEU",
    "el": "ELL", "en": "ENG", "es": "SPA", "et": "EST", "eu": "EUS", "fa": "FAS", "fi": "FIN",
    "fr": "FRA", "ga": "GLE", "gl": "GLG", "he": "HEB", "hi": "HIN", "hr": "HRV", "hu": "HUN",
    "hy": "HYE", "id": "IND", "is": "ISL", "it": "ITA", "ja": "JPN", "ka": "KAT", "kk": "KAZ",
    "ko": "KOR", "lb": "LTZ", "lt": "LIT", "lv": "LAV", "mk": "MKD", "ms": "MSA", "mt": "MLT",
    "nl": "NLD", "no": "NOR", "pl": "POL", "pt": "POR", "ro": "RON", "ru": "RUS", "sk": "SLK",
    "sl": "SLV", "sq": "SQI", "sr": "SRP", "sv": "SWE", "ta": "TAM", "th": "THA", "tr": "TUR",
    "uk": "UKR", "ur": "URD", "uz": "UZB", "vi": "VIE", "zh": "ZHO",
}  # fmt: skip


def language(code: str) -> str | None:
    """Return the EU's IRI of a language, or None for one that is not in the table here.

    :param code: ISO 639-1, ``de``.

    >>> language("de")
    'http://publications.europa.eu/resource/authority/language/DEU'
    """
    known = LANGUAGES.get(code)
    return None if known is None else EU[f"language/{known}"]


#: How long something will be there, in the words of the EU's table planned-availability.
AVAILABILITY: Final = ("stable", "available", "experimental", "temporary")
#: Family of licences -> what ADMS says of it: http://purl.org/adms/licencetype/1.1
_LICENCE_TYPES: Final = {
    "cc0": ("PublicDomain",), "pd": ("PublicDomain",), "cc-by": ("Attribution",),
    **dict.fromkeys(("cc-by-sa", "gfdl", "fal"), ("Attribution", "ViralEffect-ShareAlike")),
    "unknown": ("UnknownIPR",),
}  # fmt: skip


def licence_types(licence: str) -> list[str]:
    """Return the IRIs of what a licence is, as far as its family tells.

    >>> licence_types("https://creativecommons.org/licenses/by/4.0/")
    ['http://purl.org/adms/licencetype/Attribution']
    """
    return [ADMS[f"licencetype/{name}"] for name in _LICENCE_TYPES.get(family(licence), ())]


@dataclass(frozen=True)
class FileForm:
    """What a file is.

    :param media: its media type.
    :param eu: its name in the EU's list of file types, or None.
    :param compression: media type of what it is packed with, or None.
    """

    media: str
    eu: str | None = None
    compression: str | None = None


_FORMS: Final = {
    ".nt.zst": FileForm("application/n-triples", "RDF_N_TRIPLES", "application/zstd"),
    ".nq.gz": FileForm("application/n-quads", "RDF_N_QUADS", "application/gzip"),
    ".trig.gz": FileForm("application/trig", "RDF_TRIG", "application/gzip"),
    ".parquet": FileForm("application/vnd.apache.parquet", "PARQUET"),
    ".geojson": FileForm("application/geo+json", "GEOJSON"),
    ".jsonl": FileForm("application/jsonl"),
    ".tar": FileForm("application/x-tar", "TAR"),
    ".tsv": FileForm("text/tab-separated-values", "TSV"),
    ".ttl": FileForm("text/turtle", "RDF_TURTLE"),
    ".h5": FileForm("application/x-hdf5"),
}


def file_form(path: str) -> FileForm | None:
    """Return what a file is by its name's end, or None if that is not known.

    >>> file_form("exports/mlm/entities.parquet").eu
    'PARQUET'
    """
    return next((form for end, form in _FORMS.items() if path.endswith(end)), None)
