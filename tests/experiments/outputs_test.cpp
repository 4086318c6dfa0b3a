// Every output of every verb against everything that can stand in its way: nothing that somebody owns is lost.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <sstream>

#include "results/result_file.h"
#include "tests/support/run_program.h"
#include "tests/support/small_model.h"
#include "tests/support/write_arrays.h"

using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

namespace fs = std::filesystem;

const std::string kDigits = DAMBENCH_FIXTURES "/mnist_small.h5";
const std::string kDam = std::string(DAM_PROGRAM) + " ", kHam = std::string(HAM_PROGRAM) + " ";

/// One output of one verb: what is typed before its name, the ending it wants, the files it reads.
struct Output {
  std::string name, command, ending;
  std::vector<std::string> inputs;
};

/// Inputs for every verb, made once: results, a training run, patterns, a model, states.
struct Workshop {
  TemporaryDirectory directory;
  std::string result = directory / "curve.h5", other = directory / "other.h5", run = directory / "run.h5",
              patterns = directory / "patterns.npy", model, states = directory / "states.h5",
              weights = directory / "weights.npz", archive = directory / "archive.npz",
              tensors = directory / "others.safetensors";
  std::vector<Output> outputs, folders;

  Workshop() : model(support::small_model(directory)) {
    const auto made = [](const std::string& command) {
      const Ran ran = run_shell(command);
      INFO(command << "\n" << ran.err);
      REQUIRE(ran.code == 0);
    };
    const std::string curve = kDam + "curve --size 12 --degree 2 --num-patterns 2,3 --trials 32 --quiet";
    made(curve + " --out " + result);
    made(curve + " --seed 9 --out " + other);
    made(kHam + "train --model " + model + " --data " + kDigits + " --epochs 1 --batch 200 --quiet --out " + run);
    support::write_npy(patterns, {{2, 4}, std::vector<std::int8_t>{1, -1, 1, 1, -1, -1, 1, -1}});
    made(kHam + "eval " + run + " --data " + kDigits + " --export-weights " + weights);
    // Archives of somebody else's arrays, of the kinds that we write too.
    made("python3 -c \"import zipfile; zipfile.ZipFile('" + archive + "', 'w').writestr('mine.npy', b'mine')\"");
    std::ofstream(tensors, std::ios::binary) << std::string("\x02\0\0\0\0\0\0\0{}", 10);
    const std::string predict = kHam + "predict " + run + " --data " + kDigits + " --out ";
    const std::string recall = kDam + "recall --patterns " + patterns + " --cues " + patterns;
    outputs = {
        {"curve --out", curve + " --out ", ".h5", {}},
        {"capacity --out", kDam + "capacity --size 8 --degree 2 --precision 0.5 --quiet --out ", ".h5", {}},
        {"recall --out", recall + " --out ", ".h5", {patterns}},
        {"report --out", kDam + "report " + result + " -o ", ".html", {result}},
        {"merge --out", kDam + "merge " + result + " -o ", ".h5", {}},
        {"train --out",
         kHam + "train --model " + model + " --data " + kDigits + " --epochs 1 --batch 200 --quiet --out ",
         ".h5",
         {model}},
        {"train --export-weights",
         kHam + "train --model " + model + " --data " + kDigits + " --epochs 1 --batch 200 --quiet --out " +
             directory / "again.h5" + " --export-weights ",
         ".npz",
         {model}},
        {"eval --export-weights", kHam + "eval " + run + " --data " + kDigits + " --export-weights ", ".npz", {run}},
        {"eval --export-weights safetensors",
         kHam + "eval " + run + " --data " + kDigits + " --export-weights ",
         ".safetensors",
         {run}},
        {"train --log",
         kHam + "train --model " + model + " --data " + kDigits + " --epochs 1 --batch 200 --quiet --out " +
             directory / "logged.h5" + " --log ",
         ".csv",
         {model}},
        {"predict --out h5", predict, ".h5", {run}},
        {"predict --out npz", kHam + "predict " + weights + " --data " + kDigits + " --out ", ".npz", {weights}},
        {"predict --out csv", predict, ".csv", {run}},
        {"describe --figure", kHam + "describe " + model + " --figure ", ".svg", {model}},
        {"trim --out", kHam + "trim " + run + " --out ", ".h5", {run}},
        {"dream --out",
         kHam + "dream " + run + " --data " + kDigits + " --images 2 --figure " + directory / "d.svg --out ",
         ".h5",
         {run}},
        {"dream --figure",
         kHam + "dream " + run + " --data " + kDigits + " --images 2 --out " + directory / "d.h5 --figure ",
         ".svg",
         {run}},
        {"robustness --out",
         kHam + "robustness " + run + " --data " + kDigits +
             " --images 4 --depth 1 --time-steps 0.4 --noises 0 --figure " + directory / "r.svg --out ",
         ".h5",
         {run}},
        {"robustness --figure",
         kHam + "robustness " + run + " --data " + kDigits +
             " --images 4 --depth 1 --time-steps 0.4 --noises 0 --out " + directory / "r.h5 --figure ",
         ".svg",
         {run}},
        {"inspect --out h5", kHam + "inspect " + run + " --data '" + kDigits + ":first 3' --out ", ".h5", {run}},
        {"inspect --out npz",
         kHam + "inspect " + weights + " --data '" + kDigits + ":first 3' --out ",
         ".npz",
         {weights}},
    };
    // A data set of black pictures, as table1 wants one: of MNIST's size.
    made("mkdir " + directory / "mnist && python3 -c \"" + R"(
import gzip, struct
for name, count in (('train', 60000), ('t10k', 10000)):
    with gzip.open(')" +
         directory / "mnist/" + R"(' + name + '-images-idx3-ubyte.gz', 'wb', 1) as file:
        file.write(struct.pack('>4i', 0x803, count, 28, 28) + bytes(784 * count))
    with gzip.open(')" +
         directory / "mnist/" + R"(' + name + '-labels-idx1-ubyte.gz', 'wb', 1) as file:
        file.write(struct.pack('>2i', 0x801, count) + bytes(count))
")");
    std::ofstream(directory / "hn_relu_mnist.toml") << support::small_hopfield(1, 1).replace(8, 5, "hn_relu_mnist");
    folders = {
        {"report --figures", kDam + "report " + result + " --formats svg --figures ", "", {}},
        {"report --tables", kDam + "report " + result + " --tables ", "", {}},
        {"table1 --out-dir",
         kHam + "table1 --cells mnist/hn_relu --seeds 1 --epochs 1 --quiet --models " + directory / "" +
             " --data-dir " + directory / "" + " --out-dir ",
         "",
         {}},
    };
  }
};

Workshop& workshop() {
  static Workshop all;
  return all;
}

std::string content(const std::string& path) { return support::slurp(path); }

/// What lies in a directory beside the files named: locks and temporaries that were left.
std::vector<std::string> left_over(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".lock") || name.ends_with(".tmp")) names.push_back(name);
  }
  return names;
}

