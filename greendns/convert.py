"""pgeodns's bases -> geodns zone documents, for the loader and as files.

Loading: writes files, knows neither sockets nor answers. What a record may hold is not judged here: the documents go
the way of every other zone file.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .errors import ConfigError, Problem
from .found import shown
from .pgeobase import dotted
from .pgeodns import Base, Pgeodns, read, reason, seconds


def zone_documents(pgeodns: Pgeodns) -> dict[str, dict[str, object]]:
    """The geodns zone document of every base that is not internal, by name without the final dot.

    The documents share their records with `pgeodns`: to be read, not changed.
    """
    return {base.name[:-1]: _document(base) for base in pgeodns.bases.values() if not base.is_internal}


def convert(path: Path, outdir: Path, report: Callable[[str], None], directory: Path | None = None) -> list[Path]:
    """Write `outdir/<base without dot>.json` for every base that is newer than its output; return what was written.

    outdir     is made if only its last part is missing
    report     gets one line for each file and for each thing that will be answered differently
    directory  as in `pgeodns.read`
    Raises ConfigError if the configuration cannot be read or an output cannot be written.
    """
    pgeodns = read(path, directory)
    for remark in remarks(pgeodns):
        report(remark)
    documents = zone_documents(pgeodns)
    outputs = _output_paths(documents, outdir)
    _ensure_directory(outdir)
    written = []
    for name, output in outputs.items():
        if not _is_newer(pgeodns.bases[name + "."], output):
            report(f"{output}: not older than its base, left as it is")
            continue
        _write(output, documents[name])
        report(f"{output}: written")
        written.append(output)
    return written


def remarks(pgeodns: Pgeodns) -> list[str]:
    """What geodns's zone format cannot say, or reads otherwise than pgeodns did: one line each."""
    return [line for base in pgeodns.bases.values() if not base.is_internal for line in _base_remarks(base)]


def _base_remarks(base: Base) -> Iterator[str]:
    if dotted(base.primary_ns) not in map(dotted, base.ns):
        yield f"{base.name} primary_ns {base.primary_ns} is not an ns: the SOA will name {next(iter(base.ns))}"
    for label, types in base.data.items():
        target = types.get("cname")
        if isinstance(target, str) and not target.endswith("."):
            yield f"{base.name} cname of {shown(label)} has no final dot: read as {target}.{base.name}"


def _document(base: Base) -> dict[str, object]:
    """A base as geodns JSON; the first NS is the MNAME of the SOA, so it is primary_ns."""
    apex = {"ns": dict(base.ns), **base.data.get("", {})}
    max_hosts = {} if base.max_hosts is None else {"max_hosts": base.max_hosts}
    return {
        "ttl": base.ttl,
        "serial": base.serial,
        **max_hosts,
        **base.settings,
        "mtime": seconds(base.mtime_ns),
        "data": {"": apex, **{label: types for label, types in base.data.items() if label}},
    }


# -- files


def _output_paths(names: Mapping[str, object], outdir: Path) -> dict[str, Path]:
    """Where each base goes; raises ConfigError for a name that cannot be a file's in a zone directory."""
    bad = [name for name in names if not name or name.startswith(".") or "/" in name]
    if bad:
        expected = "base must have a name that can be a file name"
        raise ConfigError(*[Problem(str(outdir), "", expected, shown(name)) for name in bad])
    return {name: outdir / f"{name}.json" for name in names}


def _is_newer(base: Base, output: Path) -> bool:
    try:
        return base.mtime_ns > output.stat().st_mtime_ns
    except OSError:
        return True


def _ensure_directory(outdir: Path) -> None:
    try:
        outdir.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(Problem(str(outdir), "", f"must be a directory: {reason(error)}")) from error


def _write(output: Path, document: dict[str, object]) -> None:
    """Write by a temporary file, so that a server that watches the directory never sees half a zone."""
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="ascii") as stream:
            stream.write(_readable(document))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(output)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise ConfigError(Problem(str(output), "", f"must be writable: {reason(error)}")) from error


def _readable(document: dict[str, object]) -> str:
    """JSON with one line per setting and per label, in the order of the configuration."""
    settings = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items() if key != "data"]
    labels: Any = document["data"]
    lines = [f"    {json.dumps(label)}: {json.dumps(types)}" for label, types in labels.items()]
    return "{\n" + ",\n".join([*settings, '  "data": {\n' + ",\n".join(lines) + "\n  }"]) + "\n}\n"
