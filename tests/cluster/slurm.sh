#!/bin/bash
# A real single-node Slurm on this machine runs an array of shards; tasks are requeued and cancelled; the merged file must
# be the sweep of one process. Where there is mpirun, a job of two ranks must write that file too. Needs root and Debian's slurm-wlm and munge; uses ports and folders of its own.
#   tests/cluster/slurm.sh build/release/experiments/dam
set -euo pipefail
dam=$(realpath "$1")
here=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d /tmp/dambench-slurm-XXXXXX)
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap finish EXIT

until_true() { # SECONDS WHAT COMMAND…
  local seconds=$1 what=$2
  shift 2
  for ((i = 0; i < 5 * seconds; ++i)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  echo "after $seconds s still not: $what" >&2
  tail -n 20 "$work"/*.log >&2
  exit 1
}

head -c 128 /dev/urandom >"$work/munge.key"
chmod 400 "$work/munge.key"
cat >"$work/slurm.conf" <<CONF
ClusterName=dambench
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=$(id -un)
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=$work/munge.socket,cred_expire=5
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=1
KillWait=10
MpiDefault=none
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=$(hostname -s) Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
CONF
mkdir "$work/state" "$work/spool"
export SLURM_CONF=$work/slurm.conf
munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" \
  --log-file="$work/munged.log" --seed-file="$work/munge.seed" >"$work/munged.out" 2>&1 &
started+=($!)
until_true 20 "munged answers" munge -S "$work/munge.socket" -n
slurmctld -D >"$work/slurmctld.out" 2>&1 &
started+=($!)
slurmd -D >"$work/slurmd.out" 2>&1 &
started+=($!)
node_is_up() { sinfo -h -o %T | grep -qE 'idle|mixed|allocated'; }
until_true 60 "the node is up" node_is_up

# Long enough to be interrupted, on the slow kernel.
sweep=(capacity --size 40:88:+16 --degree 3 --alpha 1,0.9 --beta 0.5,0.9 --precision 0.03 --seed 5)
cd "$work"
"$dam" "${sweep[@]}" --quiet --out whole.h5 >/dev/null

export DAM=$dam PARTS=$work/part
submit() { sbatch --parsable --cpus-per-task=1 --time=10 --output="$work/task-%a.txt" "$@"; }
job=$(submit --array=1-3 "$here/experiments/cluster/array.sh" "${sweep[@]}" --kernel reference --time-limit 8s)
has_saved() { "$dam" status "$work/part-$1.h5"; }
for task in 1 2 3; do until_true 120 "task $task has saved" has_saved "$task"; done

scancel "${job}_3"
scontrol requeue "${job}_2"
task_3_is_gone() { ! squeue -h -r -j "$job" -o %K | grep -qx 3; }
until_true 60 "task 3 is cancelled" task_3_is_gone
"$dam" merge part-*.h5 -o early.h5 | tee early.txt
grep -q "not complete" early.txt
resumed=$(SLURM_ARRAY_TASK_COUNT=3 submit --array=3 --wrap "'$dam' ${sweep[*]} --shard 3/3 --out '$work/part-3.h5'")
queue_is_empty() { [ -z "$(squeue -h -j "$job,$resumed")" ]; }
until_true 420 "all tasks have ended" queue_is_empty

grep -h -c "stopped early" task-*.txt | sed 's/^/stops of a task: /'
grep -q "continuing" task-*.txt
"$dam" merge part-*.h5 -o merged.h5 | tee merge.txt
if grep -q "not complete" merge.txt; then exit 1; fi
"$dam" merge early.h5 merged.h5 -o again.h5 >/dev/null
for file in merged.h5 again.h5; do /usr/bin/python3 "$here/tests/cluster/same_numbers.py" whole.h5 $file; done
if command -v mpirun >/dev/null; then
  # Open MPI refuses to run as root, which this script needs to be.
  ranks=$(OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 sbatch --parsable --ntasks=2 --time=10 \
    --output="$work/ranks.txt" "$here/experiments/cluster/mpi.sh" "${sweep[@]}" --out "$work/ranks.h5")
  ranks_have_ended() { [ -z "$(squeue -h -j "$ranks")" ]; }
  until_true 300 "the MPI job has ended" ranks_have_ended
  /usr/bin/python3 "$here/tests/cluster/same_numbers.py" whole.h5 ranks.h5 || { cat "$work/ranks.txt"; exit 1; }
  echo "Slurm: two MPI ranks: the numbers of one process"
fi
echo "Slurm: array, requeued task, cancelled task, merged file: the numbers of one process"
