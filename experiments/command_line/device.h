// Where trials run: `--device cpu|cuda|auto`.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <memory>
#include <string>

#include "gpu/dam/clusters.h"

namespace experiments {

/// Adds --device.
void add_device(boost::program_options::options_description& options);

/// The card that `cuda` and, where there is one, `auto` stand for; none for `cpu`. Ranks of one machine take one card
/// each, in turn. Throws UsageError for another word, and for `cuda` where there is no card to use.
std::unique_ptr<gpu::Launcher> open_card(const std::string& word, int rank_here = 0);
/// The same, to run trials on.
std::unique_ptr<gpu::Clusters> open_device(const std::string& word, int rank_here = 0);

}  // namespace experiments
