"""Time series, data sets, tables, positions, numbers and their units."""

from tests.device_models import sample
from tests.shdr_cases.case import Case, becomes_active
from tests.shdr_cases.devices import FULL, one_path

MANY_UNITS = one_path(
    sample("a", "POWER", "WATT", name="watts", nativeUnits="KILOWATT"),
    sample("b", "PATH_FEEDRATE", "MILLIMETER/SECOND", name="feed", nativeUnits="INCH/MINUTE"),
    sample("c", "PRESSURE", "PASCAL", name="pressure", nativeUnits="POUND/INCH^2"),
    sample("e", "ELECTRICAL_ENERGY", "WATT_SECOND", name="energy", nativeUnits="KILOWATT_HOUR"),
    sample("f", "FLOW", "LITER/SECOND", name="flow", nativeUnits="GALLON/MINUTE"),
    sample("g", "LOAD", name="same"),
)

NUMBERS: tuple[Case, ...] = (
    becomes_active(
        "time_series_takes_three_fields",
        "08:00:10|vib|5|100|1.1 1.2 1.3 1.4 1.5|execution|ACTIVE",
        problems=("2:22 time series: vib",),
        readings=(),
    ),
    becomes_active(
        "time_series_of_one_sample",
        "08:00:10|vib|1|100|7.5|execution|ACTIVE",
        problems=("2:22 time series: vib",),
        readings=(),
    ),
    becomes_active(
        "unavailable_time_series",
        "08:00:10|vib|0|0|UNAVAILABLE|execution|ACTIVE",
        problems=("2:22 time series: vib",),
        readings=(),
    ),
    becomes_active(
        "event_data_set",
        "08:00:10|vars|a=1 b=2 execution=ACTIVE|execution|ACTIVE",
        problems=("2:22 data set, table or position in space: vars",),
        readings=(),
    ),
    becomes_active(
        "sample_data_set_is_no_number",
        "08:00:10|loads|12|loads|3=7|execution|ACTIVE",
        problems=("2:22 data set, table or position in space: loads", "data set, table or position in space: 2 in all"),
        readings=(),
        why="'12' removes the entry 12, and '3=7' is the entry 3.",
    ),
    becomes_active(
        "data_set_with_quotes_braces_and_blanks",
        """08:00:10|vars|a='1 2' b="x y" c={p q} d= e|execution|ACTIVE""",
        problems=("2:22 data set, table or position in space: vars",),
        readings=(),
    ),
    becomes_active(
        "data_set_with_a_bar_in_a_quoted_field",
        "08:00:10|vars|\"a='x \\| y' b=2\"|execution|ACTIVE",
        problems=("2:22 data set, table or position in space: vars",),
    ),
    becomes_active(
        "data_set_with_a_reset",
        "08:00:10|vars|:MANUAL d=10|execution|ACTIVE",
        problems=("2:22 data set, table or position in space: vars",),
        readings=(),
    ),
    becomes_active(
        "table",
        "08:00:10|wpo|G54={X=1.0 Y=2.0 s='with space'} G55={X=3 AT=2022-04-06T04:00:00Z}|execution|ACTIVE",
        problems=("2:22 data set, table or position in space: wpo",),
        readings=(),
    ),
    becomes_active(
        "position_in_three_dimensions",
        "08:00:10|pos3|1.5 2.5 3.5|execution|ACTIVE",
        problems=("2:22 data set, table or position in space: pos3",),
        readings=(),
        why="It never becomes its first number.",
    ),
    becomes_active(
        "position_with_two_numbers",
        "08:00:10|pos3|1.5 2.5|execution|ACTIVE",
        problems=("2:22 data set, table or position in space: pos3",),
        readings=(),
    ),
    becomes_active(
        "numbers_that_are_none",
        "08:00:10|Xload|12abc|Srpm|1_000|Xload|NaN|Srpm|inf|Xload|１２|Srpm|1e999|Xload|0x1F|Xload|1,5|execution|ACTIVE",
        problems=(
            "2:28 invalid value: Xload=12abc",
            "2:39 invalid value: Srpm=1_000",
            "2:51 invalid value: Xload=NaN",
            "2:60 invalid value: Srpm=inf",
            "2:70 invalid value: Xload=１２",
            "invalid value: 8 in all",
        ),
        readings=(),
        why="C reads 12, inf and 0x1F there, and Python 1_000 and full-width digits.",
    ),
    becomes_active("numbers_in_all_forms", "08:00:10|Xload|+1.5E+1|Srpm|-.5|execution|ACTIVE", readings=(15.0, -0.5)),
    becomes_active(
        "empty_and_unavailable_numbers",
        "08:00:10|Xload||Srpm|UNAVAILABLE|Stemp|unavailable|execution|ACTIVE",
        readings=(),
        why="They are no readings, and not reported.",
    ),
    becomes_active(
        "units_are_converted",
        "08:00:10|Stemp|212|Xload|50|execution|ACTIVE",
        readings=(100.0, 50.0),
        why="From Fahrenheit, whose zero is another.",
    ),
    Case(
        "units_with_prefixes_and_quotients",
        ("08:00:00|execution|READY|watts|1.5|feed|60|pressure|10|energy|2|flow|60|same|7",),
        devices=MANY_UNITS,
        readings=(1500.0, 25.4, 68947.572932, 7200000.0, 3.785412, 7.0),
    ),
    Case(
        "adapter_that_needs_no_conversion",
        ("* conversionRequired: no", "08:00:00|execution|READY|Stemp|100"),
        devices=FULL,
        readings=(100.0,),
        why="It says that it has converted its numbers already.",
    ),
    Case(
        "native_scale",
        ("08:00:00|execution|READY|load10|500",),
        devices=one_path(sample("a", "LOAD", name="load10", nativeScale="10")),
        readings=(50.0,),
        why="It divides, as the schema of the standard says.",
    ),
)