void check_one_line(const Ran& ran) {
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') >= 1);
  CHECK(ran.err.find("terminate") == std::string::npos);
}

}  // namespace

TEST_CASE("no verb writes over what its own command reads") {
  for (const Output& output : workshop().outputs)
    for (const std::string& input : output.inputs) {
      INFO(output.name << " over " << input);
      const std::string before = content(input);
      const Ran ran = run_shell(output.command + input);
      CHECK((ran.code == 4 || ran.code == 2));  // 2: the ending is another kind's
      check_one_line(ran);
      CHECK(content(input) == before);
      // The same file by another name.
      const std::string link = workshop().directory / "link" + output.ending;
      fs::remove(link);
      fs::create_symlink(input, link);
      const Ran linked = run_shell(output.command + link);
      INFO(linked.err);
      CHECK(linked.code == 4);
      CHECK(content(input) == before);
    }
}

TEST_CASE("no verb writes over a result, a run or a file that it cannot recognise, but for --force of its own kind") {
  const Workshop& all = workshop();
  for (const Output& output : all.outputs) {
    const std::string victim = all.directory / "victim" + output.ending;
    for (const std::string& source : {all.other, all.run, all.model, kDigits, all.archive, all.tensors}) {
      if (output.name == "merge --out" && source == all.other) continue;  // another spec: below
      if (output.name == "train --out" && source == all.run) continue;    // goes on from it
      fs::copy_file(source, victim, fs::copy_options::overwrite_existing);
      const std::string before = content(victim);
      const Ran ran = run_shell(output.command + victim);
      INFO(output.name << " over a copy of " << source << ": " << ran.code << " " << ran.err);
      CHECK((ran.code == 4 || ran.code == 1));  // 1: a reader says what is wrong with an HDF5 file
      check_one_line(ran);
      CHECK(content(victim) == before);
      if (source == all.other || source == all.run) {
        const Ran forced = run_shell(output.command + victim + " --force");
        CHECK(forced.code != 0);
        CHECK(content(victim) == before);
      }
    }
    fs::remove(victim);
  }
  CHECK(run_shell(kDam + "merge " + all.result + " -o " + all.other).code == 4);
}

