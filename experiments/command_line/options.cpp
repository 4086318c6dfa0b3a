#include "experiments/command_line/options.h"

namespace experiments {

namespace po = boost::program_options;

Options::Options() : options_description("options", 110, 70) {}

po::typed_value<std::string>* word(const char* name, const char* fallback) {
  auto* value = po::value<std::string>()->value_name(name);
  return fallback == nullptr ? value : value->default_value(fallback);
}

po::typed_value<std::vector<std::string>>* words(const char* name) {
  return po::value<std::vector<std::string>>()->value_name(name);
}

po::typed_value<bool>* flag() { return po::bool_switch(); }

}  // namespace experiments
