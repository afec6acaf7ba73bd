# SPDX-License-Identifier: Apache-2.0
"""nova.conf is read as oslo.config reads it; each case was tried with oslo.config 10.7."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nova_ha.compute import nova_conf
from nova_ha.errors import ConfigurationError

NOWHERE = "/nonexistent"


def host_name(*places):
    """Return Nova's name of this host by the files there."""
    return nova_conf.host_name(nova_conf.read(*places))


def write(folder, **files):
    """Write configuration files; ``__`` in a name stands for a folder's end, ``_dot_`` for a dot."""
    for name, text in files.items():
        path = Path(folder, name.replace("__", "/").replace("_dot_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_later_files_win(tmp_path):
    """Files of nova.conf.d win over nova.conf, and by name over each other; explicit ones over all."""
    write(tmp_path, nova__nova_dot_conf="[DEFAULT]\nhost = one\n")
    assert "one" == host_name((), NOWHERE, str(tmp_path))
    write(tmp_path, **{"nova__nova-compute_dot_conf": "[DEFAULT]\nhost = two\n"})
    assert "two" == host_name((), NOWHERE, str(tmp_path))
    write(tmp_path, **{"nova__nova_dot_conf.d__20.conf": "[DEFAULT]\nhost: four\n"})
    write(tmp_path, **{"nova__nova_dot_conf.d__10.conf": "[DEFAULT]\nhost: three\n"})
    write(tmp_path, **{"nova__nova_dot_conf.d__.30.conf": "[DEFAULT]\nhost: hidden\n"})
    assert "four" == host_name((), NOWHERE, str(tmp_path))
    write(tmp_path, explicit="[DEFAULT]\nhost = five\n")
    assert "five" == host_name(("--config-file", f"{tmp_path}/explicit"), NOWHERE, str(tmp_path))


def test_the_home_folder_comes_first(tmp_path):
    """Of several files of one name only the first is read: ~/.nova, ~, /etc/nova, /etc."""
    write(tmp_path, etc__nova__nova_dot_conf="[DEFAULT]\nhost = etc\n")
    write(tmp_path, home__nova_dot_conf="[DEFAULT]\nhost = home\n")
    assert "home" == host_name((), f"{tmp_path}/home", f"{tmp_path}/etc")
    write(tmp_path, **{"home__.nova__nova.conf": "[DEFAULT]\nhost = dot-nova\n"})
    assert "dot-nova" == host_name((), f"{tmp_path}/home", f"{tmp_path}/etc")


@pytest.mark.parametrize("spelling", ["{0} {1}", "{0}={1}"])
def test_options_of_the_command_line(tmp_path, spelling):
    """--config-file replaces the search for files, --config-dir that for folders; the last one wins."""
    write(tmp_path, nova__nova_dot_conf="[DEFAULT]\nhost = searched\n")
    write(tmp_path, **{"nova__nova_dot_conf.d__10.conf": "[DEFAULT]\nhost = folder\n"})
    write(tmp_path, given="[DEFAULT]\nmy_ip = 3\n")
    write(tmp_path, **{"snippets__10.conf": "[DEFAULT]\nhost = given\n"})
    file = spelling.format("--config-file", tmp_path / "given").split()
    folder = spelling.format("--config-dir", tmp_path / "snippets").split()
    assert "folder" == host_name((*file, "--debug"), NOWHERE, str(tmp_path))
    assert "given" == host_name((*folder, *file), NOWHERE, str(tmp_path))
    assert nova_conf.read((*folder, *file), NOWHERE, str(tmp_path)).get("my_ip") == "3"


def test_the_program_has_files_of_its_own_name(tmp_path):
    """A nova-compute under another name looks for files of that name."""
    write(tmp_path, nova__other_dot_conf="[DEFAULT]\nhost = other\n")
    assert "other" == host_name((), NOWHERE, str(tmp_path), "other.py")


def test_files_in_a_container(tmp_path):
    """The files of a process with a root folder of its own are those below that folder."""
    write(tmp_path, root__etc__nova__nova_dot_conf="[DEFAULT]\nhost = inside\n")
    write(tmp_path, root__given="[DEFAULT]\nhost = given\n")
    root = f"{tmp_path}/root"
    assert "inside" == nova_conf.read((), "/root", root=root).get("host")
    assert "given" == nova_conf.read(("--config-file", "/given"), "/root", root=root).get("host")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("[DEFAULT]\n#host = no\n;host = no\nhost=a\n[neutron]\nhost = no\n", "a"),
        ("[DEFAULT]\nhost = a\nhost = b\n", "b"),
        ("[DEFAULT]\nhost = a\n[other]\nx=1\n[DEFAULT]\nhost = b\n", "b"),
        ("[DEFAULT] \nhost = a\n", "a"),
        ("[default]\nhost = a\n", None),
        ("[ DEFAULT ]\nhost = a\n", None),
        ("[DEFAULT]\nHOST = a\n", None),
        ("[DEFAULT]\nhost:a=b\n", "a=b"),
        ("[DEFAULT]\nhost = a # c\n", "a # c"),
        ("[DEFAULT]\nhost = \"a'\n", "\"a'"),
        ("[DEFAULT]\nhost = 'a'\n", "a"),
        ("[DEFAULT]\nhost = a\n  b\n", "a\nb"),
        ("[DEFAULT]\nmy_ip = 10.0.0.1\nhost = c-$my_ip\n", "c-10.0.0.1"),
        ("[DEFAULT]\nmy_ip = 10.0.0.1\nhost = ${my_ip}\n", "10.0.0.1"),
        ("[DEFAULT]\nhost = ${Grp.x}\nmy_ip = 9\n[Grp]\nx=$my_ip\n", "9"),
        ("[DEFAULT]\nhost = a$$b\n", "a$b"),
        ("[DEFAULT]\nhost = a\\$b\n", "a$b"),
        ("[DEFAULT]\nhost = 5$ x\n", "5$ x"),
        ("[DEFAULT]\nhost = ${my_ip\n", "${my_ip"),
        ("[DEFAULT]\nhost = %(x)s\n", "%(x)s"),
        ("[DEFAULT]\ntransport_url = rabbit://u:p=x@h\n  more\nhost = d\n", "d"),
        ("[DEFAULT]\nhost =\n", ""),
        ("[DEFAULT]\n", None),
        ("", None),
    ],
)
def test_host_name_in_a_file(tmp_path, text, host):
    """The value of host is read as oslo.config reads it; without one it is the machine's name."""
    write(tmp_path, nova__nova_dot_conf=text)
    expected = os.uname().nodename if host is None else host
    assert expected == host_name((), NOWHERE, str(tmp_path))


