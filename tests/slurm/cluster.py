"""A real Slurm of two nodes on this machine: munge, slurmctld and two slurmd on loopback, as root and without systemd.

All state lies in one folder. What the plugin's job step needs when slurm.conf is not in the system's default place: the
variable SLURM_CONF, and an `srun` first on PATH that sets it again, because the step removes all variables of Slurm.
"""

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "squeue", "sinfo", "scancel", "scontrol")
CONFIGURATION = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=17000
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
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=2 RealMemory=100000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=3000 DefaultTime=10 State=UP
"""
GPUS = "AutoDetect=off\nNodeName=n1 Name=gpu File=/dev/null\nNodeName=n2 Name=gpu File=/dev/null\n"


def missing():
    """Why there can be no Slurm here, or None."""
    if os.geteuid() != 0:
        return "Slurm's daemons are started as root here"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)} (make slurm)" if absent else None


@contextmanager
def cluster(place):
    """Start the daemons in a folder, yield the environment in which Slurm's commands find them, stop them."""
    place = Path(place)
    for name in ("state", "spool-n1", "spool-n2", "bin"):
        (place / name).mkdir(parents=True)
    place.chmod(0o755)
    (place / "slurm.conf").write_text(CONFIGURATION.format(host=socket.gethostname().split(".")[0], place=place))
    (place / "gres.conf").write_text(GPUS)
    (place / "munge.key").write_bytes(os.urandom(128))
    (place / "munge.key").chmod(0o400)
    environment = {
        **os.environ,
        "SLURM_CONF": str(place / "slurm.conf"),
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
    }
    wrapper = place / "bin" / "srun"
    wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={place}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    wrapper.chmod(0o755)
    files = {
        "key": "munge.key",
        "socket": "munge.socket",
        "pid": "munged.pid",
        "log": "munged.log",
        "seed": "munged.seed",
    }
    munge = [f"--{what}-file={place / name}" for what, name in files.items() if what != "socket"]
    commands = [
        ["munged", "--foreground", "--force", f"--socket={place / 'munge.socket'}", *munge],
        ["slurmctld", "-D", "-f", place / "slurm.conf"],
        ["slurmd", "-D", "-f", place / "slurm.conf", "-N", "n1"],
        ["slurmd", "-D", "-f", place / "slurm.conf", "-N", "n2"],
    ]
    daemons = []
    try:
        for command in commands:
            with open(place / f"{command[0]}-{len(daemons)}.out", "w") as output:
                daemons.append(subprocess.Popen(command, env=environment, stdout=output, stderr=output))
            sleep(0.5)
        _wait_for_idle_nodes(environment, place)
        yield environment
    finally:
        subprocess.run(["scancel", "--user=root", "--state=RUNNING"], env=environment, capture_output=True, timeout=20)
        subprocess.run(["scancel", "--user=root"], env=environment, capture_output=True, timeout=20)
        sleep(1)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _wait_for_idle_nodes(environment, place, seconds=30):
    end = monotonic() + seconds
    while monotonic() < end:
        done = subprocess.run(["sinfo", "-h", "-o", "%t %D"], env=environment, capture_output=True, text=True)
        if done.stdout.split() == ["idle", "2"]:
            return
        sleep(0.2)
    logs = "\n".join(
        f"{log.name}:\n{log.read_text()[-500:]}" for log in sorted(place.glob("*.log")) + sorted(place.glob("*.out"))
    )
    raise RuntimeError(f"Slurm did not come up in {seconds} s: {done.stdout} {done.stderr}\n{logs}")
