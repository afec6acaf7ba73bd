# SPDX-License-Identifier: Apache-2.0
"""One BMC per node, which speaks IPMI (ipmi_sim) and Redfish; its chassis is the lab's power supply.

The mode of a BMC says how it behaves: "normal"; "silent": its address is there but nothing answers;
"refuse": it answers, but every change of power fails; "lies-off": it says that the node is off, and
changes nothing; "stays-off": what is off stays off, as with a board that is broken.
"""

from __future__ import annotations

import socket
import threading

from tests.lab.background import Background
from tests.lab.cluster import redfish
from tests.lab.errors import LabError
from tests.lab.layout import BMC_PASSWORD, BMC_USER, RunFolder
from tests.lab.power import Machine, log

MODES = ("normal", "silent", "refuse", "lies-off", "stays-off")
PORT = 623

# "lab-chassis" (cluster/lab-chassis) asks the power supply, so the BMC never remembers a state of its own.
_LAN_CONFIGURATION = """\
name "{name}"
set_working_mc 0x20
  startlan 1
    addr {address} {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcd{guid:02x}
  endlan
  chassis_control "/usr/bin/lab-chassis {name}"
  user 1 true "" "" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""
_EMULATION = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


class Bmc:
    """The board controller of one machine."""

    def __init__(self, machine: Machine, run: RunFolder, background: Background) -> None:
        self.mode = "normal"
        self._machine = machine
        self._folder = run.bmc(machine.node.name)
        self._background = background
        self._process = f"bmc-{machine.node.name}"
        self._silence: socket.socket | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start both services; the files that they need are made here."""
        (self._folder / "state").mkdir(parents=True, exist_ok=True)
        (self._folder / "lan.conf").write_text(self._lan_configuration())
        (self._folder / "sim.emu").write_text(_EMULATION)
        self._listen()
        self._start_redfish()

    def set_mode(self, mode: str) -> None:
        """Make the BMC behave as `mode` says from now on."""
        if mode not in MODES:
            raise LabError(f"BMC mode '{mode}': use one of {', '.join(MODES)}")
        with self._lock:
            if mode == "silent" and self._silence is None:
                self._fall_silent()
            elif mode != "silent" and self._silence is not None:
                self._silence.close()
                self._silence = None
                self._listen()
            self.mode = mode

    def is_on(self) -> bool:
        """Return what the BMC says about the power."""
        return self.mode != "lies-off" and self._machine.powered

    def set_power(self, what: str) -> None:
        """Do what the IPMI command asks: "on", "off" or "reset"; raise LabError if the BMC refuses."""
        log(f"BMC of '{self._machine.node.name}', {self.mode}: is told {what}")
        if self.mode == "refuse":
            raise LabError(f"the BMC of '{self._machine.node.name}' refuses")
        if self.mode == "lies-off":
            return
        if what in ("off", "reset"):
            self._machine.off()
        if what in ("on", "reset") and self.mode != "stays-off":
            self._machine.on()

    def _listen(self) -> None:
        argv = ["ipmi_sim", "-c", "lan.conf", "-f", "sim.emu", "-s", "state", "-n"]
        self._background.start(self._process, argv, cwd=str(self._folder))

    def _start_redfish(self) -> None:
        address = self._machine.node.bmc_address
        certificate = redfish.make_certificate(self._folder, address)
        redfish.Server((address, redfish.PORT), self, (BMC_USER, BMC_PASSWORD), certificate).start()

    def _fall_silent(self) -> None:
        """Take the port ourselves and never read: a closed port would answer by ICMP that nobody is there."""
        self._background.stop(self._process)
        self._silence = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._silence.bind((self._machine.node.bmc_address, PORT))

    def _lan_configuration(self) -> str:
        address = self._machine.node.bmc_address
        return _LAN_CONFIGURATION.format(
            name=self._machine.node.name,
            address=address,
            port=PORT,
            guid=int(address.rpartition(".")[2]),
            user=BMC_USER,
            password=BMC_PASSWORD,
        )
