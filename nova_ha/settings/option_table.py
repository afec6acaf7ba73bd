# SPDX-License-Identifier: Apache-2.0
"""Every option of every program, declared once.

The agents' metadata, the fence agent's options, the command line and the tables of the README are made from
`OPTIONS`; those of the credentials are in `option_credentials`. Names of the agents that nova-ha
replaces stay valid as aliases, so that their configurations load.
"""

from __future__ import annotations

from nova_ha.settings.option import Option
from nova_ha.settings.option_credentials import CREDENTIALS
from nova_ha.settings.programs import ALL, CLOUD, COMPUTE, EVACUATE, FENCE

_NO_EFFECT = (
    "this value made fencing succeed without any effect, so that servers were lost; use 1, or remove the "
    "device from the fencing level"
)

# fmt: off
OPTIONS: tuple[Option, ...] = (
    *CREDENTIALS,
    Option(
        "api_timeout", "seconds", "30", "Patience with one answer",
        "How many seconds Keystone and Nova may take for one answer.", CLOUD, minimum=1,
    ),
    Option(
        "action_timeout", "seconds", "120", "Patience with the answer to an evacuate request",
        "How many seconds Nova may take to answer an evacuate request. Keep it longer than the limit of "
        "every proxy between: an answer that is lost costs settle_time.",
        CLOUD, minimum=1,
    ),
    Option(
        "record_only", "boolean", "1", "Whether the evacuator recovers the servers",
        "Whether the action off records the fencing, tells Nova and leaves the recovery to NovaEvacuate. "
        "With 0 it returns when every server is recovered, does that itself in a cluster without "
        "NovaEvacuate, and needs as much time as it takes (pcmk_off_timeout).",
        frozenset({FENCE}), short="r",
        refused=dict.fromkeys(("2", "disabled"), _NO_EFFECT),
    ),
    Option(
        # Seen on 2.1.5 in the lab: under load Pacemaker runs one action at a time, and begins nothing new
        # while one runs. With the evacuator's controller dead, an "on" that refused or waited kept that
        # controller from being fenced, and so the evacuator from being moved, which "on" waited for.
        "hold_unfencing", "boolean", "0", "Whether the action on refuses while a recovery is open",
        "Whether the action on refuses while a recovery of the node is open: then nothing that requires "
        "unfencing starts there, though the node's connection comes up. Only for clusters without the "
        "constraint that keeps nova-compute off such nodes: while unfencing fails, Pacemaker may recover "
        "nothing else.",
        frozenset({FENCE}),
    ),
    Option(
        "on_wait", "seconds", "3", "Patience of the action on",
        "How many seconds the action on waits for an open recovery to end before it refuses. Only with "
        "hold_unfencing=1.",
        frozenset({FENCE}),
    ),
    Option(
        "nova_wait", "seconds", "5", "Patience of the action off with Nova",
        "How many seconds the action off tries to tell Nova that the node is down. Fencing succeeds in any "
        "case; NovaEvacuate tells Nova later.",
        frozenset({FENCE}),
    ),
    Option(
        "cluster_wait", "seconds", "50", "Patience of the action off with Pacemaker",
        "How many seconds the action off tries to record the fencing while Pacemaker does not answer. Keep "
        "it below pcmk_off_timeout.",
        frozenset({FENCE}),
    ),
    Option(
        "recover_wait", "seconds", "0", "Limit of a recovery with record_only=0",
        "How many seconds the action off may take to recover the servers with record_only=0; 0 leaves the "
        "limit to pcmk_off_timeout.",
        frozenset({FENCE}),
    ),
    Option(
        "instance_filtering", "boolean", None, "Kept for old configurations",
        "Accepted and ignored: every server of a dead host is recovered.", frozenset({FENCE}),
    ),
    Option(
        "shared_storage", "boolean", "1", "Whether the servers' disks outlive their host",
        "Whether the disks of servers are on storage that every compute node shares. With 0 only servers "
        "whose disks are volumes are recovered, unless rebuild_from_image allows more.",
        CLOUD,
    ),
    Option(
        "no_shared_storage", "boolean", None, "Opposite of shared_storage",
        "Opposite of shared_storage, kept for old configurations.", ALL,
    ),
    Option(
        "rebuild_from_image", "boolean", "0", "Whether servers may lose their disks",
        "Whether a server whose disk died with its host may be built anew from its image. Everything that it "
        "had written is lost.",
        CLOUD,
    ),
    Option(
        "evacuate_error", "boolean", "0", "Whether servers that were in ERROR before are evacuated",
        "Whether a server that was in ERROR before its host failed is evacuated as well. It comes back "
        "running.",
        CLOUD,
    ),
    Option(
        "reset_states", "boolean", "0", "Whether paused, suspended and rescued servers are evacuated",
        "Whether a server that was paused, suspended or in rescue is reset to ERROR, so that Nova evacuates "
        "it. What it had in memory is lost. With 0 it is reported and stays on its host.",
        CLOUD,
    ),
    Option(
        "priority_key", "string", None, "Metadata key of a server's priority",
        "Key in the servers' metadata whose whole number orders them, highest first. Without it they are "
        "evacuated in the order in which Nova lists them.",
        CLOUD,
    ),
    Option(
        "dead_after", "seconds", "900", "Age of a lost evacuation",
        "After how many seconds an evacuation that no conductor of Nova has begun, although all are up, "
        "counts as lost and is asked for again.",
        CLOUD,
    ),
    Option(
        "domain", "string", None, "DNS suffix of the hosts",
        "DNS suffix of Nova's host names, when nodes have short names. Seldom needed: a node is Nova's host "
        "of the same name, else the only one with the same short name.",
        ALL, aliases=("compute_domain",), short="d",
    ),
    Option(
        "max_in_flight", "integer", "20", "Evacuations at the same time",
        "How many servers are evacuated at the same time, over all hosts.", CLOUD, minimum=1,
    ),
    Option(
        "per_destination", "integer", "10", "Evacuations at the same time per healthy host",
        "How many servers are evacuated at the same time for each compute node that can take some.",
        CLOUD, minimum=1,
    ),
    Option(
        "settle_time", "seconds", "60", "Wait after a lost answer",
        "How many seconds to look for a trace of an evacuate request whose answer was lost, before it is "
        "sent again. Keep it longer than the limit of every proxy between.",
        CLOUD,
    ),
    Option(
        "stuck_after", "seconds", "300", "Time without progress",
        "After how many seconds without progress an evacuation is reported, and another server is evacuated "
        "in its place. It is never sent again on that ground alone, for its guest may run.",
        CLOUD,
    ),
    Option(
        "threshold", "integer", "0", "Most hosts that may be down",
        "Hold every recovery while more than this number of hosts is down: such a failure is rarely one of "
        "hosts. 0 means no limit.",
        CLOUD,
    ),
    Option(
        "disable_lost", "boolean", "1", "Whether a host is disabled in Nova at the first sign of its loss",
        "Whether a compute node's service is disabled in Nova as soon as Pacemaker has lost the node, before "
        "it is fenced, so that no new server is sent there. It is enabled again when the node is back "
        "without having been fenced. A service that somebody else has disabled is left as it is.",
        frozenset({EVACUATE}),
    ),
    Option(
        "wedged_after", "seconds", "120", "Silence after which a nova-compute is restarted",
        "After how many seconds a nova-compute that Nova shows as down, on a node that is online, is to be "
        "restarted. NovaCompute's monitor of level 10 has it restarted; its servers run on. Only while "
        "Nova's conductors are up and most other nova-compute report, and not where somebody has disabled "
        "the service. 0 switches it off.",
        frozenset({EVACUATE}),
    ),
    Option(
        "fence_wedged_after", "integer", "0", "Restarts that may not help",
        "After how many restarts that did not bring a silent nova-compute back its node is fenced, and its "
        "servers are evacuated, although they may run. Only while no other host is in trouble. 0 means "
        "never.",
        frozenset({EVACUATE}),
    ),
    Option(
        "evacuate_delay", "seconds", None, "Kept for old configurations",
        "Accepted and ignored: a recovery begins once the fencing is certain, and needs no delay.",
        frozenset({EVACUATE}),
    ),
    Option(
        "verbose", "boolean", "0", "Whether to log more", "Log every decision and every request.",
        ALL - {FENCE}, aliases=("debug",),
    ),
    Option(
        "debug_file", "string", None, "Kept for old configurations",
        "Accepted and ignored: the log is in /var/log/nova-ha.", frozenset({EVACUATE, COMPUTE}),
    ),
    Option(
        "plug", "string", None, "Name of the compute node",
        "Name of the compute node, as Pacemaker knows it.", frozenset({FENCE}), aliases=("port",), short="n",
    ),
    Option(
        "run_as", "choice", "auto", "What runs nova-compute",
        "What runs nova-compute: systemd (see unit), a container of podman or docker (see container), or "
        "nothing but Pacemaker (process: see binary, user, additional_parameters). auto is systemd if that "
        "runs the machine and one unit of nova-compute is installed, or unit is set; else process, as it "
        "always is when binary or additional_parameters is set; a container has to be asked for. Whatever "
        "it is, it must not be started at boot: systemctl disable, restart policy no.",
        frozenset({COMPUTE}), choices=("auto", "process", "systemd", "podman", "docker"),
    ),
    Option(
        "unit", "string", None, "Unit of nova-compute",
        "Unit of systemd, for run_as=systemd. By default nova-compute or openstack-nova-compute, whichever "
        "is installed.",
        frozenset({COMPUTE}),
    ),
    Option(
        "container", "string", "nova_compute", "Container of nova-compute",
        "Name of the container, for run_as=podman or docker. It must exist. Set host as well, or config to "
        "the nova.conf that goes into the container.",
        frozenset({COMPUTE}),
    ),
    Option(
        "binary", "string", "/usr/bin/nova-compute", "Path of nova-compute",
        "The program to run, for run_as=process. Otherwise only its name counts, by which its process is "
        "known.",
        frozenset({COMPUTE}),
    ),
    Option(
        "config", "string", "/etc/nova/nova.conf", "Configuration files of nova-compute",
        "Configuration files of nova-compute, separated by blanks. A process is started with them; of a "
        "unit or a container they are read for the host's name.",
        frozenset({COMPUTE}),
    ),
    Option(
        "user", "string", "nova", "User that runs nova-compute",
        "User that runs nova-compute, for run_as=process.", frozenset({COMPUTE}),
    ),
    Option(
        "pid", "string", None, "Path of the file with the process id",
        "File that remembers the process id of nova-compute; by default one per resource below the runtime "
        "folder of resource agents.",
        frozenset({COMPUTE}),
    ),
    Option(
        "start_wait", "seconds", "10", "Patience of the start with an open recovery",
        "How many seconds the start waits for an open recovery of the host to end before it fails. Keep it "
        "short: meanwhile Pacemaker recovers nothing else, perhaps not even the evacuator.",
        frozenset({COMPUTE}),
    ),
    Option(
        "additional_parameters", "string", None, "More arguments of nova-compute",
        "More arguments of nova-compute, separated by blanks, for run_as=process.", frozenset({COMPUTE}),
    ),
    Option(
        "host", "string", None, "Nova's name of this host",
        "Nova's name of this host; by default the value of host in nova.conf, else the host's name.",
        frozenset({COMPUTE}),
    ),
    Option(
        "log_silence", "seconds", "300", "Longest silence in nova-compute's log",
        "After how many seconds in which nova-compute wrote nothing into its log the monitor with "
        "OCF_CHECK_LEVEL=10 fails; 0 means never. Only a log in which it has said how it is (Final resource "
        "view, every minute; with debug=true, and in old releases without it) at least three times counts.",
        frozenset({COMPUTE}),
    ),
    Option(
        "log_file", "string", None, "Log of nova-compute",
        "Log of nova-compute, for log_silence; by default the files to which its process appends.",
        frozenset({COMPUTE}),
    ),
    Option(
        "evacuation_delay", "seconds", None, "Kept for old configurations",
        "Accepted and ignored: the start waits until the recovery of this host is complete, and no longer.",
        frozenset({COMPUTE}),
    ),
)
# fmt: on
