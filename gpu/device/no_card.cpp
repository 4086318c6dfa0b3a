// A build without CUDA.
#include <stdexcept>

#include "gpu/device/launcher.h"

namespace gpu {

std::unique_ptr<Launcher> make_cuda_launcher(int) {
  throw std::runtime_error("this build has no CUDA (nvcc 12 or newer was not found when it was configured)");
}
int num_cards() { return 0; }

}  // namespace gpu
