# SPDX-License-Identifier: Apache-2.0
"""How each service of the control plane is started, what it needs, and how one sees that it is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import names, tls
from .venv import clean_environment

STANDIN = Path(__file__).parent / "neutron_standin.py"
MARIADB_OPTIONS = (
    "--no-defaults",
    "--user=root",
    f"--port={names.MARIADB_PORT}",
    f"--bind-address={names.FABRIC}",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--character-set-server=utf8mb3",
    "--max-connections=500",
    "--innodb-buffer-pool-size=48M",
    "--innodb-log-file-size=16M",
    "--performance-schema=off",
    # The machine does not lose its power in the middle of a lab, only the lab's nodes do.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
)


#: In the folder of the data, where MariaDB goes: a whole path may exceed the 108 bytes of a unix socket.
DATABASE_SOCKET = "mariadb.sock"


@dataclass(frozen=True)
class Places:
    """Where the files of one control plane lie.

    Attributes:
        venv: the cached virtual environment.
        etc: configuration.
        state: databases' data, the queue's data, locks; dies with the run.
        logs: folder of the logs of the whole lab.
    """

    venv: Path
    etc: Path
    state: Path
    logs: Path

    @property
    def database(self) -> Path:
        """Return the folder of MariaDB's data, and of its socket."""
        return self.state / "mariadb"


@dataclass(frozen=True)
class Service:
    """One process of the control plane.

    Attributes:
        name: what a person calls it.
        argv: its command line.
        env: environment beside the usual one.
        needs: services that must be ready before it is started.
        port: it is ready when it accepts connections here.
        tls_port: where its TLS front end listens, if it has one; that comes and goes with it.
        web: a web service: its port opens before the code behind it is loaded, so ask it something.
        ready_text: without a port, it is ready when its own log says this.
        stop_seconds: how long a stop may take before it is killed.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    port: int | None = None
    tls_port: int | None = None
    web: bool = False
    ready_text: str = ""
    stop_seconds: float = 10.0


def _wsgi(places: Places, name: str, port: int, module: str, threads: int, env: Mapping[str, str]) -> Service:
    """Return a service that one uwsgi process with threads offers."""
    argv: tuple[str, ...] = (
        str(places.venv / "bin" / "uwsgi"),
        "--http-socket", f"{names.FABRIC}:{port}",
        "--module", module,
        "--need-app", "--die-on-term", "--enable-threads", "--threads", str(threads),
        "--buffer-size", "65535", "--listen", "100", "--http-chunked-input",
        "--add-header", "Connection: close", "--disable-logging",
    )  # fmt: skip
    tls_port = tls.PORTS.get(name)
    if tls_port is not None:
        argv = tls.behind_front_end(places.etc, name, argv)
    return Service(name, argv, {**env, **_warm()}, needs=("mariadb",), port=port, tls_port=tls_port, web=True)


def _warm() -> dict[str, str]:
    # oslo.log writes to stderr by default, which the lab keeps as <logs>/<name>.log.
    return {"PYTHONUNBUFFERED": "1"}


def _nova(places: Places, binary: str, ready_text: str) -> Service:
    argv = (str(places.venv / "bin" / binary), "--config-file", str(places.etc / "nova" / "nova.conf"))
    # They log in to Keystone at once and give up if nobody listens; for RabbitMQ they wait by themselves.
    return Service(binary, argv, _warm(), needs=("mariadb", "keystone"), ready_text=ready_text)


def _mariadb(places: Places) -> Service:
    files = (f"--datadir={places.database}", f"--socket={DATABASE_SOCKET}",
             f"--pid-file={places.database / 'mariadbd.pid'}")  # fmt: skip
    argv = ("/usr/sbin/mariadbd", *MARIADB_OPTIONS, *files)
    return Service("mariadb", argv, port=names.MARIADB_PORT)


def _rabbitmq(places: Places) -> Service:
    home = places.state / "rabbitmq"
    env = {
        "HOME": str(home),
        # Without this the start script stays as a parent that must be stopped in a way of its own.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_NODENAME": "lab@localhost",
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(places.logs / "rabbitmq"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        # One scheduler thread that sleeps when idle: the machine's two cores belong to Nova.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"
        " -kernel inet_dist_use_interface {127,0,0,1}",
    }
    return Service("rabbitmq", ("/usr/lib/rabbitmq/bin/rabbitmq-server",), env, port=names.RABBITMQ_PORT)


def rabbitmq_files(places: Places) -> None:
    """Write what RabbitMQ reads at its start."""
    home = places.state / "rabbitmq"
    home.mkdir(parents=True, exist_ok=True)
    (home / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = {names.FABRIC}:{names.RABBITMQ_PORT}\nloopback_users = none\n"
        f"default_user = {names.RABBITMQ_USER}\ndefault_pass = {names.RABBITMQ_PASSWORD}\n"
    )
    (home / "enabled_plugins").write_text("[].\n")
    cookie = home / ".erlang.cookie"
    if not cookie.exists():
        cookie.touch(mode=0o400)
        cookie.write_text("LABCOOKIE")


def control_plane(places: Places) -> dict[str, Service]:
    """Return every service of the control plane by its name."""
    nova_env = {
        "OS_NOVA_CONFIG_DIR": str(places.etc / "nova"),
        "OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf",
    }
    etc = places.etc
    services = (
        _mariadb(places),
        _rabbitmq(places),
        _wsgi(places, "keystone", names.KEYSTONE_PORT, "keystone.wsgi.api:application", 4,
              {"OS_KEYSTONE_CONFIG_DIR": str(etc / "keystone")}),
        _nova(places, "nova-conductor", "Starting conductor node"),
        _nova(places, "nova-scheduler", "Starting scheduler node"),
        _wsgi(places, "nova-api", names.NOVA_PORT, "nova.wsgi.osapi_compute:application", 16, nova_env),
        _wsgi(places, "placement", names.PLACEMENT_PORT, "placement.wsgi.api:application", 8,
              {"OS_PLACEMENT_CONFIG_DIR": str(etc / "placement")}),
        _wsgi(places, "glance", names.GLANCE_PORT, "glance.wsgi.api:application", 2,
              {"OS_GLANCE_CONFIG_DIR": str(etc / "glance")}),
        Service("neutron", ("/usr/bin/python3", str(STANDIN), names.FABRIC, str(names.NEUTRON_PORT)),
                port=names.NEUTRON_PORT),
    )  # fmt: skip
    return {service.name: service for service in services}


def environment(service: Service) -> dict[str, str]:
    """Return the whole environment of a service's process."""
    return {**clean_environment(), **service.env}
