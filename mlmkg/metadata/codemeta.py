"""CodeMeta 3: the software that made the dataset, from the metadata of its own package.

The installed package is read, ``codemeta.json`` leaves (https://codemeta.github.io/terms/).
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageMetadata, metadata
from typing import Final

from mlmkg.metadata.schemaorg import said

_REQUIREMENT: Final = re.compile(r"([\w.-]+)\s*([^;]*)(;.*)?")


def codemeta() -> bytes:
    """Return the description of this software."""
    package = metadata("mlmkg")
    links = dict(link.split(", ", 1) for link in package.get_all("Project-URL") or [])
    classifiers = [line.split(" :: ") for line in package.get_all("Classifier") or []]
    document = {
        "@context": "https://w3id.org/codemeta/3.0",
        "type": "SoftwareSourceCode",
        "identifier": f"{package['Name']}-{package['Version']}",
        "name": package["Name"],
        "description": package["Summary"],
        "version": package["Version"],
        "softwareVersion": package["Version"],
        "license": f"https://spdx.org/licenses/{package['License-Expression']}",
        "author": [{"type": "Organization", "name": package["Author"]}],
        "keywords": [word.strip() for word in (package["Keywords"] or "").split(",")],
        "programmingLanguage": {"type": "ComputerLanguage", "name": "Python"},
        "runtimePlatform": f"Python {package['Requires-Python']}",
        "operatingSystem": [line[-1] for line in classifiers if line[0] == "Operating System"],
        "softwareHelp": links.get("Documentation"),
        "relatedLink": sorted(links.values()),
        "softwareRequirements": _requirements(package),
    }
    return (json.dumps(said(document), indent=2, ensure_ascii=False) + "\n").encode()


def _requirements(package: PackageMetadata) -> list[dict[str, str]]:
    """Return what it needs; what an extra adds is left out."""
    found = []
    for line in package.get_all("Requires-Dist") or []:
        match = _REQUIREMENT.fullmatch(line)
        if match and "extra ==" not in (match[3] or ""):
            found.append(said({
                "type": "SoftwareApplication", "identifier": match[1], "name": match[1],
                "version": match[2].strip(), "runtimePlatform": "Python 3",
            }))  # fmt: skip
    return found
