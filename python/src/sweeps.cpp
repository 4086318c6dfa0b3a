// capacity, curve: the sweeps of the programs, from the programs' own words.
#include <fmt/core.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <optional>
#include <stdexcept>

#include "experiments/command_line/cli.h"
#include "experiments/sweep/measure.h"
#include "experiments/sweep/merge_files.h"
#include "python/src/bindings.h"
#include "python/src/convert.h"

namespace nb = nanobind;

namespace python {
namespace {

using experiments::Verb;

const std::array<Verb, 2> kSweeps = {
    Verb{.name = "capacity", .options = [] { return experiments::sweep_options("capacity"); }, .positional = ""},
    Verb{.name = "curve", .options = [] { return experiments::sweep_options("curve"); }, .positional = ""}};

boost::program_options::variables_map parse(const std::string& verb, const std::vector<std::string>& words) {
  for (const Verb& one : kSweeps)
    if (verb == one.name) return experiments::parse_words("dam", one, words);
  throw std::invalid_argument(verb + ": is neither capacity nor curve");
}

void begin_sweep(const std::string& verb, const std::vector<std::string>& words, const std::string& command_line) {
  const nb::gil_scoped_release others_may_run;
  experiments::begin_sweep(verb, parse(verb, words), command_line);
}

/// Measures the sweep that these words describe; with `interruptible` Ctrl-C ends it, and what is there comes back.
nb::dict sweep(const std::string& verb, const std::vector<std::string>& words, const std::string& command_line,
               bool interruptible, const nb::object& show) {
  // Lines come from whatever thread has one. What the function of the user's notebook raises is reported, not thrown.
  experiments::ShowProgress tell;
  if (!show.is_none())
    tell = [&show](const std::string& line, bool for_good) {
      const nb::gil_scoped_acquire python_runs;
      try {
        show(line, for_good);
      } catch (nb::python_error& error) {
        error.discard_as_unraisable("progress");
      }
    };
  std::optional<results::ResultFile> file;
  bool complete = false;
  {
    const nb::gil_scoped_release others_may_run;
    std::optional<experiments::StopOnInterrupt> listening;
    if (interruptible) listening.emplace();
    experiments::begin_verb();
    const auto given = parse(verb, words);
    experiments::measure(
        verb, given, command_line,
        [&](experiments::Runner& runner, const experiments::RunOptions&, bool all) {
          file = runner.file();
          complete = all;
          return 0;
        },
        tell);
  }
  if (!file) throw std::runtime_error(verb + ": another rank of this run keeps the results");
  nb::dict measured = as_dict(*file);
  measured["complete"] = nb::cast(complete);
  return measured;
}

nb::dict read(const std::string& path) {
  std::optional<results::ResultFile> file;
  {
    const nb::gil_scoped_release others_may_run;
    file = results::read(path);
  }
  return as_dict(*file);
}

void merge(const std::string& out, const std::vector<std::string>& paths) {
  const nb::gil_scoped_release others_may_run;
  experiments::merge_files(paths, out);
}

}  // namespace

void bind_sweeps(nb::module_& module) {
  module.def("sweep", sweep, nb::arg("verb"), nb::arg("words"), nb::arg("command_line"), nb::arg("interruptible"),
             nb::arg("show").none(),
             "Measure what `dam capacity` or `dam curve` with these words would; a dict of its result file.");
  module.def("begin_sweep", begin_sweep, nb::arg("verb"), nb::arg("words"), nb::arg("command_line"),
             "Refuse what sweep() would refuse before it measures; begin its file.");
  module.def("merge", merge, nb::arg("out"), nb::arg("paths"), "What `dam merge` does.");
  module.def("read", read, nb::arg("path"), "A result file as a dict of its tables, arrays and attributes.");
}

}  // namespace python
