#include "dam/local_fields_planes.h"
namespace dam {
std::vector<Kernel> plane_kernels() { return {}; }
}  // namespace dam
