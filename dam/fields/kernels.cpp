#include "dam/fields/kernels.h"

#include <stdexcept>
#include <vector>

#include "dam/fields/planes.h"

namespace dam {

std::span<const Kernel> kernels() {
  static const std::vector<Kernel> table = [] {
    std::vector<Kernel> rows = plane_kernels();
    rows.push_back({"reference", [] { return true; }, make_reference_fields});
    return rows;
  }();
  return table;
}

const Kernel& find_kernel(std::string_view name) {
  std::string available = "auto";
  for (const Kernel& kernel : kernels()) {
    if (!kernel.available()) continue;
    if (name == "auto" || name == kernel.name) return kernel;
    available += std::string(", ") + kernel.name;
  }
  throw std::invalid_argument("kernel '" + std::string(name) + "' is not one of " + available);
}

}  // namespace dam
