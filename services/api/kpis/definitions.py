"""The versions of the KPI definitions that can be asked for, and what their flags and reasons mean."""

from collections.abc import Iterable

from schemas.kpi_definitions import KpiDefinitions, Meanings, meanings_of, read_definitions, read_versions

CURRENT = read_definitions()
MEANINGS = CURRENT.meanings
VERSIONS = read_versions()
DEFINED_AT = "/v1/kpi-definitions?definition_version={version}"
"""Where a version is published, with the meanings of its flags and reasons."""


def definitions_of(version: str | None) -> KpiDefinitions:
    """Return a version of the definitions; the one in force if none is asked for.

    Raises:
        ValueError: there is no such version; the message names those that there are.
    """
    if version is None:
        return CURRENT
    found = {str(number): definitions for number, definitions in VERSIONS.items()}.get(version)
    if found is None:
        raise ValueError(
            f"there is no version {version!r} of the KPI definitions; ask for one of {', '.join(map(str, VERSIONS))}, "
            f"or leave definition_version out for {CURRENT.definition_version}"
        )
    return found


def meanings_for(definitions: KpiDefinitions, ids: Iterable[str]) -> Meanings:
    """Return what the flags and reasons mean that some KPIs may have."""
    known = definitions.by_id()
    return meanings_of(MEANINGS, [known[name] for name in ids])
