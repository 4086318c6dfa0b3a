// Local fields by bit planes: Σ_μ x_μ q_μ = Σ_b 2^b·popcount(column & plane_b), exact and in any order.
//
// Patterns in the window of WindowedOverlaps are summed that way, the few listed ones one by one. Sums of weights come
// by table look-up, planes when a decision needs them, highest bits first: most spins are decided by the high bits and
// a bound on the rest.
#include "dam/fields/planes.h"

#include <hwy/targets.h>
#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>

#include "dam/fields/plane_ops.h"
#include "dam/fields/windowed_overlaps.h"

namespace dam {
namespace {

/// For n = 2, supports are kept for all spins while all columns together have up to this many words: following a flip
/// then costs less than deciding the spins up to the next one. It depends on whether vectors have a popcount.
std::size_t max_kept_words(std::int64_t target) { return target == HWY_AVX3_DL ? 4096 : 1024; }

class PlaneFields final : public LocalFields {
 public:
  PlaneFields(const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons, const PlaneOps& ops,
              const core::StopToken& stop)
      : stop_(stop), support_(model, dynamics, num_neurons, stop), ops_(ops), overlaps_(ops, num_neurons) {}

  void load(const Patterns& patterns, const State& state) override {
    overlaps_.load(patterns, state);
    make_tables();
    weigh();
    keeps_supports_ = false;
    if (is_short() && tables_->narrow && tables_->pair_scale > 0 && !support_.energy_may_rise &&
        words() * state.size() <= max_kept_words(ops_.target))
      keep_supports();
  }

  void decide(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) override {
    if (keeps_supports_)
      for (std::size_t j = 0; j < spins.size(); ++j) signs[j] = sign_of(supports_[spins[j]], 0);
    else if (!decides_by_limbs())
      decide_at_once(spins, signs);
    else
      decide_by_limbs(spins, signs);
  }

  std::size_t spins_per_decision() const override { return is_short() ? 8 : 4; }

  std::span<const std::int64_t> supports() const override {
    return std::span(supports_).first(keeps_supports_ ? state().size() : 0);
  }

  bool flip(std::span<const std::uint32_t> spins) override {
    if (keeps_supports_) {
      for (const std::uint32_t spin : spins) flip_kept(spin);
      return false;
    }
    const bool rose = step_and_compare(spins);
    if (overlaps_.move_window_if_crowded()) {
      make_tables();
      weigh();
    }
    return rose;
  }

 private:
  /// A limb's sums over the window's patterns.
  struct LimbState {
    std::int64_t bound = 0;  // Σ|limb|: no spin's ±limbs sum to more
    bool built = false;      // its planes and its sum are those of the current overlaps
    std::int64_t sum = 0;    // Σ limb
  };

  bool is_short() const { return words() <= kShortWords; }
  bool decides_by_limbs() const { return !is_short() || !tables_->narrow; }
  std::size_t words() const { return overlaps_.words(); }
  const Patterns& patterns() const { return overlaps_.patterns(); }
  const State& state() const { return overlaps_.state(); }

  /// Tables for the window and the number of patterns, where they are not those at hand.
  void make_tables() {
    const Window& window = overlaps_.window();
    const bool new_window = !tables_ || tables_->lowest != window.lowest || tables_->width != window.width;
    if (new_window) tables_.emplace(support_, window.lowest, window.width, stop_);
    if (new_window || fitted_patterns_ != patterns().num_patterns()) {
      tables_->fit(patterns().num_patterns());
      fitted_patterns_ = patterns().num_patterns();
      limbs_.resize(tables_->difference.limbs.size());
      list_weights();
    }
    if (is_short()) planes_.clear();  // interleaved planes that a limb does not have must be 0
    planes_.resize(8 * words() * limbs_.size());
  }

  /// Flips spins; true iff that raised the energy.
  bool step_and_compare(std::span<const std::uint32_t> spins) {
    const Units before = separation_sum_;
    const bool clamped_before = separation_clamped_;
    step(spins);
    if (!support_.energy_may_rise) return false;
    const Units change = separation_sum_ - before;
    if (!clamped_before && !separation_clamped_ &&
        (tables_->separation_error == 0 || change > tables_->separation_error || -change > tables_->separation_error))
      return change < 0;
    return energy_rose_exactly(spins);
  }

  /// Flips spins one after the other in the overlaps, then weighs the new ones.
  void step(std::span<const std::uint32_t> spins) {
    for (const std::uint32_t spin : spins) overlaps_.flip(spin);
    weigh();
  }

  // ---- sums of weights over all patterns ----

