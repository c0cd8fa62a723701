"""Checks that the compose file and the Dockerfile match the code, as far as is possible without running them."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

from deploy.local.servers import KAFKA_SETTINGS
from services.analytics.settings import AnalyticsSettings
from services.api.app import create_app
from services.api.settings import ApiSettings
from services.cli import jejo
from services.core.clock import system_clock
from services.core.database import LOGINS
from services.core.settings import MigrationSettings, Settings, read_settings
from services.ingest.settings import IngestSettings
from services.operations.settings import StatusSettings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
OURS: dict[str, type[Settings]] = {
    "bootstrap": Settings,
    "migrate": MigrationSettings,
    "operator": StatusSettings,
    "ingest": IngestSettings,
    "analytics": AnalyticsSettings,
    "api": ApiSettings,
}
PINNED = re.compile(r"(?P<name>[a-z0-9]+(?:/[a-z0-9]+)?):(?P<version>\d+\.\d+\.\d+(?:-[a-z0-9-]+)?)")


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order, each as keyword and arguments."""
    joined = DOCKERFILE.replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def images() -> list[str]:
    """Return every image that is pulled or built."""
    return [s["image"] for s in SERVICES.values()] + [
        rest.split()[0] for word, rest in instructions() if word == "FROM"
    ]


def environment(name: str) -> dict[str, str]:
    return dict(SERVICES[name].get("environment", {}))


def test_compose_has_all_services_and_two_ingest_workers() -> None:
    assert set(SERVICES) == {"kafka", "timescaledb", *OURS}
    assert SERVICES["ingest"]["deploy"] == {"replicas": 2}
    assert {SERVICES[name]["image"] for name in OURS} == {f"jejo:{VERSION}"}


@pytest.mark.parametrize("image", images())
def test_images_are_pinned_and_name_no_registry(image: str) -> None:
    assert PINNED.fullmatch(image), image


def test_versions_match_those_used_in_tests() -> None:
    found = {m["name"]: m["version"] for image in images() if (m := PINNED.fullmatch(image))}
    pom = (ROOT / "deploy/local/kafka/pom.xml").read_text()
    assert f"<version>{found['apache/kafka']}</version>" in pom
    assert found["timescale/timescaledb"].endswith("-pg17")
    assert found["python"].startswith("3.11.")
    # The Community edition in WebAssembly that tests use is 2.23.
    assert found["timescale/timescaledb"].startswith("2.23.")


