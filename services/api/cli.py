"""The command of the API."""

import argparse


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``api``."""
    parser = commands.add_parser("api", help="serve KPIs and the registry over HTTP")
    parser.set_defaults(run=run_api)


def run_api(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    import uvicorn

    from services.api.app import create_app
    from services.api.settings import ApiSettings
    from services.core.clock import system_clock
    from services.core.logging import configure_logging
    from services.core.settings import read_settings

    settings = read_settings(ApiSettings)
    configure_logging(settings.log_level, settings.log_format)
    uvicorn.run(
        create_app(settings, system_clock),
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    return 0