  /// Σ over the window's patterns of one more table, taken off the front of the sums that weigh() made.
  Units sum(const LimbTable& table, std::span<const std::int64_t>& sums) const {
    Units sum = 0;
    for (const Limb& limb : table.limbs) {
      sum += static_cast<Units>(sums.front() / (1 << (8 - limb.num_bits))) << limb.first_bit;
      sums = sums.subspan(1);
    }
    return table.offset * overlaps_.in_window() + table.unit * sum;
  }

  /// Which bytes weigh() sums, in the order it takes the sums.
  void list_weights() {
    weights_.clear();
    const auto add_bytes = [&](const LimbTable& table) {
      for (const Limb& limb : table.limbs) weights_.push_back({limb.bytes.data(), limb.is_signed});
    };
    add_bytes(tables_->total);
    if (decides_by_limbs())
      for (const Limb& limb : difference()) weights_.push_back({limb.magnitudes.data(), false});
    if (support_.energy_may_rise) add_bytes(tables_->separation_limbs);
    sums_by_weight_.resize(weights_.size());
  }

  void weigh() {
    ops_.sum(overlaps_.positions(), words(), weights_, sums_by_weight_.data());
    std::span<const std::int64_t> sums = sums_by_weight_;
    total_sum_ = sum(tables_->total, sums);
    for (LimbState& limb : limbs_) {
      limb.built = false;
      if (!decides_by_limbs()) continue;
      limb.bound = sums.front();
      sums = sums.subspan(1);
    }
    if (!support_.energy_may_rise) return;
    separation_sum_ = sum(tables_->separation_limbs, sums);
    separation_clamped_ = false;
    for (const Outlier& outlier : overlaps_.outliers()) {
      const Units value = tables_->separation[outlier.agreements];
      separation_sum_ += value;
      separation_clamped_ = separation_clamped_ || value == kClamp || value == -kClamp;
    }
  }

  std::span<const Limb> difference() const { return tables_->difference.limbs; }

  void build(std::size_t l) {
    if (limbs_[l].built) return;
    const Limb& limb = difference()[l];
    const std::int64_t sum =
        ops_.build(overlaps_.positions(), words(), limb, is_short(), planes_.data() + 8 * words() * l);
    limbs_[l].sum = sum / (1 << (8 - limb.num_bits));
    limbs_[l].built = true;
  }

  // ---- decisions ----

  void collect_columns(std::span<const std::uint32_t> spins) {
    const std::uint64_t* first = patterns().column(0).data();
    columns_.resize(spins.size());
    for (std::size_t j = 0; j < spins.size(); ++j) columns_[j] = first + spins[j] * words();
    sums_.resize(spins.size());
  }

  static std::int8_t sign_of(std::int64_t twice, std::int64_t error) {
    return static_cast<std::int8_t>((twice > error) - (twice < -error));
  }

  void decide_at_once(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) {
    add_up(spins);
    const auto error = static_cast<std::int64_t>(tables_->error);
    for (std::size_t j = 0; j < spins.size(); ++j) signs[j] = sign_of(sums_[j], error);
    if (error == 0) return;
    for (std::size_t j = 0; j < spins.size(); ++j)
      if (signs[j] == 0) signs[j] = exact_sign(spins[j]);
  }

  /// Few patterns: twice the supports go to sums_, all limbs in one sweep, in 64 bits.
  void add_up(std::span<const std::uint32_t> spins) {
    const auto unit = static_cast<std::int64_t>(tables_->difference.unit);
    auto total = static_cast<std::int64_t>(total_sum_);
    std::int64_t difference_sum = 0;
    for (std::size_t l = 0; l < limbs_.size(); ++l) {
      build(l);
      difference_sum += unit * (limbs_[l].sum * (std::int64_t{1} << difference()[l].first_bit));
    }
    collect_columns(spins);
    ops_.short_fields(columns_, words(), difference(), planes_.data(), sums_.data());

    const ListedSums listed_sums = list_outliers();
    total += listed_sums.total;
    difference_sum += listed_sums.difference;
    // Through locals: the compiler must take a write to sums for one to any member.
    const std::span<std::int64_t> sums = sums_;
    const std::span<const std::uint64_t* const> columns = columns_;
    const std::span<const std::int8_t> now = state();
    for (std::size_t j = 0; j < spins.size(); ++j) {
      const std::int64_t field = unit * sums[j] + listed_field(columns[j]);
      // A product, not a choice: states are as good as random, and a wrong guess would cost more than the rest.
      sums[j] = now[spins[j]] * (2 * field - difference_sum) + total;
    }
  }

  /// An outlier whose weights fit 62 bits, as fields need it.
  struct Listed {
    std::size_t word;
    int bit;
    std::int64_t difference;
  };
  struct ListedSums {
    std::int64_t total = 0, difference = 0;
  };

