"""A real Slurm of two nodes on this machine: munge, slurmctld and two slurmd on loopback, as root and without systemd.

All state lies in one folder, all ports are free ones, and the daemons live below `supervisor.py`, which ends with the tests. What the
plugin's job step needs when slurm.conf is not in the system's default place: the variable SLURM_CONF, and an `srun` first on
PATH that sets it again, because the step removes all variables of Slurm.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "squeue", "sinfo", "scancel", "scontrol")
CONFIGURATION = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=200
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,defer_batch
MinJobAge=3600
KillWait=3
EnforcePartLimits=ALL
SlurmdParameters=config_overrides
GresTypes=gpu
SlurmctldPidFile={place}/slurmctld.pid
SlurmctldLogFile={place}/slurmctld.log
StateSaveLocation={place}/state
SlurmdPidFile={place}/slurmd-%n.pid
SlurmdLogFile={place}/slurmd-%n.log
SlurmdSpoolDir={place}/spool-%n
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=3 RealMemory=100000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=3 RealMemory=100000 Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=n1 Default=YES MaxTime=1440 State=UP
PartitionName=gpu Nodes=n2 MaxTime=1440 State=UP
"""
MUNGE = {"key-file": "munge.key", "pid-file": "munged.pid", "log-file": "munged.log", "seed-file": "munged.seed"}


def missing():
    """Why there can be no Slurm here, or None."""
    if os.geteuid() != 0:
        return "Slurm's daemons are started as root here"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)} (make slurm)" if absent else None


@contextmanager
def cluster(place):
    """Start the daemons in a folder, yield the environment in which Slurm's commands find them, stop them."""
    environment = _prepared(Path(place))
    supervisor = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("supervisor.py")], stdin=subprocess.PIPE, text=True, env=environment
    )
    munge = [f"--{what}={place}/{name}" for what, name in MUNGE.items()]
    try:
        for number, command in enumerate(
            (
                ["munged", "--foreground", "--force", f"--socket={place}/munge.socket", *munge],
                ["slurmctld", "-D", "-f", f"{place}/slurm.conf"],
                ["slurmd", "-D", "-f", f"{place}/slurm.conf", "-N", "n1"],
                ["slurmd", "-D", "-f", f"{place}/slurm.conf", "-N", "n2"],
            )
        ):
            print(json.dumps([command, f"{place}/{number}-{command[0]}.out"]), file=supervisor.stdin, flush=True)
            sleep(0.5)
        _wait_for_idle_nodes(environment, Path(place))
        yield environment
    finally:
        supervisor.stdin.close()
        supervisor.wait(60)


def _prepared(place):
    """Write the configuration; the environment that leads Slurm's commands to it."""
    for name in ("state", "spool-n1", "spool-n2", "bin"):
        (place / name).mkdir(parents=True)
    place.chmod(0o755)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    host = socket.gethostname().split(".")[0]
    (place / "slurm.conf").write_text(CONFIGURATION.format(host=host, place=place, ports=ports))
    (place / "gres.conf").write_text("AutoDetect=off\nNodeName=n2 Name=gpu File=/dev/null\n")
    (place / "munge.key").write_bytes(os.urandom(128))
    (place / "munge.key").chmod(0o400)
    wrapper = place / "bin" / "srun"
    wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={place}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    wrapper.chmod(0o755)
    path = f"{place / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "SLURM_CONF": str(place / "slurm.conf"), "PATH": path}


def _wait_for_idle_nodes(environment, place, seconds=60):
    end = monotonic() + seconds
    while monotonic() < end:
        done = subprocess.run(["sinfo", "-h", "-o", "%P %t"], env=environment, capture_output=True, text=True)
        if done.stdout.split() == ["cpu*", "idle", "gpu", "idle"]:
            return
        sleep(0.2)
    logs = "\n".join(
        f"{log.name}:\n{log.read_text()[-500:]}" for log in sorted(place.glob("*.log")) + sorted(place.glob("*.out"))
    )
    raise RuntimeError(f"Slurm did not come up in {seconds} s: {done.stdout} {done.stderr}\n{logs}")