TEST_CASE("no verb writes over somebody's file in a folder it fills") {
  const Workshop& all = workshop();
  for (const Output& output : all.folders) {
    const TemporaryDirectory places;
    const std::string folder = places / "folder";
    const Ran first = run_shell(output.command + folder);
    INFO(output.name << ": " << first.code << " " << first.err);
    REQUIRE(first.code == 0);
    CHECK(left_over(folder).empty());
    CHECK(run_shell(output.command + folder).code == 0);  // its own files are written again
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
    REQUIRE(!names.empty());
    for (const std::string& name : names) {
      INFO(name);
      const TemporaryDirectory mine;
      std::ofstream(mine / name) << "mine";
      const Ran ran = run_shell(output.command + mine / "");
      INFO(ran.err);
      CHECK((ran.code == 4 || ran.code == 1));  // 1: a reader says what is wrong with an HDF5 file
      check_one_line(ran);
      CHECK(content(mine / name) == "mine");
      CHECK(std::distance(fs::directory_iterator(mine / ""), {}) == 1);  // nothing was begun
    }
    // A file where the folder should be.
    std::ofstream(places / "file") << "mine";
    CHECK(run_shell(output.command + places / "file").code != 0);
    CHECK(content(places / "file") == "mine");
  }
}

TEST_CASE("every option that names an output is among those walked over") {
  const std::set<std::string> inputs = {"spec",   "patterns", "cues", "mask",     "file",    "model",
                                        "models", "data",     "grid", "data-dir", "synapse", "states"};
  std::set<std::string> walked;
  for (const auto* list : {&workshop().outputs, &workshop().folders})
    for (const Output& output : *list)
      walked.insert(output.name.substr(0, output.name.find(' ', output.name.find(" --") + 1)));
  std::size_t found = 0;
  for (const std::string& program : {kDam, kHam}) {
    std::istringstream overview(run_shell(program + "help").out);
    for (std::string line; std::getline(overview, line);) {
      std::smatch verb, option;
      if (!std::regex_search(line, verb, std::regex("^  ([a-z][a-z0-9]*) "))) continue;
      std::istringstream page(run_shell(program + "help " + verb[1].str()).out);
      for (std::string row; std::getline(page, row);) {
        if (!std::regex_search(
                row, option,
                std::regex("^  (?:-[a-z] \\[ )?--(figure|[a-z-]+(?= (?:\\] )?[A-Z.]*(?:FILE|DIR|PAGE))) ")) ||
            inputs.contains(option[1].str()))
          continue;
        ++found;
        INFO(verb[1].str() << " --" << option[1].str());
        CHECK(walked.contains(verb[1].str() + " --" + option[1].str()));
      }
    }
  }
  CHECK(found >= 15);
}