  /// Fills listed_; the sums over it of agree + disagree and of agree − disagree.
  ListedSums list_outliers() {
    ListedSums sums;
    listed_.clear();
    for (const Outlier& outlier : overlaps_.outliers()) {
      const auto agree = static_cast<std::int64_t>(tables_->agree[outlier.agreements]);
      const auto disagree = static_cast<std::int64_t>(tables_->disagree[outlier.agreements]);
      sums.total += agree + disagree;
      sums.difference += agree - disagree;
      listed_.push_back(
          {static_cast<std::size_t>(outlier.pattern / 64), static_cast<int>(outlier.pattern % 64), agree - disagree});
    }
    return sums;
  }

  /// Σ over listed_ of the column's bit times the difference; no branch, bits are as good as random.
  std::int64_t listed_field(const std::uint64_t* column) const {
    std::int64_t field = 0;
    for (const Listed& listed : listed_)
      field += -static_cast<std::int64_t>(column[listed.word] >> listed.bit & 1) & listed.difference;
    return field;
  }

  /// A spin whose sign is still open: twice its support is `twice` but for the limbs not looked at yet.
  struct Open {
    std::uint32_t spin;
    std::size_t place;  // in signs
    Units twice;
    bool clamped_up, clamped_down;  // a term of that sign was cut off: twice is a bound from that side only
  };

  /// Many patterns: limb by limb, until what the rest can add no longer matters.
  void decide_by_limbs(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) {
    Units rest = tables_->error;
    for (std::size_t l = 0; l < limbs_.size(); ++l)
      rest += tables_->difference.unit * (static_cast<Units>(limbs_[l].bound) << difference()[l].first_bit);
    open_.clear();
    if (tables_->narrow) {
      const ListedSums listed = list_outliers();
      for (std::size_t j = 0; j < spins.size(); ++j) {
        const std::int64_t field =
            2 * listed_field(patterns().column(static_cast<int>(spins[j])).data()) - listed.difference;
        open_.push_back({spins[j], j, total_sum_ + listed.total + state()[spins[j]] * field, false, false});
      }
    } else {
      for (std::size_t j = 0; j < spins.size(); ++j) open_.push_back(begin(spins[j], j));
    }
    close(rest, signs);

    for (std::size_t l = 0; l < limbs_.size() && !open_.empty(); ++l) {
      const Units scale = tables_->difference.unit << difference()[l].first_bit;
      build(l);
      spins_.clear();
      for (const Open& open : open_) spins_.push_back(open.spin);
      collect_columns(spins_);
      sum_columns(l);
      for (std::size_t j = 0; j < open_.size(); ++j)
        open_[j].twice += scale * state()[open_[j].spin] * (2 * sums_[j] - limbs_[l].sum);
      rest -= scale * limbs_[l].bound;
      close(rest, signs);
    }
    for (const Open& open : open_) {
      const bool known = tables_->error == 0 && !open.clamped_up && !open.clamped_down;
      signs[open.place] = known ? std::int8_t{0} : exact_sign(open.spin);
    }
  }

  /// sums_[j] = Σ_μ (bit μ of column j)·limb.
  void sum_columns(std::size_t l) {
    const std::uint64_t* planes = planes_.data() + 8 * words() * l;
    if (!is_short()) return ops_.fields(columns_, words(), difference()[l], planes, sums_.data());
    Limb limb = difference()[l];
    limb.first_bit = 0;
    ops_.short_fields(columns_, words(), {&limb, 1}, planes, sums_.data());
  }

  Open begin(std::uint32_t spin, std::size_t place) const {
    Open open{spin, place, total_sum_, false, false};
    const Units* const weights[] = {tables_->disagree.data(), tables_->agree.data()};
    for (const Outlier& outlier : overlaps_.outliers()) {
      const Units weight = weights[overlaps_.agrees(spin, outlier.pattern)][outlier.agreements];
      open.twice += 2 * weight;
      open.clamped_up |= weight == kClamp;
      open.clamped_down |= weight == -kClamp;
    }
    return open;
  }

  /// Takes out the spins whose sign no longer depends on the rest.
  void close(Units rest, std::span<std::int8_t> signs) {
    std::erase_if(open_, [&](const Open& open) {
      const bool up = open.twice > rest && !open.clamped_down, down = open.twice < -rest && !open.clamped_up;
      if (up || down) signs[open.place] = up ? 1 : -1;
      return up || down;
    });
  }

  // ---- n = 2: supports of all spins, followed from flip to flip ----
  //
  // Twice the support of spin i is s(σ_i Σ_μ ξ_i m − K) = s Σ_{j≠i} (K − 2·|c_i xor c_j|) with the agreements c of a
  // spin as bits: a flip complements one c_j, and overlaps are needed no more.

