// Twice the support of spin i is σ_i Σ_{j≠i} J_ij σ_j up to a positive factor; where the self-coupling is kept, K more.
// Σ_μ m² = Σ_i σ_i Σ_{j≠i} J_ij σ_j + N·K, so that the energy rises where the sum of these supports falls.
#include "dam/fields/couplings.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/parallel.h"
#include "dam/fields/plane_ops.h"

namespace dam {
namespace {

const PlaneOps* ops_of(const Kernel& kernel) {
  const auto all = plane_ops();
  const auto same = [&](const PlaneOps& ops) { return std::string_view(ops.name) == kernel.name; };
  const auto found = std::find_if(all.begin(), all.end(), same);
  return found == all.end() ? nullptr : &*found;
}

bool is_square(const core::EnergyModel& model) {
  return model.separation == core::Separation{core::SeparationKind::power, 2} &&
         model.similarity != core::Similarity::euclidean;
}

class CouplingFields final : public LocalFields {
 public:
  CouplingFields(std::shared_ptr<const Couplings> couplings, const Dynamics& dynamics)
      : couplings_(std::move(couplings)),
        // The energy rule never sees the diagonal: it is the same in both energies that it compares.
        own_(dynamics.self_coupling == SelfCoupling::kept && dynamics.rule == UpdateRule::derivative
                 ? couplings_->num_patterns()
                 : 0),
        energy_may_rise_(own_ > 0 || dynamics.order == UpdateOrder::synchronous) {}

  void load(const Patterns& patterns, const State& state) override {
    if (patterns.num_neurons() != couplings_->num_neurons() || patterns.num_patterns() != couplings_->num_patterns())
      throw std::invalid_argument("couplings of " + std::to_string(couplings_->num_neurons()) + " neurons and " +
                                  std::to_string(couplings_->num_patterns()) + " patterns got other patterns");
    state_ = state;
    supports_.resize(state.size());
    for (std::size_t spin = 0; spin < state.size(); ++spin) {
      const std::span<const std::int32_t> row = couplings_->row(spin);
      std::int64_t field = 0;
      for (std::size_t j = 0; j < row.size(); ++j) field += std::int64_t{row[j]} * state[j];
      supports_[spin] = state[spin] * field - couplings_->num_patterns() + own_;
    }
  }

  void decide(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) override {
    for (std::size_t j = 0; j < spins.size(); ++j) {
      const std::int64_t support = supports_[spins[j]];
      signs[j] = static_cast<std::int8_t>((support > 0) - (support < 0));
    }
  }

  std::size_t spins_per_decision() const override { return 8; }
  std::span<const std::int64_t> supports() const override { return supports_; }

  bool flip(std::span<const std::uint32_t> spins) override {
    const std::int64_t before = energy_may_rise_ ? sum() : 0;
    for (const std::uint32_t spin : spins) {
      const std::span<const std::int32_t> row = couplings_->row(spin);
      const std::int64_t own = supports_[spin] - own_, twice = 2 * state_[spin];
      for (std::size_t j = 0; j < row.size(); ++j) supports_[j] -= twice * state_[j] * row[j];
      supports_[spin] = own_ - own;
      state_[spin] = static_cast<std::int8_t>(-state_[spin]);
    }
    return energy_may_rise_ && sum() < before;
  }

 private:
  std::int64_t sum() const { return std::accumulate(supports_.begin(), supports_.end(), std::int64_t{0}); }

  std::shared_ptr<const Couplings> couplings_;
  std::int64_t own_;  // what the self-coupling adds to every support
  bool energy_may_rise_;
  State state_;
  std::vector<std::int64_t> supports_;
};

}  // namespace

Couplings::Couplings(const Patterns& patterns, const Kernel& kernel, int threads, const core::StopToken& stop)
    : num_neurons_(patterns.num_neurons()), num_patterns_(patterns.num_patterns()) {
  const PlaneOps* ops = ops_of(kernel);
  if (ops == nullptr) throw std::invalid_argument(std::string("couplings are not counted by ") + kernel.name);
  if (num_patterns_ >= std::int64_t{1} << 31) throw std::invalid_argument("couplings take fewer than 2^31 patterns");
  const auto spins = static_cast<std::size_t>(num_neurons_), padded = (spins + 7) / 8 * 8;
  const std::size_t words = static_cast<std::size_t>(num_patterns_ + 63) / 64;
  values_.resize(spins * spins);

  // A slab of words of all columns, word by word, that stays in a cache while every column meets every other.
  const std::size_t slab = std::clamp<std::size_t>((std::size_t{1} << 16) / padded, 1, words);
  constexpr std::size_t kRows = 16;  // counted by one thread at a time
  std::vector<std::uint64_t> columns(slab * padded);
  for (std::size_t first = 0; first < words; first += slab) {
    const std::size_t count = std::min(slab, words - first);
    for (std::size_t i = 0; i < spins; ++i)
      for (std::size_t word = 0; word < count; ++word)
        columns[word * padded + i] = patterns.column(static_cast<int>(i))[first + word];
    core::parallel_for((spins + kRows - 1) / kRows, threads, [&](std::size_t block, int) {
      stop.check();
      std::vector<std::int64_t> differences(padded);
      for (std::size_t i = kRows * block; i < std::min(spins, kRows * (block + 1)); ++i) {
        std::fill(differences.begin(), differences.end(), 0);
        ops->add_differences(columns.data(), count, padded, i, 0, 0, differences.data());
        for (std::size_t j = 0; j < spins; ++j) values_[i * spins + j] -= static_cast<std::int32_t>(differences[j]);
      }
    });
  }
  // So far minus the patterns in which two spins differ; J = K − 2 of them, in 64 bits before it is known to fit.
  for (std::int32_t& value : values_) value = static_cast<std::int32_t>(num_patterns_ + 2 * std::int64_t{value});
}

bool Couplings::pay(const core::EnergyModel& model, const Kernel& kernel, const Patterns& patterns, std::int64_t cues) {
  // A recall reads each pattern bit some dozens of times, the counting N/2 times, in similar loops.
  constexpr std::int64_t kReads = 32;
  return is_square(model) && ops_of(kernel) != nullptr && patterns.num_patterns() > patterns.num_neurons() &&
         patterns.num_patterns() < std::int64_t{1} << 31 && cues * kReads >= patterns.num_neurons();
}

std::int64_t Couplings::memory(int num_neurons) {
  return static_cast<std::int64_t>(sizeof(std::int32_t)) * num_neurons * num_neurons;
}

std::unique_ptr<LocalFields> make_coupling_fields(std::shared_ptr<const Couplings> couplings,
                                                  const core::EnergyModel& model, const Dynamics& dynamics) {
  if (!is_square(model)) throw std::invalid_argument("couplings are of the model x^2, not of " + model.text());
  return std::make_unique<CouplingFields>(std::move(couplings), dynamics);
}

}  // namespace dam
