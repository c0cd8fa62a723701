"""Device models: which documents are read, and which device is a machine's."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.errors import ConfigurationError
from services.gateway.mtconnect.devices import choose_device, parse_devices
from services.gateway.mtconnect.model import DataItem, DeviceModel, Form, Role
from services.gateway.mtconnect.units import Conversion
from tests.device_models import component, data_item, device, metrics_of, model, roles_of, the

LATHE_1_1 = """<?xml version="1.0" encoding="UTF-8"?>
<MTConnectDevices xmlns="urn:mtconnect.org:MTConnectDevices:1.1">
  <Header version="1.1" sender="gw" instanceId="1" bufferSize="1024" creationTime="2011-01-01T00:00:00Z"/>
  <Devices>
    <Device id="d1" name="L1" uuid="0001">
      <DataItems><DataItem category="EVENT" id="d1_al" name="alarm" type="ALARM"/></DataItems>
      <Components>
        <Axes id="ax"><Components>
          <Rotary id="c" name="C"><DataItems>
            <DataItem category="SAMPLE" id="c_s" name="Srpm" type="SPINDLE_SPEED" subType="ACTUAL"
              units="REVOLUTION/MINUTE" nativeUnits="REVOLUTION/SECOND"><Source> S1 </Source></DataItem>
          </DataItems></Rotary>
        </Components></Axes>
        <Power id="pw" name="power"><DataItems>
          <DataItem category="EVENT" id="pw_s" type="POWER_STATUS"/>
        </DataItems></Power>
      </Components>
    </Device>
  </Devices>
</MTConnectDevices>"""

MILL_1_7 = """<MTConnectDevices xmlns:m="urn:mtconnect.org:MTConnectDevices:1.7"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="urn:mtconnect.org:MTConnectDevices:1.7"
  xsi:schemaLocation="urn:mtconnect.org:MTConnectDevices:1.7 /schemas/MTConnectDevices_1.7.xsd">
  <Header version="1.7.0.3"/>
  <Devices>
    <Agent id="agent" name="Agent" uuid="a"><DataItems>
      <DataItem category="EVENT" id="agent_avail" type="AVAILABILITY"/>
    </DataItems></Agent>
    <Device id="d" name="M1" uuid="m-1">
      <DataItems>
        <DataItem category="EVENT" id="avail" type="AVAILABILITY"/>
        <DataItem category="EVENT" id="chg" type="ASSET_CHANGED" discrete="true"/>
        <DataItem category="EVENT" id="rem" type="ASSET_REMOVED"/>
      </DataItems>
      <Components>
        <Controller id="cont">
          <DataItems>
            <DataItem category="EVENT" id="estop" type="EMERGENCY_STOP"/>
            <DataItem category="EVENT" id="msg" type="MESSAGE"/>
            <DataItem category="CONDITION" id="sys" type="SYSTEM"/>
            <DataItem category="EVENT" id="vars" type="VARIABLE" representation="DATA_SET"/>
            <DataItem category="EVENT" id="offsets" type="WORK_OFFSET" representation="TABLE"/>
          </DataItems>
          <Components>
            <Path id="p1" name="path1"><DataItems>
              <DataItem category="EVENT" id="p1_exec" name="exec1" type="EXECUTION"/>
              <DataItem category="EVENT" id="p1_pc" name="parts1" type="PART_COUNT" subType="ALL"/>
              <DataItem category="SAMPLE" id="p1_pos" type="PATH_POSITION" units="MILLIMETER_3D"/>
              <DataItem category="SAMPLE" id="p1_raw" type="PATH_POSITION"/>
              <DataItem category="SAMPLE" id="p1_vib" type="ACCELERATION" representation="TIME_SERIES"
                units="MILLIMETER/SECOND^2"/>
            </DataItems></Path>
            <Path id="p2" name="path2"><DataItems>
              <DataItem category="EVENT" id="p2_exec" name="exec2" type="EXECUTION"/>
              <DataItem category="EVENT" id="p2_pc" name="parts2" type="PART_COUNT" subType="ALL"/>
            </DataItems></Path>
          </Components>
        </Controller>
      </Components>
    </Device>
  </Devices>
