// ham data: which data sets are where, whether they are the published ones, and how to get those that are not there.
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "experiments/command_line/run_options.h"
#include "experiments/files/data_check.h"
#include "experiments/files/data_path.h"
#include "experiments/ham/verbs.h"

extern char** environ;

namespace experiments {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using Words = std::vector<std::string>;

/// Where a file of a data set comes from and where it is put.
struct Fetch {
  std::string url;
  fs::path file;
  bool archive = false;  // to be unpacked; else the file is what was wanted
  std::string sha256;

  Words curl(const fs::path& to) const {
    return {"curl", "--fail", "--location", "--create-dirs", "--output", to.string(), "--", url};
  }
};

Words unpacking(const fs::path& archive, const fs::path& into) {
  return {"tar", "--no-same-owner", "-xzf", archive.string(), "-C", into.string()};
}

std::vector<Fetch> fetches(const ham::KnownDataSet& known, const std::string& directory, const std::string& mirror) {
  const Published& source = published(known);
  const bool archive = *source.archive_sha256 != 0;
  const fs::path folder = fs::path(directory) / known.folders[0], to = archive ? fs::path(directory) : folder;
  std::vector<Fetch> all;
  for (std::size_t i = 0; i < source.downloads.size(); ++i) {
    const std::string name = source.downloads[i];
    all.push_back({(mirror.empty() ? source.url : mirror) + ("/" + name), to / name, archive,
                   archive ? source.archive_sha256 : source.file_sha256[i]});
  }
  return all;
}

/// Runs a program found in PATH, its output left where ours goes; throws unless it ends with 0.
void run_command(const Words& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  int status = 0;
  if (const int error = posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ); error != 0)
    throw std::runtime_error(fmt::format("{} cannot be run: {}", words[0], std::strerror(error)));
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw std::runtime_error(fmt::format("{}: {}", words[0], std::strerror(errno)));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error(fmt::format("'{}' failed", fmt::join(words, " ")));
}

/// A folder of ours beside what is to come, which nobody else can have put links into; gone with all that is in it.
class PrivateFolder {
 public:
  explicit PrivateFolder(const fs::path& parent) {
    fs::create_directories(parent);
    std::string pattern = (parent / ".download-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error(fmt::format("{}: {}", parent.string(), std::strerror(errno)));
    path_ = pattern;
  }
  ~PrivateFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Files appear under their names only when they are whole and the published ones; nothing is written through a link.
void download(const Fetch& fetch, std::uint64_t byte_limit) {
  const fs::path target = fetch.file.parent_path();
  const PrivateFolder folder(target);
  const fs::path partial = folder.path() / fetch.file.filename();
  run_command(fetch.curl(partial));
  const bool archive = fetch.archive;
  const std::string sum =
      archive ? file_sha256(partial.string(), byte_limit) : idx_sha256(partial.string(), byte_limit);
  if (sum != fetch.sha256)
    throw std::runtime_error(
        fmt::format("{} came with SHA-256 {} instead of {}; it was removed", fetch.url, sum, fetch.sha256));
  if (!archive) return fs::rename(partial, fetch.file);
  run_command(unpacking(partial, folder.path()));
  fs::remove(partial);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path())) {
    const fs::path place = target / entry.path().filename();
    if (fs::exists(fs::symlink_status(place)))
      throw std::runtime_error(
          fmt::format("{} is there already and is not the published one; move it away", place.string()));
    fs::rename(entry.path(), place);
  }
}

/// One line for each place that has files of the data set; true when one of them holds the published images.
bool list_places(const ham::KnownDataSet& known, std::span<const ham::FoundDataSet> all, std::uint64_t byte_limit) {
  bool usable = false;
  for (const ham::FoundDataSet& found : all) {
    if (found.data_set != &known) continue;
    const DataCheck check = check_data(found, byte_limit);
    const bool ok = check.state == DataState::published || check.state == DataState::other_order;
    fmt::print("{:<14} {:<9} {}: {}\n", known.name, ok ? "ok" : "not ok", found.folder.string(), check.text);
    usable |= ok;
  }
  return usable;
}

int run(const po::variables_map& given, const std::string&) {
  const std::string data_dir = given["data-dir"].as<std::string>(), mirror = given["mirror"].as<std::string>();
  const bool fetch_them = given["download"].as<bool>(), named = given.contains("name");
  Words names;
  if (named) names = given["name"].as<Words>();
  for (const ham::KnownDataSet& known : ham::known_data_sets())
    if (!named) names.emplace_back(known.name);
  if (fetch_them && !named)
    throw UsageError("--download: name the data sets to fetch, such as ham data mnist --download");
  if (!mirror.empty() && names.size() != 1)
    throw UsageError("--mirror: holds the files of one data set; name that one");

  const auto limit = static_cast<std::uint64_t>(available_memory());
  bool complete = true;
  for (const std::string& name : names) {
    const ham::KnownDataSet& known = [&]() -> const ham::KnownDataSet& {
      try {
        return ham::known_data_set(name);
      } catch (const std::invalid_argument& error) {
        throw UsageError(error.what());
      }
    }();
    if (list_places(known, ham::find_data_sets(data_directories(data_dir)), limit)) continue;
    const std::vector<Fetch> todo = fetches(known, download_directory(data_dir), mirror);
    if (fetch_them) {
      for (const Fetch& fetch : todo) download(fetch, limit);
      complete &= list_places(known, ham::find_data_sets(std::vector{download_directory(data_dir)}), limit);
      continue;
    }
    complete = false;
    fmt::print("{:<14} {:<9} `ham data {} --download` runs and checks\n", known.name, "missing", known.name);
    for (const Fetch& fetch : todo) {
      fmt::print("    {}\n", fmt::join(fetch.curl(fetch.file), " "));
      if (fetch.archive) fmt::print("    {}\n", fmt::join(unpacking(fetch.file, fetch.file.parent_path()), " "));
    }
  }
  return complete || !named ? kComplete : kFailed;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("name", words("NAME"), "mnist, fashion-mnist, cifar10; all of them when none is named");
  add("download", flag(), "fetch what is not there with curl, into --data-dir or ~/.cache/dambench");
  add("mirror", po::value<std::string>()->default_value("", "")->value_name("URL"),
      "fetch from this folder instead of where the data set is published");
  add_data_dir(options);
  return options;
}

}  // namespace

const Verb kData = {
    "data",
    "list data sets, check them against the published ones, fetch what is missing",
    "[NAME ...] [--download]",
    "Files are looked for in --data-dir, $DAMBENCH_DATA (directories joined by :), ~/.cache/dambench and\n"
    "/usr/share/datasets, in folders mnist, fashion-mnist (or torchvision's MNIST/raw, FashionMNIST/raw) and\n"
    "cifar-10-batches-bin. Every image and label is read and compared with the published checksums. Debian's package\n"
    "dataset-fashion-mnist installs Fashion-MNIST, which stands in for MNIST where that is missing.\n"
    "Exit code 1 when a named data set is not there.\n",
    options,
    "name",
    run};

}  // namespace experiments
