#include "experiments/files/outputs.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/formats/hdf5_file.h"
#include "core/formats/npz.h"
#include "core/formats/safetensors.h"
#include "experiments/command_line/cli.h"
#include "results/seal.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

bool begins(const std::string& path, std::string_view magic) { return core::first_bytes(path, magic.size()) == magic; }

bool holds_near_its_beginning(const std::string& path, std::string_view text) {
  constexpr std::size_t kNear = 4096;
  return core::first_bytes(path, kNear).find(text) != std::string::npos;
}

/// Arrays written by `dam recall`, `ham inspect` and their like carry the program's version.
bool are_our_arrays(const std::string& path) {
  if (!begins(path, "\x89HDF\r\n\x1a\n") || results::is_sealed(path)) return false;
  try {
    return core::Hdf5File::open(path).read_attribute("/", "program_version").has_value();
  } catch (const std::runtime_error&) {
    return false;
  }
}

/// An archive of arrays with one of this name, which only we write.
bool is_npz_with(const std::string& path, std::string_view name) {
  if (!begins(path, "PK\x03\x04")) return false;
  try {
    const core::NpzFile file(path);
    return std::ranges::find(file.names(), name) != file.names().end();
  } catch (const std::runtime_error&) {
    return false;
  }
}

bool is_image(const std::string& path) {
  return begins(path, "\x89PNG") || begins(path, "%PDF") || holds_near_its_beginning(path, "<svg");
}

bool is_table(const std::string& path) {
  if (begins(path, "| ") || begins(path, "% needs \\usepackage{booktabs}") || begins(path, "<table>")) return true;
  const std::string line = core::first_bytes(path, 4096);
  return begins(path, "model,N,") || line.find("<table>") != std::string::npos;
}

/// Options whose words are what is written, or are no names of files at all.
bool names_an_output(const std::string& option) {
  constexpr std::string_view kOutputs[] = {"out",    "out-dir",        "figure", "figures",
                                           "tables", "export-weights", "mirror", "log"};
  return std::ranges::find(kOutputs, option) != std::end(kOutputs);
}

/// Every way in which a word may name a file: as it is, a list, `file:PATH`, `PATH:dataset`.
void add_paths(const std::string& text, std::vector<std::string>& paths) {
  std::istringstream list(text);
  paths.push_back(text);
  for (std::string word; std::getline(list, word, ',');) {
    paths.push_back(word);
    constexpr std::string_view kFile = "file:";
    if (word.starts_with(kFile)) paths.push_back(word.substr(kFile.size()));
    for (std::size_t colon = word.rfind(':'); colon != std::string::npos && colon > 0;
         colon = word.rfind(':', colon - 1)) {
      paths.push_back(word.substr(0, colon));
      if (word.starts_with(kFile) && colon > kFile.size())
        paths.push_back(word.substr(kFile.size(), colon - kFile.size()));
    }
  }
}

/// What is wrong with a file that looks like one, the reader says.
bool is_result(const std::string& path) { return begins(path, "\x89HDF\r\n\x1a\n"); }
bool is_report(const std::string& path) {
  return begins(path, "<!DOCTYPE html>") && holds_near_its_beginning(path, "<title>Capacity report</title>");
}
bool are_weights(const std::string& path) {
  return is_npz_with(path, "__model__") || are_our_arrays(path) ||
         (core::is_safetensors(path) && holds_near_its_beginning(path, "\"__model__\""));
}

}  // namespace

const core::OutputKind kResultFile{"a result file", {".h5", ".hdf5"}, is_result};
const core::OutputKind kReportPage{"a report page", {".html"}, is_report, true};
const core::OutputKind kArraysFile{"an HDF5 file of arrays", {".h5", ".hdf5"}, are_our_arrays};
const core::OutputKind kWeightsFile{"a file of weights", {".npz", ".h5", ".safetensors"}, are_weights};
const core::OutputKind kPredictions{
    "a file of predictions", {".h5", ".hdf5", ".npz", ".csv"}, [](const std::string& path) {
      return is_npz_with(path, "E_syn") || begins(path, "image,label,predicted") || are_our_arrays(path);
    }};
const core::OutputKind kEpochsFile{
    "a log of epochs", {".csv"}, [](const std::string& path) { return begins(path, "epoch,"); }, true};
const core::OutputKind kFigureFile{"a figure", {".svg", ".png", ".pdf"}, is_image};
const core::OutputKind kTableFile{"a table", {".md", ".csv", ".tex", ".html", ".txt"}, is_table, true};

std::vector<std::string> inputs_of(const po::variables_map& given) {
  std::vector<std::string> paths;
  for (const auto& [option, value] : given) {
    if (names_an_output(option)) continue;
    if (const auto* text = boost::any_cast<std::string>(&value.value())) add_paths(*text, paths);
    if (const auto* texts = boost::any_cast<std::vector<std::string>>(&value.value()))
      for (const std::string& each : *texts) add_paths(each, paths);
  }
  return paths;
}

void add_force(Options& options) {
  options.add_options()("force", flag(), "replace files of another kind that stand where this writes");
}

namespace {

core::OutputFile opened(const std::string& path, const core::OutputKind& kind, const std::vector<std::string>& inputs,
                        bool force) {
  try {
    return core::OutputFile(path, kind, inputs, force);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

}  // namespace

core::OutputFile open_result(const std::string& path, const std::vector<std::string>& inputs) {
  return opened(path, kResultFile, inputs, false);
}

core::OutputFile open_output(const po::variables_map& given, const std::string& path, const core::OutputKind& kind) {
  if (const auto directory = std::filesystem::path(core::behind_links(path)).parent_path(); !directory.empty())
    std::filesystem::create_directories(directory);
  const std::vector<std::string> inputs = inputs_of(given);
  const bool force = given.contains("force") && given["force"].as<bool>();
  if (&kind != &kResultFile && results::is_sealed(core::behind_links(path)))
    throw core::Refused(path + ": is a result file, which " + kind.what + " would destroy; choose another name");
  return opened(path, kind, inputs, force);
}

void write_all(const std::vector<PendingFile>& files) {
  for (const PendingFile& pending : files) pending.file.write(pending.bytes);
}

}  // namespace experiments
