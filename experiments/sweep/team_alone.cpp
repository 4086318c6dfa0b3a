// Builds without MPI: every process is a team of its own.
#include <cstdlib>
#include <stdexcept>

#include "experiments/command_line/cli.h"
#include "experiments/command_line/machine.h"
#include "experiments/sweep/team.h"

namespace experiments {

struct Team::Impl {};

Team::Team() {
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (size != nullptr && std::atoi(size) > 1)
    throw UsageError("mpirun started several processes, but this program was built without MPI (DAMBENCH_MPI=ON)");
}
Team::~Team() = default;

int Team::rank() const { return 0; }
int Team::size() const { return 1; }
int Team::ranks_here() const { return 1; }
int Team::rank_here() const { return 0; }
int Team::threads_here() const { return available_threads(); }
void Team::send(int, int, std::span<const std::byte>) { throw std::logic_error("a team of one sends no messages"); }
std::optional<Message> Team::receive() { return std::nullopt; }

}  // namespace experiments
