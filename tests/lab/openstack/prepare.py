# SPDX-License-Identifier: Apache-2.0
"""Prepare a cloud's databases once; every lab starts from a copy.

Run as a module, this is the part that happens inside namespaces of its own, where the control plane has the
addresses it will have in the lab, and where everything that was started ends with the process.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.layout import checkout

from . import config, names, tls
from .cache import fingerprint, made_once
from .fabric import HereFabric
from .runner import Runner
from .services import DATABASE_SOCKET, MARIADB_OPTIONS, Places, rabbitmq_files
from .venv import PYTHON, PreparationFailed, clean_environment, run_logged, venv

HERE = Path(__file__).parent
# What the content of the databases depends on.
SOURCES = ("names.py", "config.py", "seed.py", "certificates.py", "tls.py", "prepare.py",
           "requirements.txt", "constraints.txt")  # fmt: skip
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc")
MARIADB = ("/usr/bin/mariadb", "--no-defaults", "--user=root", "--batch", "--skip-column-names")


def prepared() -> Path:
    """Return the folder with a cloud's databases, keys and image, made now if need be (about a minute).

    Raises:
        PreparationFailed: it could not be made; the text names the log.
    """
    environment = venv()
    ask = ["/usr/sbin/mariadbd", "--no-defaults", "--version"]
    version = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    mark = fingerprint(
        [HERE / name for name in SOURCES], version, " ".join(MARIADB_OPTIONS), str(environment)
    )
    return made_once("cloud", mark, lambda folder: _in_namespaces(folder, environment))


def _in_namespaces(folder: Path, environment: Path) -> None:
    log = folder / "prepare.log"
    argv = [*NAMESPACES, PYTHON, "-m", "tests.lab.openstack.prepare", str(folder), str(environment)]
    with log.open("wb") as output:
        done = subprocess.run(argv, cwd=checkout(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                              env=clean_environment(), check=False)  # fmt: skip
    if done.returncode:
        raise PreparationFailed(f"the databases could not be prepared: see {log}")


class Preparation:
    """The making of one prepared folder, in namespaces of its own."""

    def __init__(self, folder: Path, environment: Path):
        self.folder = folder
        self.fabric = HereFabric(folder / "work")
        work = self.fabric.directory
        self.places = Places(environment, work / "etc", work / "state", self.fabric.logs)
        self.runner = Runner(self.fabric, self.places)
        self.nova_conf = self.places.etc / "nova" / "nova.conf"

    def run(self) -> None:
        """Make everything, in order, and keep only what a lab needs."""
        _own_network()
        self._write_files()
        self._install_mariadb()
        self.runner.start("mariadb")
        self._create_databases()
        self._sync_databases()
        self._map_cell()
        self._bootstrap_keystone()
        self._seed()
        self._keep()

    def _write_files(self) -> None:
        # Not above: on a bare machine this module is loaded before the lab's packages are installed.
        from . import certificates

        state = self.places.state
        config.write_control_plane(self.places.etc, state / "nova", self.folder / "images", self.places.venv)
        rabbitmq_files(self.places)
        certificates.write_all(self.places.etc / tls.FOLDER)
        tls.write_front_ends(self.places.etc)

    def _install_mariadb(self) -> None:
        self._call("mariadb-install-db", "--no-defaults", "--user=root", "--skip-test-db",
                   "--auth-root-authentication-method=normal",
                   f"--datadir={self.places.database}")  # fmt: skip

    def _create_databases(self) -> None:
        account = f"'{names.DATABASE_USER}'@'%'"
        self._sql(
            f"CREATE USER {account} IDENTIFIED BY '{names.DATABASE_PASSWORD}'",
            f"GRANT ALL ON *.* TO {account}",
            *(f"CREATE DATABASE {name} CHARACTER SET utf8mb3" for name in names.DATABASES),
        )

    def _sync_databases(self) -> None:
        def nova() -> None:
            self._nova_manage("api_db", "sync")
            self._nova_manage(
                "cell_v2", "map_cell0", "--database_connection", names.database_url("nova_cell0")
            )
            self._nova_manage("cell_v2", "create_cell", "--name", "cell1")
            self._nova_manage("db", "sync")

        def small() -> None:
            self._manage("placement-manage", "placement/placement.conf", "db", "sync")
            self._manage("glance-manage", "glance/glance-api.conf", "db_sync")
            self._manage("keystone-manage", "keystone/keystone.conf", "db_sync")

        with ThreadPoolExecutor() as pool:
            for future in (pool.submit(nova), pool.submit(small)):
                future.result()

    def _map_cell(self) -> None:
        """Tell Nova in which cell every host of the lab will be, so that none needs discovery."""
        self._sql(
            *(
                "INSERT INTO nova_api.host_mappings (created_at, cell_id, host) "
                f"SELECT NOW(), id, '{host}' FROM nova_api.cell_mappings WHERE name = 'cell1'"
                for host in names.COMPUTE_HOSTS
            )
        )

    def _bootstrap_keystone(self) -> None:
        owner = ("--keystone-user", "root", "--keystone-group", "root")
        for keys in ("fernet", "credential"):
            (self.places.etc / "keystone" / f"{keys}-keys").mkdir(mode=0o700)
            self._manage("keystone-manage", "keystone/keystone.conf", f"{keys}_setup", *owner)
        urls = [f"--bootstrap-{kind}-url={names.AUTH_URL}" for kind in ("admin", "internal")]
        urls.append(f"--bootstrap-public-url={names.PUBLIC_AUTH_URL}")
        self._manage("keystone-manage", "keystone/keystone.conf", "bootstrap",
                     f"--bootstrap-password={names.ADMIN['password']}", *urls,
                     f"--bootstrap-region-id={names.REGION}")  # fmt: skip

    def _seed(self) -> None:
        from . import seed

        self.runner.start_many([self.runner.services["keystone"]])
        seed.accounts_and_catalog()
        self.runner.start_many([self.runner.services[name] for name in ("glance", "nova-api")])
        seed.flavors_and_image()

    def _keep(self) -> None:
        for name in ("nova-api", "glance", "keystone", "mariadb"):
            self.runner.stop(name)
        shutil.move(self.places.database, self.folder / "mariadb")
        keys = self.folder / "keystone"
        keys.mkdir()
        for kind in ("fernet-keys", "credential-keys"):
            shutil.move(self.places.etc / "keystone" / kind, keys / kind)
        shutil.move(self.places.etc / tls.FOLDER, self.folder / tls.FOLDER)
        shutil.rmtree(self.fabric.directory)

    def _sql(self, *statements: str) -> None:
        script = ";\n".join(statements)
        command = (*MARIADB, f"--socket={DATABASE_SOCKET}", f"--execute={script}")
        run_logged(self.folder / "commands.log", *command, where=self.places.database)

    def _nova_manage(self, *words: str) -> None:
        self._call(
            str(self.places.venv / "bin" / "nova-manage"), "--config-file", str(self.nova_conf), *words
        )

    def _manage(self, tool: str, conf: str, *words: str) -> None:
        self._call(str(self.places.venv / "bin" / tool), "--config-file", str(self.places.etc / conf), *words)

    def _call(self, *argv: str) -> None:
        run_logged(self.folder / "commands.log", *argv)


def _own_network() -> None:
    """Give this network namespace the addresses of the lab's fabric."""
    for words in ("link set lo up", f"addr add {names.FABRIC}/32 dev lo"):
        subprocess.run(["/sbin/ip", *words.split()], check=True)


if __name__ == "__main__":
    Preparation(Path(sys.argv[1]), Path(sys.argv[2])).run()
