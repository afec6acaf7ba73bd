#!/usr/bin/python3 -ISE
# SPDX-License-Identifier: Apache-2.0
"""Put in the place of pcs: has a server run the real pcs in a process that has imported it already.

Two thirds of what a call of pcs costs are its imports, and the examples make fifty calls.
"""

import os
import socket
import sys

#: In the folder that PCS_SERVER names.
DOOR = "pcs.socket"
#: Pacemaker's own variable.
FILE = "CIB_file"


def ask(arguments):
    """Have the server run pcs with our arguments, input and outputs; return its exit status."""
    here = os.getcwd()  # noqa: PTH109 (pathlib would cost as much as all the rest)
    words = [here, os.environ.get(FILE, ""), *arguments]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.connect(f"{os.environ['PCS_SERVER']}/{DOOR}")
        socket.send_fds(door, ["\0".join(words).encode()], [0, 1, 2])
        return door.recv(1)[0]


def serve(folder):
    """Answer one call after the other, until killed."""
    from pcs import app

    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Under its name it is there only when it can be knocked at: whoever waits for it looks for the name.
    door.bind(f"{folder}/new")
    door.listen()
    os.rename(f"{folder}/new", f"{folder}/{DOOR}")  # noqa: PTH104 (as above)
    while True:
        caller, _ = door.accept()
        text, outputs, _, _ = socket.recv_fds(caller, 1 << 16, 3)
        child = os.fork()
        if not child:
            _run(app, text.decode().split("\0"), outputs)
        for output in outputs:
            os.close(output)
        caller.send(bytes([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]))
        caller.close()


def _run(app, words, outputs):
    """Be the pcs that was asked for."""
    folder, cib_file, *arguments = words
    for number, output in enumerate(outputs):
        os.dup2(output, number)
    os.chdir(folder)
    if cib_file:
        os.environ[FILE] = cib_file
    sys.argv = ["pcs", *arguments]
    status = 0
    try:
        app.main(arguments)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:  # noqa: BLE001 (a traceback must not look like success)
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    sys.exit(ask(sys.argv[1:]))