</MTConnectDevices>"""

CELL_2_0 = """<m:MTConnectDevices xmlns:m="urn:mtconnect.org:MTConnectDevices:2.0" xmlns:x="urn:example.com:X:2.0">
  <m:Devices><m:Device id="d" name="2호기" uuid="u"><m:Components>
    <m:Resources id="res"><m:Components><m:Materials id="mat"><m:Components>
      <m:Stock id="stock"><m:DataItems>
        <m:DataItem category="EVENT" id="mat_type" type="MATERIAL">
          <m:Constraints><m:Value>STEEL</m:Value></m:Constraints>
        </m:DataItem>
      </m:DataItems></m:Stock>
    </m:Components></m:Materials></m:Components></m:Resources>
    <x:Washer id="w" name="washer"><m:DataItems>
      <m:DataItem category="EVENT" id="w_mode" type="FUNCTIONAL_MODE">
        <m:Constraints><m:Value>PRODUCTION</m:Value><m:Value>SETUP</m:Value></m:Constraints>
        <m:InitialValue>SETUP</m:InitialValue>
      </m:DataItem>
      <m:DataItem category="EVENT" id="w_count" type="PART_COUNT" discrete="true"/>
    </m:DataItems></x:Washer>
  </m:Components></m:Device></m:Devices>
</m:MTConnectDevices>"""

LONE_2_5 = """<Device id="d" uuid="u-9" mtconnectVersion="2.5">
  <DataItems><DataItem category="EVENT" id="added" type="ASSET_ADDED"/></DataItems>
  <Components><Controller id="c"><DataItems>
    <DataItem category="EVENT" id="e" type="EXECUTION"/>
  </DataItems></Controller></Components>
