# SPDX-License-Identifier: Apache-2.0
"""How the steps of pcs-examples behave: run again, removed again, printed, and said in other words."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conformance.cluster_configuration import Configuration
from tests.conformance.examples_machine import CONTROLLERS, EXAMPLES, pacemaker

pytestmark = pytest.mark.conformance


def test_a_second_run_changes_nothing(machine, deployed):
    """Every step run again leaves the file byte for byte as it was, and succeeds."""
    before = deployed.read_bytes()
    done = machine.run('for step in "$E"/0*.sh; do "$step"; done', deployed)
    assert (0, "") == (done.returncode, done.stderr)
    assert before == deployed.read_bytes()


def test_the_rule_about_recoveries_may_have_another_name(machine, deployed):
    """One that was typed as nova-ha doctor advises is found; pcs would refuse to add it once more."""
    cib = machine.folder / "typed.xml"
    cib.write_text(deployed.read_text(encoding="utf-8").replace('id="nova-compute-gate', 'id="typed'))
    before = cib.read_bytes()
    done = machine.run('"$E"/080-constraints.sh', cib)
    assert (0, before) == (done.returncode, cib.read_bytes()), done.stderr


def test_what_the_steps_print_can_be_typed(machine, deployed):
    """A command is shown as a shell reads it, also with a space or a quote in a value."""
    cib = machine.folder / "printed.xml"
    cib.write_bytes(deployed.read_bytes())
    words = ["resource", "create", "dummy", "ocf:pacemaker:Dummy", "fake=it's a test", "--disabled"]
    done = machine.run(f'. "$E"/functions.sh\npcs {shlex.join(words)}', cib)
    assert ["#", "pcs", *words] == shlex.split(done.stdout), done.stderr


def test_the_record_device_is_never_alone(machine, deployed):
    """While a node has no level fence_compute is disabled: it would count as a way to switch it off."""
    cib = machine.folder / "alone.xml"
    shutil.copy(f"{deployed}.before", cib)
    script = """
    cat > "$PCS_SERVER/watch" <<'END'
#!/bin/sh
"$PCS_SERVER/pcs" "$@" || exit
cp "$CIB_FILE" "$CIB_FILE.$(date +%s%N)"
END
    chmod 755 "$PCS_SERVER/watch"
    umount /usr/sbin/pcs
    mount --bind "$PCS_SERVER/watch" /usr/sbin/pcs
    "$E"/050-fence-compute.sh && "$E"/060-compute-services.sh && "$E"/070-nova-evacuate.sh
    "$E"/080-constraints.sh && "$E"/090-start.sh && "$E"/remove.sh
    """
    done = machine.run(script, cib)
    assert 0 == done.returncode, done.stderr
    seen = [Configuration(path) for path in machine.folder.glob("alone.xml.*")]
    in_use = [
        c for c in seen if c.resource("fence-nova") is not None and "target-role" not in c.meta("fence-nova")
    ]
    assert len(in_use) > 3
    assert {2} == {len(c.levels()) for c in in_use}
    assert_back_to_the_beginning(cib, deployed)


def assert_back_to_the_beginning(cib, deployed):
    """What remove.sh leaves means the same as what was there before step 050."""
    before = Path(f"{deployed}.before")
    assert Configuration(before).meaning() == Configuration(cib).meaning()
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(cib), "-VV")


def test_nothing_is_removed_during_a_recovery(machine, deployed):
    """remove.sh refuses while a node's record exists, and changes nothing."""
    cib = machine.folder / "open.xml"
    text = deployed.read_text(encoding="utf-8")
    record = (
        '<nvpair id="r" name="nova-ha-fenced" value="fenced 2026-11-22T06:40:12Z"/></instance_attributes>'
    )
    head, tail = text.split('<node type="remote" id="compute-0"')
    cib.write_text(
        head + '<node type="remote" id="compute-0"' + tail.replace("</instance_attributes>", record, 1)
    )
    before = cib.read_bytes()
    done = machine.run('"$E"/remove.sh', cib)
    assert (1, before) == (done.returncode, cib.read_bytes())
    assert "a node is fenced and not back in service" in done.stderr


def test_the_file_for_crmsh_says_the_same(machine, deployed):
    """From its one file crmsh makes what pcs makes of the steps, and of a second load nothing new."""
    cib = machine.cib("crmsh", *CONTROLLERS)
    load = 'CIB_file=$CIB_FILE crm -F configure load update "$E"/crmsh.txt'
    done = machine.run(f'{load} && cp "$CIB_FILE" "$CIB_FILE.once" && {load}', cib)
    assert 0 == done.returncode, done.stderr
    assert Configuration(deployed).meaning() == Configuration(cib).meaning()
    assert cib.with_name("crmsh.xml.once").read_bytes() == cib.read_bytes()
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(cib), "-VV")


def test_shellcheck_is_content():
    """Nothing in the steps is suspicious to shellcheck."""
    scripts = sorted(path.name for path in EXAMPLES.glob("*.sh"))
    assert len(scripts) > 10
    command = ["/usr/bin/shellcheck", "--external-sources", *scripts]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLES)
    assert "" == done.stdout


def test_the_commands_of_the_migration_guide(machine, deployed):
    """The guide's commands make of a configuration for the old agents one without credentials."""
    cib = machine.folder / "old.xml"
    shutil.copy(f"{deployed}.before", cib)
    guide = (EXAMPLES / "MIGRATION.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^ {7}.+\n)+", guide, flags=re.MULTILINE)
    assert 3 == len(blocks)
    cloud = "auth_url=http://keystone:5000/v3 tenant_name=admin domain=localdomain"
    old = f"""
    pcs() {{ command pcs -f "$CIB_FILE" "$@"; }}
    pcs stonith create fence-nova fence_compute {cloud} login=admin passwd=secret record_only=1
    pcs resource create nova-evacuate ocf:openstack:NovaEvacuate {cloud} username=admin password=secret
    """
    done = machine.run("\n".join((old, *blocks)), cib)
    assert 0 == done.returncode, done.stderr
    configuration = Configuration(cib)
    shared = {"cloud": "mycloud", "clouds_yaml": "/etc/nova-ha/clouds.yaml"}
    assert shared == configuration.parameters("nova-evacuate")
    limits = {"pcmk_off_timeout": "120s", "pcmk_on_timeout": "60s"}
    nodes = {"pcmk_host_list": "compute-0 compute-1"}
    assert {**shared, **limits, **nodes} == configuration.parameters("fence-nova")
    assert {"provides": "unfencing", "failure-timeout": "120s"} == configuration.meta("fence-nova")
