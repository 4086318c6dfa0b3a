// The slow reference: reads like the formulas, checks every other kernel, never optimised.
#include "dam/fields/energy.h"
#include "dam/fields/local_fields.h"
#include "dam/fields/support.h"

namespace dam {
namespace {

class ReferenceFields final : public LocalFields {
 public:
  ReferenceFields(const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons,
                  const core::StopToken& stop)
      : support_(model, dynamics, num_neurons, stop) {}

  void load(const Patterns& patterns, const State& state) override {
    patterns_ = &patterns;
    state_ = state;
    overlaps_ = overlaps(patterns, state);
  }

  void decide(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) override {
    const int num_neurons = support_.num_neurons;
    for (std::size_t j = 0; j < spins.size(); ++j) {
      counts_.assign(2 * (num_neurons + 1), 0);  // patterns by overlap, agreeing with the spin and disagreeing
      for (std::size_t pattern = 0; pattern < overlaps_.size(); ++pattern) {
        const int agreements = (num_neurons + overlaps_[pattern]) / 2;
        ++counts_[agrees(spins[j], pattern) ? agreements : num_neurons + 1 + agreements];
      }
      signs[j] = static_cast<std::int8_t>(support_.stay.sign(counts_));
    }
  }

  std::size_t spins_per_decision() const override { return 1; }

  bool flip(std::span<const std::uint32_t> spins) override {
    counts_.assign(support_.num_neurons + 1, 0);  // patterns by overlap, after minus before
    for (const int overlap : overlaps_) --counts_[(support_.num_neurons + overlap) / 2];
    for (const std::uint32_t spin : spins) {
      for (std::size_t pattern = 0; pattern < overlaps_.size(); ++pattern)
        overlaps_[pattern] += agrees(spin, pattern) ? -2 : +2;
      state_[spin] = static_cast<std::int8_t>(-state_[spin]);
    }
    for (const int overlap : overlaps_) ++counts_[(support_.num_neurons + overlap) / 2];
    return support_.separation.sign(counts_) < 0;
  }

 private:
  bool agrees(std::uint32_t spin, std::size_t pattern) const {
    return patterns_->bit(static_cast<int>(spin), static_cast<std::int64_t>(pattern)) == (state_[spin] > 0);
  }

  Support support_;
  const Patterns* patterns_ = nullptr;
  State state_;
  std::vector<int> overlaps_;
  std::vector<std::int64_t> counts_;
};

}  // namespace

std::unique_ptr<LocalFields> make_reference_fields(const core::EnergyModel& model, const Dynamics& dynamics,
                                                   int num_neurons, const core::StopToken& stop) {
  return std::make_unique<ReferenceFields>(model, dynamics, num_neurons, stop);
}

}  // namespace dam
