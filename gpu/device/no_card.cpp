// A build without CUDA.
#include <stdexcept>

#include "gpu/device/launcher.h"

namespace gpu {

std::unique_ptr<Launcher> make_cuda_launcher(int) {
  throw std::runtime_error("there is no card to use here (built without CUDA: no nvcc 12 or newer)");
}
int num_cards() { return 0; }

}  // namespace gpu