@pytest.mark.parametrize("name", OURS)
def test_commands_and_variables_exist_in_the_program(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command, *arguments = SERVICES[name]["command"]
    flags = {
        "bootstrap": {"as_superuser": True},
        "migrate": {"as_superuser": False},
        "operator": {"json_output": False},
    }
    assert jejo.commands[command].make_context(
        command, arguments, parent=click.Context(jejo, **jejo.context_settings)
    ).params == flags.get(name, {})
    known = {f"JEJO_{field.upper()}" for field in OURS[name].model_fields}
    variables = environment(name)
    assert set(variables) <= known
    for secret in SERVICES[name]["secrets"]:
        (tmp_path / secret).write_text("x")
    for variable, value in {**variables, "JEJO_DATABASE_PASSWORDS": str(tmp_path)}.items():
        monkeypatch.setenv(variable, value)
    settings = read_settings(OURS[name])
    address = urlsplit(settings.database_url)
    assert (address.hostname, address.port, address.password) == ("timescaledb", 5432, "x")
    database = environment("timescaledb")
    login = OURS[name].login or database["POSTGRES_USER"]
    assert (address.username, address.path) == (login, "/" + database["POSTGRES_DB"])
    assert f"INSIDE://{settings.kafka_bootstrap_servers}" in environment("kafka")["KAFKA_ADVERTISED_LISTENERS"]


def test_each_container_gets_only_the_passwords_that_its_command_needs() -> None:
    superuser = environment("timescaledb")["POSTGRES_USER"]
    passwords = {superuser, *LOGINS} - {"researcher"}
    assert set(COMPOSE["secrets"]) == passwords
    given = {name: set(service["secrets"]) for name, service in SERVICES.items() if "secrets" in service}
    assert given.pop("bootstrap") == passwords
    assert given.pop("timescaledb") == {superuser}
    assert given.pop("operator") == passwords - {superuser, "jejo_analytics"}
    assert given == {name: {OURS[name].login} for name in given}


def test_the_compose_file_contains_no_secrets() -> None:
    for name, service in SERVICES.items():
        for variable, value in environment(name).items():
            assert not re.search(r"//[^/@]*:[^/@]*@", value), variable
            if variable == "JEJO_DATABASE_PASSWORDS":
                assert value == "/run/secrets"
            elif re.search(r"PASSWORD|SECRET|TOKEN|_KEY", variable):
                assert variable.endswith("_FILE"), variable
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    for secret in COMPOSE["secrets"].values():
        assert set(secret) == {"file"}
        assert "deploy/" + Path(secret["file"]).parent.name + "/" in ignored


def test_data_are_stored_in_declared_volumes() -> None:
    mounted = {name: [v.split(":") for v in s.get("volumes", [])] for name, s in SERVICES.items()}
    assert {source for volumes in mounted.values() for source, _ in volumes} == set(COMPOSE["volumes"])
    assert [target for _, target in mounted["kafka"]] == [environment("kafka")["KAFKA_LOG_DIRS"]]
    assert [target for _, target in mounted["timescaledb"]] == ["/var/lib/postgresql/data"]


def test_ports_are_published_on_localhost_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert sorted(published) == ["127.0.0.1:5433:5432", "127.0.0.1:8000:8000", "127.0.0.1:9092:9092"]


@pytest.mark.parametrize("name", SERVICES)
def test_services_start_in_order_and_restart(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == {"bootstrap": "on-failure", "migrate": "on-failure", "operator": "no"}.get(
        name, "unless-stopped"
    )
    for other, wanted in service.get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert (other in ("bootstrap", "migrate"), wanted["condition"]) == (True, "service_completed_successfully")
    if name in OURS:
        assert set(service["depends_on"]) >= {{"bootstrap": "timescaledb", "migrate": "bootstrap"}.get(name, "migrate")}
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]


HEALTH = {"api": "JEJO_API_PORT", "ingest": "JEJO_INGEST_METRICS_PORT", "analytics": "JEJO_ANALYTICS_METRICS_PORT"}


@pytest.mark.parametrize("name", HEALTH)
def test_a_services_health_check_uses_its_readiness_endpoint(name: str) -> None:
    *program, script = SERVICES[name]["healthcheck"]["test"]
    assert program == ["CMD", "python", "-c"]
    compile(script, "healthcheck", "exec")
    (url,) = re.findall(r'"(http://[^"]+)"', script)
    endpoint = urlsplit(url)
    assert (endpoint.hostname, str(endpoint.port)) == ("127.0.0.1", environment(name)[HEALTH[name]])
    if name == "api":
        assert "get" in create_app(ApiSettings(), system_clock).openapi()["paths"][endpoint.path]
    else:
        assert endpoint.path == "/readyz"


def test_a_servers_health_check_uses_its_own_address() -> None:
    database = SERVICES["timescaledb"]["healthcheck"]["test"]
    options = dict(zip(database[3::2], database[4::2], strict=True))
    variables = environment("timescaledb")
    assert (options["-U"], options["-d"]) == (variables["POSTGRES_USER"], variables["POSTGRES_DB"])
    kafka = SERVICES["kafka"]["healthcheck"]["test"]
    assert f"INSIDE://:{kafka[-1].split(':')[1]}" in environment("kafka")["KAFKA_LISTENERS"]


LONGEST_TRANSACTION_S = 15
"""How long an open transaction may hold up a partition: the broker's limit and its own delay in enforcing it."""


def local_settings() -> dict[str, str]:
    return dict(line.split("=", 1) for line in KAFKA_SETTINGS.split())


def compose_settings() -> dict[str, str]:
    prefix = "KAFKA_"
    variables = {name: value for name, value in environment("kafka").items() if name.startswith(prefix)}
    return {name.removeprefix(prefix).lower().replace("_", "."): value for name, value in variables.items()}


@pytest.mark.parametrize("shape", [local_settings, compose_settings])
def test_every_shapes_broker_soon_ends_a_transaction_left_open(shape: Callable[[], dict[str, str]]) -> None:
    settings = shape()
    limit_ms = int(settings["transaction.max.timeout.ms"])
    delay_ms = int(settings["transaction.abort.timed.out.transaction.cleanup.interval.ms"])
    assert 0 < limit_ms + delay_ms <= 1000 * LONGEST_TRANSACTION_S


def test_the_image_is_built_from_existing_files() -> None:
    stages = [rest.split()[2] for word, rest in instructions() if word == "FROM" and " AS " in rest]
    ignored = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    included = [line[1:] for line in ignored if line.startswith("!")]
    for word, rest in instructions():
        if word != "COPY":
            continue
        *sources, _ = [part for part in rest.split() if not part.startswith("--")]
        if "--from" in rest:
            assert rest.split()[0].removeprefix("--from=") in stages
            continue
        for source in sources:
            assert any(source.rstrip("/") == path or source.startswith(f"{path}/") for path in included), source
            assert (ROOT / source).exists(), source


def test_the_image_runs_the_program_as_an_unprivileged_user() -> None:
    last = [n for n, (word, _) in enumerate(instructions()) if word == "FROM"][-1]
    final = instructions()[last:]
    users = [rest for word, rest in final if word == "USER"]
    assert users == ["10001:10001"]
    assert [word for word, _ in final].index("USER") < [word for word, _ in final].index("ENTRYPOINT")
    (entry,) = [json.loads(rest) for word, rest in final if word == "ENTRYPOINT"]
    assert entry == ["python", "-m", "services"]
    assert (ROOT / "services/__main__.py").exists()
    # Only one service builds: engines refuse to build one image for several services at the same time.
    (build,) = [service["build"] for service in SERVICES.values() if "build" in service]
    assert (ROOT / build["dockerfile"]).exists()
    assert (ROOT / "deploy" / build["context"]).resolve() == ROOT


def test_the_image_has_only_pinned_runtime_packages() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "install" in rest]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert installs[0].endswith("-r runtime.txt")
    assert "dev.txt" not in DOCKERFILE
    assert "latest" not in DOCKERFILE
    runs = [rest for word, rest in instructions() if word == "RUN"]
    assert runs.index("npm ci") < runs.index("npm run build")