  void keep_supports() {
    const std::size_t count = state().size(), padded = (count + 7) / 8 * 8;
    spins_.resize(count);
    std::iota(spins_.begin(), spins_.end(), 0u);
    add_up(spins_);
    supports_.assign(padded, 0);
    std::copy(sums_.begin(), sums_.end(), supports_.begin());
    agreements_.assign(padded * words(), 0);
    const std::uint64_t* columns = patterns().column(0).data();
    for (std::size_t word = 0; word < words(); ++word) {
      const std::uint64_t valid = valid_bits(word);
      for (std::size_t spin = 0; spin < count; ++spin) {
        const auto minus = static_cast<std::uint64_t>(std::int64_t{state()[spin]} >> 1);  // all ones for −1, no branch
        agreements_[word * padded + spin] = columns[spin * words() + word] ^ (minus & valid);
      }
    }
    keeps_supports_ = true;
  }

  /// The bits of a column's word that are patterns.
  std::uint64_t valid_bits(std::size_t word) const {
    const std::int64_t bits = patterns().num_patterns() - 64 * static_cast<std::int64_t>(word);
    return bits >= 64 ? ~std::uint64_t{0} : bits <= 0 ? 0 : (std::uint64_t{1} << bits) - 1;
  }

  void flip_kept(std::uint32_t spin) {
    const std::int64_t scale = tables_->pair_scale, own = supports_[spin];
    ops_.add_differences(agreements_.data(), words(), supports_.size(), spin, -2 * scale * patterns().num_patterns(),
                         std::countr_zero(4u * static_cast<unsigned>(scale)), supports_.data());
    supports_[spin] = -own;
    for (std::size_t word = 0; word < words(); ++word) agreements_[word * supports_.size() + spin] ^= valid_bits(word);
  }

  // ---- the exact way, where the tables are rounded and the sum came too close to 0 ----

  std::int8_t exact_sign(std::uint32_t spin) {
    const int states = support_.num_neurons + 1;
    counts_.assign(2 * states, 0);
    overlaps_.for_each([&](std::int64_t pattern, int agreements) {
      ++counts_[overlaps_.agrees(spin, pattern) ? agreements : states + agreements];
    });
    return static_cast<std::int8_t>(support_.stay.sign(counts_));
  }

  bool energy_rose_exactly(std::span<const std::uint32_t> spins) {
    counts_.assign(support_.num_neurons + 1, 0);
    overlaps_.for_each([&](std::int64_t, int agreements) { ++counts_[agreements]; });
    step(spins);
    overlaps_.for_each([&](std::int64_t, int agreements) { --counts_[agreements]; });
    step(spins);
    return support_.separation.sign(counts_) < 0;
  }

  core::StopToken stop_;
  Support support_;
  const PlaneOps& ops_;
  WindowedOverlaps overlaps_;
  std::optional<PlaneTables> tables_;
  std::int64_t fitted_patterns_ = 0;  // the K that tables_ are fitted to

  Units total_sum_ = 0;  // Σ total over the window's patterns
  Units separation_sum_ = 0;
  bool separation_clamped_ = false;
  std::vector<LimbState> limbs_;
  std::vector<ByteWeights> weights_;
  std::vector<std::int64_t> sums_by_weight_;
  AlignedVector<std::uint64_t> planes_;  // 8·W words per limb

  bool keeps_supports_ = false;
  AlignedVector<std::int64_t> supports_;     // twice the support; spins, padded to a multiple of 8
  AlignedVector<std::uint64_t> agreements_;  // c, word by word

  std::vector<Open> open_;
  std::vector<std::uint32_t> spins_;
  std::vector<const std::uint64_t*> columns_;
  std::vector<Listed> listed_;
  std::vector<std::int64_t> sums_, counts_;
};

template <std::size_t kRow>
Kernel kernel_row() {
  return {plane_ops()[kRow].name,
          [] {  // asking a processor can take ten microseconds where it is a virtual one
            static const bool here = (hwy::SupportedTargets() & plane_ops()[kRow].target) != 0;
            return here;
          },
          [](const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons,
             const core::StopToken& stop) -> std::unique_ptr<LocalFields> {
            return std::make_unique<PlaneFields>(model, dynamics, num_neurons, plane_ops()[kRow], stop);
          }};
}

}  // namespace

std::vector<Kernel> plane_kernels() {
  constexpr Kernel (*kRows[])() = {kernel_row<0>, kernel_row<1>, kernel_row<2>,
                                   kernel_row<3>, kernel_row<4>, kernel_row<5>};
  std::vector<Kernel> rows;
  for (std::size_t row = 0; row < plane_ops().size(); ++row) rows.push_back(kRows[row]());
  return rows;
}

}  // namespace dam
