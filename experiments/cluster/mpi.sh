#!/bin/sh
# One sweep on many ranks, one file; for a few large searches, which shards cannot split.
#   sbatch --nodes=4 --ntasks-per-node=16 experiments/cluster/mpi.sh capacity --spec SPEC.ini --out results/large.h5
# It stops three minutes before the scheduler would stop it, and then puts itself back into the queue.
#SBATCH --job-name=dam-mpi
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -u
left=$((${SLURM_JOB_END_TIME:-$(($(date +%s) + 14400))} - $(date +%s) - 180))
[ $left -ge 60 ] || left=60
mpirun ${MPIRUN_OPTIONS:-} "${DAM:-dam}" "$@" --threads "${SLURM_CPUS_PER_TASK:-1}" --time-limit "${left}s"
code=$?
[ $code -ne 3 ] || scontrol requeue "$SLURM_JOB_ID"
exit $code
