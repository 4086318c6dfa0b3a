// Spec files (`--spec`), and the spec text that result files carry.
#include <boost/program_options/parsers.hpp>
#include <sstream>

#include "experiments/cli.h"
#include "experiments/sweep_spec.h"

namespace po = boost::program_options;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Patterns of a file would be read from wherever the input says.
  if (text.find("file:") != std::string::npos) return 0;
  for (const char* verb : {"capacity", "curve"}) {
    try {
      po::variables_map given;
      std::istringstream lines(text);
      po::store(po::parse_config_file(lines, experiments::sweep_options(verb)), given);
      po::notify(given);
      const experiments::SweepSpec spec = experiments::parse_sweep(verb, given);
      if (experiments::read_spec_text(spec.text).configurations != spec.configurations) std::abort();
    } catch (const experiments::UsageError&) {
    } catch (const po::error&) {
    }
  }
  try {
    experiments::read_spec_text(text);
  } catch (const std::runtime_error&) {
  }
  return 0;
}
