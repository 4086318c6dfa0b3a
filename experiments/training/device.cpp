#include "experiments/training/device.h"

#include <fmt/core.h>

#include "experiments/command_line/cli.h"
#include "experiments/command_line/device.h"
#include "gpu/ham/training.h"

namespace experiments {

void add_network_device(Options& options) {
  auto add = options.add_options();
  add("device", word("X", "auto"), "cpu, cuda (an NVIDIA GPU), or auto: cuda where there is a card");
  add("precision", word("X", "float"),
      "of products on a card: float (each number as two of TF32), or tf32 (relative errors of 2^-11, faster)");
}

NetworkDevice::NetworkDevice(const boost::program_options::variables_map& given) {
  const std::string device = given["device"].as<std::string>(), precision = given["precision"].as<std::string>();
  if (precision != "float" && precision != "tf32")
    throw UsageError(fmt::format("--precision: '{}' is not one of float, tf32", precision));
  precision_ = precision == "float" ? gpu::Precision::full : gpu::Precision::tf32;
  card_ = open_card(device) != nullptr;
  must_ = device == "cuda";
}

// A network that the card cannot compute is the processor's, unless the card was asked for.
template <class OnCard, class OnProcessor>
auto NetworkDevice::on_card(OnCard on_card, OnProcessor on_processor) const {
  if (!card_) return on_processor();
  try {
    return on_card();
  } catch (const gpu::NotOnCard& error) {
    if (must_) throw UsageError(fmt::format("--device cuda: {}", error.what()));
    return on_processor();
  }
}

ham::MakeTrainingDevice NetworkDevice::training() const {
  return [*this](const ham::Model& model, const ham::DataSet& data, const ham::TrainingOptions& options,
                 ham::TrainingState& state) {
    return on_card(
        [&] { return gpu::make_training(gpu::make_cuda_launcher(0), model, data, options, state, precision_); },
        [&] { return ham::make_processor(model, data, options, state); });
  };
}

std::array<ham::Score, 2> NetworkDevice::scores(const ham::Model& model, std::span<const float> weights,
                                                const ham::Images& images, const ham::Normalization& normalization,
                                                const ham::Classifier& classifier, int batch, int threads) const {
  constexpr std::array kViews = {ham::View::plain, ham::View::zoomed};
  std::array<ham::Score, 2> scores;
  on_card(
      [&] {
        const auto launcher = gpu::make_cuda_launcher(0);
        gpu::Memory memory(*launcher);
        gpu::Scoring scoring(memory, model, images, normalization, batch, precision_);
        float* const there = memory.take<float>(static_cast<long>(weights.size()));
        memory.put(there, weights);
        for (std::size_t i = 0; i < kViews.size(); ++i) scores[i] = scoring.score(there, kViews[i]);
      },
      [&] {
        ham::Engine<float> engine(model.network, {.clamped = model.clamped, .threads = threads});
        engine.set_parameters(weights);
        for (std::size_t i = 0; i < kViews.size(); ++i)
          scores[i] = ham::score(engine, model, classifier, images, normalization, kViews[i], batch);
      });
  return scores;
}

}  // namespace experiments
