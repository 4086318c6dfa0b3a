// The table of local-field engines: what can run here, under which name.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/stop.h"
#include "dam/fields/local_fields.h"

namespace dam {

/// One way to compute local fields. All kernels give the same decisions; they differ in speed only.
struct Kernel {
  const char* name;
  bool (*available)();  // whether this processor can run it
  std::unique_ptr<LocalFields> (*create)(const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons,
                                         const core::StopToken& stop);

  /// Prepares for (model, dynamics, N), which takes minutes for powers of some hundred at N = 10⁵; throws core::Stopped
  /// when asked to, then and later when it loads a state.
  std::unique_ptr<LocalFields> make(const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons,
                                    const core::StopToken& stop = {}) const {
    return create(model, dynamics, num_neurons, stop);
  }
};

/// Every kernel of this build, fastest first: `planes-…` by instruction set, then `reference`.
std::span<const Kernel> kernels();

/// The available kernel of that name; `auto` is the fastest. Throws std::invalid_argument that lists the available.
const Kernel& find_kernel(std::string_view name);

}  // namespace dam