</Device>"""


def test_version_1_1() -> None:
    found = model(LATHE_1_1)
    assert (found.version, found.name) == ((1, 1), "L1")
    assert found.names == {"L1", "0001", "d1"}
    assert found.complete
    assert the(found, "d1_al").form is Form.ALARM
    assert found.by_key["S1"] == DataItem(
        id="c_s",
        keys=("c_s", "Srpm", "S1"),
        scope=("d1", "ax", "c"),
        metric="c_spindle_speed_actual_rpm",
        conversion=Conversion(60),
    )
    assert not found.remarks


def test_version_1_7_with_two_paths() -> None:
    found = model(MILL_1_7)
    assert found.version == (1, 7)
    assert {item.id: item.form for item in found.items if item.form is not Form.VALUE} == {
        "chg": Form.ASSET_EVENT,
        "rem": Form.ASSET_EVENT,
        "msg": Form.MESSAGE,
        "sys": Form.CONDITION,
        "vars": Form.DATA_SET,
        "offsets": Form.DATA_SET,
        "p1_pos": Form.VECTOR,
        "p1_raw": Form.VECTOR,
        "p1_vib": Form.TIME_SERIES,
    }
    assert [item.scope for item in found.of_role(Role.EXECUTION)] == [("d", "cont", "p1"), ("d", "cont", "p2")]
    assert roles_of(found, Role.PART_COUNT) == ["p1_pc", "p2_pc"]
    assert not metrics_of(found)


def test_version_2_0_with_prefixes() -> None:
    found = model(CELL_2_0)
    assert (found.version, found.name) == ((2, 0), "2호기")
    assert the(found, "mat_type").constant == "STEEL"
    assert the(found, "mat_type").scope == ("d", "res", "mat", "stock")
    assert (the(found, "w_mode").constant, the(found, "w_mode").initial) == (None, "SETUP")
    assert the(found, "w_count").counts_each


def test_version_2_5_of_a_lone_device_without_namespace_and_name() -> None:
    found = model(LONE_2_5)
    assert (found.version, found.name) == ((2, 5), "u-9")
    assert found.names == {"u-9", "d"}
    assert the(found, "added").form is Form.ASSET_EVENT
    assert roles_of(found, Role.EXECUTION) == ["e"]


def test_a_document_without_namespace_has_the_first_version() -> None:
    document = "<MTConnectDevices><Devices><Device name='A'/><Device name='B'/></Devices></MTConnectDevices>"
    assert [(found.name, found.version) for found in parse_devices(document.encode())] == [("A", (1, 0)), ("B", (1, 0))]


def test_an_undeclared_prefix_is_accepted() -> None:
    found = device(component("x:Pump", "p", data_item("e", "EXECUTION")))
    assert roles_of(found, Role.EXECUTION) == ["e"]


KOREAN = "<?xml version='1.0' encoding='{}'?><Device name='똠방 선반'><DataItems/></Device>"
LATIN = "<?xml version='1.0' encoding=\"ISO-8859-1\"?><Device name='Fräse'/>"


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (KOREAN.format("UTF-8").encode("utf-8-sig"), "똠방 선반"),
        (KOREAN.format("UTF-16").encode("utf-16"), "똠방 선반"),
        (KOREAN.format("UTF-16").encode("utf-16-le"), "똠방 선반"),
        (KOREAN.format("UTF-16").encode("utf-16-be"), "똠방 선반"),
        # Saved as UTF-8 by an editor that left the declaration.
        (KOREAN.format("utf-16").encode(), "똠방 선반"),
        (KOREAN.format("EUC-KR").encode("cp949"), "똠방 선반"),
        (KOREAN.format("ks_c_5601-1987").encode("cp949"), "똠방 선반"),
        (KOREAN.format("CP949").encode("cp949"), "똠방 선반"),
        (LATIN.encode("latin-1"), "Fräse"),
        (b"\r\n " + KOREAN.format("UTF-8").encode(), "똠방 선반"),
        ("<Device name='똠방'/>".encode(), "똠방"),
    ],
)
def test_encodings(document: bytes, name: str) -> None:
    assert model(document).name == name


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "not well-formed"),
        (b"<Device>", "not well-formed"),
        (b"<Device/><Device/>", "not well-formed"),
        (b"2016-10-31T00:00:00Z|avail|AVAILABLE", "not well-formed"),
        (b"<MTConnectStreams/>", "answer to /current or /sample: save its answer to /probe"),
        (b"<m:MTConnectStreams xmlns:m='urn:mtconnect.org:MTConnectStreams:1.3'/>", "/current"),
        (b"<MTConnectAssets/>", "/probe"),
        (b"<MTConnectError/>", "an agent's error message: save an agent's answer to /probe"),
        (b"<html/>", "root element is html: save an agent's answer to /probe"),
        (b"<MTConnectDevices><Devices/></MTConnectDevices>", "has no <Device>"),
        (b"<MTConnectDevices><Devices><Agent/></Devices></MTConnectDevices>", "has no <Device>"),
        ("<Device name='똠방'/>".encode("cp949"), "not UTF-8 .*save it as UTF-8"),
        (b"<?xml version='1.0' encoding='hex'?><Device/>", "unknown encoding hex"),
        (b"<?xml version='1.0' encoding='EBCDIC-X'?><Device/>", "unknown encoding"),
        (b"<Device>" * 200 + b"</Device>" * 200, "levels of elements"),
        (b"<!DOCTYPE a [<!ENTITY a 'b'>]><Device name='&a;'/>", "defines XML entities"),
        (b"<!DOCTYPE a [<!ENTITY % a SYSTEM 'file:///etc/passwd'> %a;]><Device/>", "defines XML entities"),
        (b"<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><Device>&a;</Device>", "defines XML entities"),
    ],
)
def test_other_documents_are_rejected_with_advice(document: bytes, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        parse_devices(document)


def test_a_doctype_without_entities_is_harmless() -> None:
    assert model("<!DOCTYPE Device><Device name='A'/>").name == "A"


def models(*keys_of: tuple[str, list[str]]) -> list[DeviceModel]:
    return [
        DeviceModel(name, frozenset({name, f"uuid-{name}"}), [DataItem(key, (key,)) for key in keys])
        for name, keys in keys_of
    ]


TWO = models(("A", ["avail", "execution"]), ("B", ["avail", "exec", "count"]))


@pytest.mark.parametrize(
    ("wanted", "machine_id", "keys", "chosen"),
    [
        ("uuid-A", "B", {"exec"}, "A"),
        (None, "B", {"execution"}, "B"),
        (None, "uuid-B", set(), "B"),
        (None, "x", {"avail", "execution"}, "A"),
        (None, "x", {"B:avail"}, "B"),
        (None, "x", {"uuid-A:avail", "C:count"}, "A"),
    ],
)
def test_the_device_of_a_machine(wanted: str | None, machine_id: str, keys: set[str], chosen: str) -> None:
    assert choose_device(TWO, wanted, machine_id, keys).name == chosen


def test_the_only_device_needs_no_evidence() -> None:
    assert choose_device(TWO[:1], None, "x", []).name == "A"


def test_a_device_that_is_not_there_is_rejected_even_if_there_is_only_one() -> None:
    with pytest.raises(ConfigurationError, match="no device C, but A: name one of these"):
        choose_device(TWO[:1], "C", "A", [])


@pytest.mark.parametrize("keys", [[], ["nonsense"], ["avail"], ["execution", "exec"]])
def test_an_unclear_choice_is_left_to_the_operator(keys: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"devices A, B.*machine x.*--device MACHINE=NAME"):
        choose_device(TWO, None, "x", keys)


@given(st.binary())
def test_arbitrary_bytes_raise_nothing_but_configuration_errors(document: bytes) -> None:
    for prefix in (b"", b"<Device name='", b"<?xml version='1.0' encoding='", b"\xff\xfe<\0", b"<!DOCTYPE "):
        with suppress(ConfigurationError):
            assert parse_devices(prefix + document)