TEST_CASE("what is no place for a file is refused before any work, and nothing is left behind") {
  const Workshop& all = workshop();
  const TemporaryDirectory places;
  for (const Output& output : all.outputs) {
    const auto refused = [&](const std::string& path) {
      const Ran ran = run_shell("timeout 20 " + output.command + path);
      INFO(output.name << " to " << path << ": " << ran.code << " " << ran.err);
      CHECK((ran.code == 1 || ran.code == 2));
      check_one_line(ran);
    };
    const std::string folder = places / "folder" + output.ending;
    fs::create_directories(folder);
    refused(folder);
    CHECK(fs::is_directory(folder));
    const std::string pipe = places / "pipe" + output.ending;
    if (!fs::exists(pipe)) REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    refused(pipe);
    CHECK(fs::is_fifo(pipe));
    const std::string device = places / "device" + output.ending;
    if (fs::exists(device) || ::mknod(device.c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) {  // a /dev/null of our own
      const Ran ran = run_shell("timeout 20 " + output.command + device);
      CHECK((ran.code == 0) == (output.ending == ".html" || output.name == "train --log"));  // these may be streamed
      CHECK(fs::is_character_file(device));
    }
    refused(places / "wrong.ending");
    CHECK_FALSE(fs::exists(places / "wrong.ending"));
    CHECK(left_over(places / "").empty());
  }
}

TEST_CASE("links are followed: to a file, and to one that is not there yet") {
  const Workshop& all = workshop();
  for (const Output& output : all.outputs) {
    const TemporaryDirectory places;
    const std::string target = places / "target" + output.ending, link = places / "link" + output.ending;
    fs::create_symlink("target" + output.ending, link);
    const Ran ran = run_shell(output.command + link);
    INFO(output.name << ": " << ran.code << " " << ran.err);
    CHECK(ran.code == 0);
    CHECK(fs::is_symlink(link));
    CHECK(fs::is_regular_file(target));
    CHECK(fs::file_size(target) > 0);
    CHECK(left_over(places / "").empty());
    // Again, now that it is there.
    const Ran again = run_shell(output.command + link);
    INFO(again.err);
    CHECK(again.code == 0);
    CHECK(fs::is_symlink(link));
  }
}

TEST_CASE("a planted lock or temporary is never followed, and stays what it is") {
  const Workshop& all = workshop();
  const TemporaryDirectory places;
  const std::string treasure = places / "treasure";
  std::ofstream(treasure) << "kept";
  for (const Output& output : all.outputs) {
    const std::string path = places / "out" + output.ending;
    fs::create_symlink(treasure, path + ".lock");
    const Ran ran = run_shell(output.command + path);
    INFO(output.name << ": " << ran.err);
    CHECK(ran.code == 1);
    CHECK(content(treasure) == "kept");
    fs::remove(path + ".lock");
    // A lock file that is somebody's text.
    std::ofstream(path + ".lock") << "my notes about locks\n";
    CHECK(run_shell(output.command + path).code == 1);
    CHECK(content(path + ".lock") == "my notes about locks\n");
    fs::remove(path + ".lock");
  }
  // The temporary's name holds the process id: `exec` keeps the shell's.
  const std::string page = places / "page.html";
  const Ran ran =
      run_shell("ln -s " + treasure + " " + page + ".$$.tmp; exec " + kDam + "report " + all.result + " -o " + page);
  CHECK(ran.code == 0);
  CHECK(content(treasure) == "kept");
  CHECK_THAT(content(page), Catch::StartsWith("<!DOCTYPE html>"));
}

TEST_CASE("a read-only place and a full disk are answered in a line; what was there stays") {
  const Workshop& all = workshop();
  const TemporaryDirectory places;
  if (::geteuid() != 0 || ::mount("tmpfs", (places / "").c_str(), "tmpfs", 0, "size=16k") != 0) {
    WARN("no small file system can be mounted here: full disks are not tested");
    return;
  }
  for (const Output& output : all.outputs) {
    const std::string path = places / "old" + output.ending;
    const Ran ran = run_shell("dd if=/dev/zero of=" + places / "fill" + " bs=1k 2>/dev/null; " + output.command + path);
    INFO(output.name << ": " << ran.code << " " << ran.err);
    CHECK(ran.code == 1);
    check_one_line(ran);
    CHECK(left_over(places / "").empty());
    CHECK_FALSE(fs::exists(path));
    fs::remove(places / "fill");
  }
  ::mount("tmpfs", (places / "").c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "");
  for (const Output& output : all.outputs) {
    const Ran ran = run_shell(output.command + places / "new" + output.ending);
    INFO(output.name << ": " << ran.err);
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, Catch::Contains("Read-only"));
  }
  ::umount2((places / "").c_str(), MNT_DETACH);
}

TEST_CASE("a second sweep without --out takes the next free name, and the first one goes on") {
  const TemporaryDirectory directory;
  const std::string here = "cd " + directory / "" + " && ";
  const std::string curve = here + kDam + "curve --size 12 --degree 2 --num-patterns 2 --trials 32";
  CHECK(run_shell(curve).code == 0);
  const std::string first = content(directory / "results/curve.h5");
  const Ran second = run_shell(curve + " --seed 2");
  CHECK(second.code == 0);
  CHECK_THAT(second.err, Catch::Contains("results/curve.h5 holds another sweep; this one is results/curve-2.h5"));
  CHECK(content(directory / "results/curve.h5") == first);
  CHECK(run_shell(curve + " --seed 2").code == 0);
  CHECK(run_shell(curve).code == 0);
  CHECK_FALSE(fs::exists(directory / "results/curve-3.h5"));
}
