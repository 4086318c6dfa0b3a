// Builds with MPI: the ranks of MPI_COMM_WORLD when a launcher started this process, else a team of one.
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <list>

#include "experiments/command_line/machine.h"
#include "experiments/sweep/team.h"

namespace experiments {
namespace {

/// A lone process must not pay for MPI_Init (a tenth of a second, helper processes): launchers leave these variables.
bool started_by_launcher() {
  constexpr const char* kLaunchers[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
  return std::any_of(std::begin(kLaunchers), std::end(kLaunchers),
                     [](const char* name) { return std::getenv(name) != nullptr; });
}

struct Outgoing {
  MPI_Request request = MPI_REQUEST_NULL;
  std::vector<std::byte> content;
};

}  // namespace

struct Team::Impl {
  bool launched = started_by_launcher();
  int rank = 0;
  int size = 1;
  int ranks_here = 1;
  int rank_here = 0;
  int threads_here = available_threads();
  std::list<Outgoing> outgoing;

  /// Ranks bound to cores of their own keep those; ranks that share cores divide them.
  void divide_machine() {
    MPI_Comm here;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
    MPI_Comm_size(here, &ranks_here);
    MPI_Comm_rank(here, &rank_here);
    cpu_set_t mine, all;
    sched_getaffinity(0, sizeof mine, &mine);
    MPI_Allreduce(&mine, &all, sizeof mine, MPI_BYTE, MPI_BOR, here);
    threads_here = std::min(threads_here, std::max(1, CPU_COUNT(&all) / ranks_here));
    MPI_Comm_free(&here);
  }

  void forget_sent() {
    std::erase_if(outgoing, [](Outgoing& message) {
      int sent = 0;
      MPI_Test(&message.request, &sent, MPI_STATUS_IGNORE);
      return sent != 0;
    });
  }
};

Team::Team() : impl_(std::make_unique<Impl>()) {
  if (!impl_->launched) return;
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
  if (provided < MPI_THREAD_SERIALIZED) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Comm_rank(MPI_COMM_WORLD, &impl_->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &impl_->size);
  impl_->divide_machine();
}

Team::~Team() {
  if (!impl_->launched) return;
  for (Outgoing& message : impl_->outgoing) MPI_Wait(&message.request, MPI_STATUS_IGNORE);
  MPI_Finalize();
}

int Team::rank() const { return impl_->rank; }
int Team::size() const { return impl_->size; }
int Team::ranks_here() const { return impl_->ranks_here; }
int Team::rank_here() const { return impl_->rank_here; }
int Team::threads_here() const { return impl_->threads_here; }

void Team::send(int to, int kind, std::span<const std::byte> content) {
  impl_->forget_sent();
  Outgoing& message = impl_->outgoing.emplace_back();
  message.content.assign(content.begin(), content.end());
  MPI_Isend(message.content.data(), static_cast<int>(message.content.size()), MPI_BYTE, to, kind, MPI_COMM_WORLD,
            &message.request);
}

std::optional<Message> Team::receive() {
  if (impl_->size == 1) return std::nullopt;
  impl_->forget_sent();
  int there = 0;
  MPI_Status status;
  MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
  if (there == 0) return std::nullopt;
  int size = 0;
  MPI_Get_count(&status, MPI_BYTE, &size);
  Message message{status.MPI_SOURCE, status.MPI_TAG, std::vector<std::byte>(static_cast<std::size_t>(size))};
  MPI_Recv(message.content.data(), size, MPI_BYTE, message.from, message.kind, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  return message;
}

}  // namespace experiments
