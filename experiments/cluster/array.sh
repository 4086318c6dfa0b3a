#!/bin/sh
# One shard of a sweep per task of a job array; a task that must stop saves, asks to be requeued and goes on later.
#   sbatch --array=1-8 experiments/cluster/array.sh capacity --spec experiments/specs/atlas.ini
# writes results/JOB-part-1.h5 to -8.h5 (PARTS=path/prefix sets another name); then
#   dam merge results/JOB-part-*.h5 -o results/atlas.h5
#SBATCH --job-name=dam
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@120
set -u
verb=$1
shift
parts=${PARTS:-results/$SLURM_ARRAY_JOB_ID-part}
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"

"${DAM:-dam}" "$verb" "$@" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --out "$parts-$SLURM_ARRAY_TASK_ID.h5" &
dam=$!
# The scheduler warns this shell; dam saves on the same signal and exits with 3.
trap 'kill -USR1 $dam' USR1 TERM
wait $dam
code=$?
while kill -0 $dam 2>/dev/null; do
  wait $dam
  code=$?
done
[ $code -ne 3 ] || scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
exit $code
