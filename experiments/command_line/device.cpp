#include "experiments/command_line/device.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "experiments/command_line/cli.h"
#include "experiments/command_line/options.h"

namespace experiments {

void add_device(boost::program_options::options_description& options) {
  options.add_options()("device", word("X", "auto"),
                        "cpu, cuda (an NVIDIA GPU), or auto: cuda where there is a card and the work is worth it");
}

std::unique_ptr<gpu::Launcher> open_card(const std::string& word, int rank_here) {
  if (word != "cpu" && word != "cuda" && word != "auto")
    throw UsageError(fmt::format("--device: '{}' is not one of cpu, cuda, auto", word));
  if (word == "cpu" || (word == "auto" && gpu::num_cards() == 0)) return nullptr;
  try {
    return gpu::make_cuda_launcher(rank_here % std::max(1, gpu::num_cards()));
  } catch (const std::runtime_error& error) {
    throw UsageError(fmt::format("--device cuda: {}", error.what()));
  }
}

std::unique_ptr<gpu::Clusters> open_device(const std::string& word, int rank_here) {
  auto card = open_card(word, rank_here);
  return card == nullptr ? nullptr : std::make_unique<gpu::Clusters>(std::move(card));
}

}  // namespace experiments
