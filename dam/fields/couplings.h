// n = 2 as a matrix: J_ij = Σ_μ ξ_i ξ_j, after which a recall costs what N asks for, whatever K.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/stop.h"
#include "dam/fields/kernels.h"

namespace dam {

/// The exact integers J_ij of one pattern set; shared by the threads that recall from it.
class Couplings {
 public:
  /// Counts in O(N²·K/64) with the loops of the kernel of that name (a plane kernel), on `threads` threads. Throws
  /// std::invalid_argument for another kernel or K ≥ 2³¹, core::Stopped when asked to.
  Couplings(const Patterns& patterns, const Kernel& kernel, int threads, const core::StopToken& stop = {});

  int num_neurons() const { return num_neurons_; }
  std::int64_t num_patterns() const { return num_patterns_; }
  /// Row i: J_ij by j, the diagonal K.
  std::span<const std::int32_t> row(std::size_t spin) const {
    return {values_.data() + spin * static_cast<std::size_t>(num_neurons_), static_cast<std::size_t>(num_neurons_)};
  }

  /// Whether recall from `cues` states is faster by couplings: the model is x², K > N, and there are cues enough to pay
  /// for the counting; never for the reference kernel, which is there to be compared with.
  static bool pay(const core::EnergyModel& model, const Kernel& kernel, const Patterns& patterns, std::int64_t cues);
  /// Bytes they take.
  static std::int64_t memory(int num_neurons);

 private:
  int num_neurons_;
  std::int64_t num_patterns_;
  std::vector<std::int32_t> values_;
};

/// Local fields of the model x² by couplings: decisions are those of every kernel, the supports of all spins are kept,
/// a flip costs O(N). load() takes the patterns that the couplings were counted from; throws std::invalid_argument for
/// a model that is not x² and for patterns of another size.
std::unique_ptr<LocalFields> make_coupling_fields(std::shared_ptr<const Couplings> couplings,
                                                  const core::EnergyModel& model, const Dynamics& dynamics);

}  // namespace dam
