"""Reads the bytes of an MTConnectDevices document into the XML elements of its devices. Pure.

Documents come from agents' answers to ``/probe`` and from agents' own ``Devices.xml``, which people edit in whatever
editor and encoding they have. Namespace prefixes are ignored, since hand-written files use them without declaring them.
"""

import codecs
import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from services.core.errors import ConfigurationError

MAX_DEPTH = 100
ADVICE = "save an agent's answer to /probe, or use the agent's Devices.xml"
WRONG_ROOTS = {
    "MTConnectStreams": "an agent's answer to /current or /sample: save its answer to /probe",
    "MTConnectAssets": "an agent's answer to /asset: save its answer to /probe",
    "MTConnectError": f"an agent's error message: {ADVICE}",
}

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
UNMARKED_UTF16 = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
DECLARED_ENCODING = re.compile(rb"""\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# CP949 contains EUC-KR, and Korean editors write the one under the name of the other.
KOREAN = {"euc_kr", "cp949"}
CODECS = re.compile(r"utf-8|ascii|iso8859-.+|cp\d+|euc_.+|shift_jis|gb.+|big5|koi8-.+|johab")
"""The names, as Python normalises them, of the encodings that a document may declare."""

VERSION = re.compile(r"urn:mtconnect\.org:MTConnectDevices:([0-9]{1,3})\.([0-9]{1,3})")
DEVICE_VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})(?:\.[0-9.]*)?")


@dataclass(frozen=True, slots=True)
class Document:
    """The ``Device`` elements of a document, and the version of the standard: (1, 0) if the document does not say."""

    devices: list[Element]
    version: tuple[int, int]


def read_document(document: bytes) -> Document:
    """Read a document, or a single ``Device`` without what surrounds it.

    Raises:
        ConfigurationError: it is not well-formed XML or has no device; or it defines entities, which device models do
            not need and attacks do.
    """
    root = _parse(_decode(document))
    name = local_name(root)
    if name in WRONG_ROOTS:
        raise ConfigurationError(f"This is {WRONG_ROOTS[name]}.")
    if name not in ("MTConnectDevices", "Devices", "Device"):
        raise ConfigurationError(f"This is not a device model, since its root element is {name[:40]}: {ADVICE}.")
    devices = [element for element in root.iter() if local_name(element) == "Device"]
    if not devices:
        raise ConfigurationError("The device model has no <Device>: use the model of an agent that has a device.")
    return Document(devices, _version(root, devices[0]))


def local_name(element: Element) -> str:
    """Return an element's name without the namespace prefix."""
    return element.tag.rpartition(":")[2]


def children(element: Element, name: str) -> list[Element]:
    """Return the child elements of a name."""
    return [child for child in element if local_name(child) == name]


def _decode(document: bytes) -> str:
    encoding, content = _encoding(document)
    try:
        return content.decode(encoding).lstrip("\ufeff \t\r\n")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"The device model is not {encoding.upper()} (byte {error.start}): save it as UTF-8, "
            "or declare its encoding in its first line."
        ) from None


def _encoding(document: bytes) -> tuple[str, bytes]:
    """Return a document's encoding as its first bytes show it, and the document without its byte order mark."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if document.startswith(mark):
            return encoding, document[len(mark) :]
    if document[:2] in UNMARKED_UTF16:
        return UNMARKED_UTF16[document[:2]], document
    declared = DECLARED_ENCODING.match(document)
    # Who can read the declaration as ASCII has no UTF-16, whatever it says: editors convert files without changing it.
    name = declared[1].decode() if declared else "utf-8"
    if name.lower().startswith(("utf-16", "utf16")):
        return "utf-8", document
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        codec = ""
    if not CODECS.fullmatch(codec):
        raise ConfigurationError(f"The device model declares the unknown encoding {name}: save it as UTF-8.")
    return "cp949" if codec in KOREAN else codec, document


def _parse(text: str) -> Element:
    """Build the tree of a document, whose own declaration of an encoding is overridden."""
    builder, depth = TreeBuilder(), 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ConfigurationError(f"The device model has more than {MAX_DEPTH} levels of elements: {ADVICE}.")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse_entity(*_: object) -> None:
        raise ConfigurationError("The device model defines XML entities: remove its <!DOCTYPE>.")

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse_entity
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise ConfigurationError(f"The device model is not well-formed XML ({error}): {ADVICE}.") from None
    return builder.close()


def _version(root: Element, device: Element) -> tuple[int, int]:
    for value in root.attrib.values():
        if found := VERSION.search(value):
            return int(found[1]), int(found[2])
    if found := DEVICE_VERSION.fullmatch(device.get("mtconnectVersion", "")):
        return int(found[1]), int(found[2])
    return 1, 0
