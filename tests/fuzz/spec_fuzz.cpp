// Spec files as `dam capacity --spec` and `dam curve --spec` read them, and spec texts of result files: a sweep that
// its own text describes, or one line that says what is wrong.
#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "experiments/command_line/cli.h"
#include "experiments/sweep/spec.h"
#include "tests/fuzz/input_file.h"

namespace {

using experiments::SweepSpec;

void require(bool kept) {
  if (!kept) std::abort();
}

void read_back(const SweepSpec& spec) {
  const SweepSpec again = experiments::read_spec_text(spec.text);
  require(again.verb == spec.verb && again.configurations.size() == spec.configurations.size());
  require(again.betas == spec.betas && again.num_patterns == spec.num_patterns && again.trials == spec.trials);
  for (std::size_t i = 0; i < spec.configurations.size(); ++i)
    require(configuration_id(again.configurations[i]) == configuration_id(spec.configurations[i]));
}

template <const char* verb>
int parse(const boost::program_options::variables_map& given, const std::string&) {
  try {
    const SweepSpec spec = experiments::parse_sweep(verb, given);
    if (!spec.bank) read_back(spec);
  } catch (const std::logic_error&) {
    std::abort();  // what users type is answered by a UsageError
  }
  return experiments::kComplete;
}

constexpr char kCapacity[] = "capacity", kCurve[] = "curve";
const experiments::Verb kVerbs[] = {
    {kCapacity, "", "", "", [] { return experiments::sweep_options(kCapacity); }, "", parse<kCapacity>},
    {kCurve, "", "", "", [] { return experiments::sweep_options(kCurve); }, "", parse<kCurve>},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string limit = std::to_string(fuzz::kByteLimit);
  std::string words[] = {"dam", "", "--spec", fuzz::input_file(data, size, ".ini"), "--max-memory", limit};
  for (const experiments::Verb& verb : kVerbs) {
    words[1] = verb.name;
    char* arguments[std::size(words)];
    std::transform(std::begin(words), std::end(words), arguments, [](std::string& word) { return word.data(); });
    experiments::run_program({"dam", "", kVerbs}, std::size(words), arguments);
  }
  try {
    experiments::read_spec_text({reinterpret_cast<const char*>(data), size});
  } catch (const std::runtime_error&) {
  }
  return 0;
}