@pytest.mark.parametrize("value", ["$elsewhere", "$my_ip.x", "${neutron.x}", "$host"])
def test_host_name_that_cannot_be_known(tmp_path, value):
    """A reference to something that is not in the file asks the admin for the parameter host."""
    write(tmp_path, nova__nova_dot_conf=f"[DEFAULT]\nhost = {value}\n")
    with pytest.raises(
        ConfigurationError, match=r"refers to .*, which is not set there; set the parameter host"
    ):
        host_name((), NOWHERE, str(tmp_path))


def test_file_that_cannot_be_read(tmp_path):
    """An explicit file that is not there is named."""
    with pytest.raises(ConfigurationError, match=r"cannot read /no/such: No such file .* parameter config"):
        host_name(("--config-file", "/no/such"), NOWHERE, str(tmp_path))


@pytest.mark.parametrize(
    ("text", "log"),
    [
        ("", None),
        ("log_file = /srv/compute.log", "/srv/compute.log"),
        ("log_dir = /var/log/nova", "/var/log/nova/nova-compute.log"),
        ("logdir = /var/log/nova", "/var/log/nova/nova-compute.log"),
        ("log_dir = /var/log/nova\nlog_file = own.log", "/var/log/nova/own.log"),
        ("log_dir = /var/log/nova\nlogfile = /srv/own.log", "/srv/own.log"),
        ("state = /srv\nlog_dir = $state/log", "/srv/log/nova-compute.log"),
    ],
)
def test_log_of_nova_compute(tmp_path, text, log):
    """The log is where oslo.log puts it."""
    write(tmp_path, nova__nova_dot_conf=f"[DEFAULT]\n{text}\n")
    assert log == nova_conf.log_file(nova_conf.read((), NOWHERE, str(tmp_path)))
