// Where networks are trained and scored: `--device cpu|cuda|auto`, `--precision float|tf32`.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <memory>

#include "experiments/command_line/options.h"
#include "gpu/device/fragments.h"
#include "gpu/device/launcher.h"
#include "ham/training/trainer.h"

namespace experiments {

/// Adds --device and --precision.
void add_network_device(Options& options);

/// The processor or a card, as the command line says.
class NetworkDevice {
 public:
  /// Throws UsageError for other words, and for `cuda` where there is no card.
  explicit NetworkDevice(const boost::program_options::variables_map& given);
  /// The processor.
  NetworkDevice() = default;

  bool card() const { return card_; }
  /// A network that a card cannot compute goes to the processor when the word was `auto`, else UsageError says why.
  ham::MakeTrainingDevice training() const;
  /// The score of weights on images, plain and zoomed; options.threads threads where it is the processor.
  std::array<ham::Score, 2> scores(const ham::Model& model, std::span<const float> weights, const ham::Images& images,
                                   const ham::Normalization& normalization, const ham::Classifier& classifier,
                                   int batch, int threads) const;

 private:
  template <class OnCard, class OnProcessor>
  auto on_card(OnCard on_card, OnProcessor on_processor) const;

  bool card_ = false, must_ = false;
  gpu::Precision precision_ = gpu::Precision::full;
};

}  // namespace experiments
