// ham dream and ham robustness: from a training run to figures and files.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/formats/hdf5_file.h"
#include "tests/support/run_program.h"
#include "tests/support/small_model.h"

using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

const std::string kDigits = DAMBENCH_FIXTURES "/mnist_small.h5";

std::vector<double> reals(const core::Hdf5File& file, const std::string& name) {
  return std::get<std::vector<double>>(file.read_array(name, 1 << 24).values);
}

/// A network of the paper's kind, trained for some seconds on 2000 digits; made once.
const std::string& trained_run() {
  static const TemporaryDirectory directory;
  static const std::string run = [] {
    std::ofstream(directory / "small.toml") << support::small_hopfield(100, 4);
    const std::string out = directory / "run.h5";
    const Ran ran = run_shell(std::string(HAM_PROGRAM) + " train --model " + directory / "small.toml" + " --data " +
                              kDigits + " --batch 50 --epochs 12 --hidden-beta 5 --quiet --out " + out);
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    return out;
  }();
  return run;
}

Ran run_ham(const std::string& verb, const std::string& words = "") {
  return run_shell(std::string(HAM_PROGRAM) + " " + verb + " " + trained_run() + " " + words);
}

std::string beside(const std::string& ending) {
  return std::filesystem::path(trained_run()).replace_extension().string() + ending;
}

}  // namespace

TEST_CASE("ham dream: nine of ten digits are recognised, energies fall, halves recall labels") {
  const Ran ran = run_ham("dream", "--images 60");
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, Catch::Contains("fall at every step, for every label"));
  const auto file = core::Hdf5File::open(beside("-dream.h5"));
  const std::vector<double> told = reals(file, "dream_told_at_rest");
  REQUIRE(told.size() == 10);
  int recognised = 0;
  for (int label = 0; label < 10; ++label) recognised += told[label] == label;
  CHECK(recognised >= 9);
  CHECK(file.array_info("dream_at_rest").shape == std::vector<std::uint64_t>{10, 28, 28, 1});
  const std::vector<double> labels = reals(file, "completion_labels"), completed = reals(file, "completion_told");
  REQUIRE(labels.size() == 60);
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += completed[i] == labels[i];
  CHECK(right > 24);  // chance is 6 ± 2.3
  // What is given is the upper half of the original, black below.
  const std::vector<double> original = reals(file, "completion_original"), given = reals(file, "completion_given");
  for (std::size_t i = 0; i < original.size(); ++i) CHECK(given[i] == (i % 784 < 392 ? original[i] : 0));
  CHECK(support::slurp(beside("-dream.svg")).find("<svg") != std::string::npos);
  CHECK(support::slurp(beside("-dream.png")).starts_with("\x89PNG"));
}

TEST_CASE("ham robustness: noise costs accuracy, depth hardly any") {
  const Ran ran = run_ham("robustness", "--images 300 --depth 8 --time-steps 0.2,0.4 --noises 0,2 --threads 1");
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  const auto file = core::Hdf5File::open(beside("-robustness.h5"));
  CHECK(file.array_info("accuracy_by_step").shape == std::vector<std::uint64_t>{2, 9});
  const std::vector<double> by_step = reals(file, "accuracy_by_step"), by_noise = reals(file, "accuracy_by_noise");
  CHECK(by_step[17] > 0.7);
  CHECK(std::abs(by_step[10] - by_step[17]) < 0.1);
  REQUIRE(by_noise.size() == 6);  // one step, as trained, at rest; without and with noise
  for (const int depth : {0, 1, 2}) CHECK(by_noise[2 * depth + 1] < by_noise[2 * depth] - 0.2);
  const std::vector<double> energies = reals(file, "energy_by_step");
  for (int step = 1; step < 9; ++step) CHECK(energies[9 + step] <= energies[9 + step - 1] + 1e-4);
  CHECK(support::slurp(beside("-robustness.svg")).find("<svg") != std::string::npos);
}

TEST_CASE("dream and robustness answer bad words in one line") {
  CHECK(run_shell(std::string(HAM_PROGRAM) + " dream").code == 2);
  const Ran part = run_ham("dream", "--given middle");
  CHECK(part.code == 2);
  CHECK(part.err == "ham: --given: 'middle' is not upper, lower, left or right\n");
  CHECK(run_ham("dream", "--noise -1").err == "ham: --noise: -1 is below 0\n");
  CHECK(run_ham("robustness", "--noises 0,x").code == 2);
  const Ran ending = run_ham("robustness", "--images 10 --depth 2 --noises 0 --figure a.jpg");
  CHECK(ending.code == 2);
  CHECK_THAT(ending.err, Catch::Contains(".svg, .png or .pdf"));
}

TEST_CASE("ham dream and ham robustness end with 1 where the energy has no floor") {
  const TemporaryDirectory directory;
  std::ofstream(directory / "open.toml") << R"(
name = "open"
dynamics = {depth = 2, time_step = 0.4, clamped = ["image"], readout = "label"}
layer = [{name = "image", shape = [784], lagrangian = "identity"}, {name = "label", shape = [10], lagrangian = "softmax"}]
synapse = [{name = "memory", kind = "dense_hidden", connects = ["image", "label"], hidden = 20, lagrangian = "relu"}]
)";
  const std::string run = directory / "open.h5";
  const Ran trained = run_shell(std::string(HAM_PROGRAM) + " train --model " + directory / "open.toml" + " --data " +
                                kDigits + " --batch 50 --epochs 3 --rate 0.01 --quiet --out " + run);
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  const Ran dreamt = run_shell(std::string(HAM_PROGRAM) + " dream " + run + " --images 5");
  CHECK(dreamt.code == 1);
  CHECK(dreamt.out.empty());
  CHECK_THAT(dreamt.err, Catch::StartsWith("ham: layer 'image' is no longer finite"));
  CHECK(std::count(dreamt.err.begin(), dreamt.err.end(), '\n') == 1);
  CHECK_FALSE(std::filesystem::exists(directory / "open-dream.h5"));
}

TEST_CASE("samples of test images are random, a function of the seed, and all by default") {
  const auto robustness = [&](const std::string& words) {
    const Ran ran = run_ham("robustness", words + " --depth 2 --time-steps 0.4 --noises 0");
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    return ran.out;
  };
  const std::string some = robustness("--images 60 --seed 1");
  CHECK(robustness("--images 60 --seed 1 --threads 1") == some);
  CHECK(robustness("--images 60 --seed 2") != some);
  CHECK(robustness("") == robustness("--images 100000 --seed 5"));  // no more than there are
  CHECK(robustness("--images all") == robustness(""));
  CHECK(run_ham("robustness", "--images 0").code == 2);
}
