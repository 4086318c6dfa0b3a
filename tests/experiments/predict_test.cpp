// ham predict, inspect and eval of trained networks, and their weights in files for others.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <numeric>

#include "core/formats/array_file.h"
#include "core/formats/hdf5_file.h"
#include "core/formats/safetensors.h"
#include "ham/data/data_set.h"
#include "results/result_file.h"
#include "tests/support/run_program.h"
#include "tests/support/small_model.h"
#include "tests/support/write_arrays.h"

using Catch::Contains;
using support::Ran;
using support::run_shell;
using support::slurp;
using support::small_model;
using support::TemporaryDirectory;

namespace {

const std::string kDigits = DAMBENCH_FIXTURES "/mnist_small.h5";

Ran run_ham(const std::string& words) { return run_shell(std::string(HAM_PROGRAM) + " " + words); }

/// A short training run, a.h5, with its weights in all three formats.
void train(const TemporaryDirectory& directory) {
  const std::string words = "train --model " + small_model(directory) + " --data " + kDigits +
                            " --batch 100 --quiet --epochs 2 --out " + directory / "a.h5";
  REQUIRE(run_ham(words + " --export-weights " + directory / "w.npz").code == 0);
  for (const std::string name : {"w.h5", "w.safetensors"}) {
    const Ran ran = run_ham("eval " + directory / "a.h5" + " --export-weights " + directory / name);
    CHECK(ran.code == 0);
    CHECK_THAT(ran.err, Contains("wrote " + directory / name));
  }
}

std::vector<double> numbers(const std::string& path, const std::string& name) {
  const core::NamedArrays arrays = core::read_arrays(path, {.names = {{name}}}, 1 << 28);
  return std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); },
                    arrays.at(0).second.values);
}

}  // namespace

TEST_CASE("exported weights are the run's, in every format, and stand for the run") {
  const TemporaryDirectory directory;
  train(directory);
  const results::ResultFile run = results::read(directory / "a.h5");
  const auto& best = std::get<std::vector<float>>(run.array("best_weights").values.values);
  const core::Safetensors tensors = core::read_safetensors(directory / "w.safetensors", 1 << 28);
  CHECK(tensors.metadata.at("__model__") == run.table("model").values<std::string>("toml").at(0));
  std::vector<float> joined;
  for (const auto& [name, array] : tensors.arrays) {
    const auto& values = std::get<std::vector<float>>(array.values);
    joined.insert(joined.end(), values.begin(), values.end());
  }
  CHECK(joined == best);  // in the order of the parameters
  const std::string expected = run_ham("eval " + directory / "a.h5").out;
  REQUIRE_THAT(expected, Contains("100 test images") || Contains("test images of"));
  for (const std::string name : {"w.npz", "w.h5", "w.safetensors"}) {
    const Ran scored = run_ham("eval " + directory / name);
    INFO(name << ": " << scored.err);
    CHECK(scored.out == expected);
    CHECK(run_ham("eval " + directory / name + " --weights weights").code == 1);
  }
  CHECK(run_ham("eval " + directory / "a.h5" + " --export-weights " + directory / "w.pt").code == 2);
  // What a reader who knows nothing of us sees: the format's own specification, in Python.
  const Ran python = run_shell(
      "/usr/bin/python3 -c 'import json, struct, sys, numpy; b = open(sys.argv[1], \"rb\").read(); "
      "n = struct.unpack(\"<Q\", b[:8])[0]; h = json.loads(b[8:8 + n]); m = h.pop(\"__metadata__\"); "
      "a = numpy.load(sys.argv[2]); s = lambda e: numpy.frombuffer(b[8 + n:][slice(*e[\"data_offsets\"])], "
      "numpy.float32).reshape(e[\"shape\"]); "
      "print(sorted(h), sorted(m), all((s(h[k]) == a[k]).all() for k in h), n % 8)' " +
      directory / "w.safetensors" + " " + directory / "w.npz");
  CHECK(python.out ==
        "['image.beta', 'label.beta', 'memory.W0', 'memory.W1'] ['__model__', '__progress__', '__run__'] True 0\n");
  // Weights of others: the model and the images have to be named.
  REQUIRE(run_shell("/usr/bin/python3 -c 'import numpy, sys; a = numpy.load(sys.argv[1]); "
                    "numpy.savez(sys.argv[2], **{k: a[k].astype(float) for k in a if k[0] != \"_\"})' " +
                    directory / "w.npz" + " " + directory / "others.npz")
              .code == 0);
  const std::string others = "eval " + directory / "others.npz";
  CHECK_THAT(run_ham(others).err, Contains("is no training run and holds no model"));
  CHECK_THAT(run_ham(others + " --model " + small_model(directory)).err, Contains("--data is missing"));
  const Ran scored = run_ham(others + " --model " + small_model(directory) + " --data " + kDigits + " --json");
  CHECK(scored.out == run_ham("eval " + directory / "a.h5" + " --json").out);
  CHECK_THAT(run_ham("eval " + kDigits + " --model " + small_model(directory) + " --data " + kDigits).err,
             Contains("has no array image.beta"));
}

TEST_CASE("ham predict writes what eval scores, image by image") {
  const TemporaryDirectory directory;
  train(directory);
  const std::string words = "predict " + directory / "a.h5" + " --out ";
  for (const std::string name : {"p.h5", "p.npz", "p.csv"}) {
    const Ran ran = run_ham(words + directory / name);
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    CHECK_THAT(ran.out, Contains("right ("));
  }
  const std::vector<double> probs = numbers(directory / "p.h5", "probs"),
                            told = numbers(directory / "p.h5", "predicted"),
                            label = numbers(directory / "p.h5", "label"), energy = numbers(directory / "p.h5", "E");
  CHECK(probs == numbers(directory / "p.npz", "probs"));
  const std::size_t count = label.size();
  REQUIRE(probs.size() == 10 * count);
  std::size_t right = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = probs.begin() + static_cast<long>(10 * i);
    CHECK(std::max_element(begin, begin + 10) - begin == static_cast<long>(told[i]));
    CHECK(std::accumulate(begin, begin + 10, 0.0) == Approx(1).epsilon(1e-5));
    right += told[i] == label[i];
  }
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.2f %%", 100.0 * static_cast<double>(right) / static_cast<double>(count));
  CHECK_THAT(run_ham("eval " + directory / "a.h5").out, Contains(percent));
  // Energies: components add up, and are those of ham inspect at the same states.
  const std::vector<double> layers = numbers(directory / "p.h5", "E_layer"),
                            synapses = numbers(directory / "p.h5", "E_syn");
  const Ran inspected =
      run_ham("inspect " + directory / "a.h5" + " --data \"" + kDigits + ":first 5\" --out " + directory / "i.npz");
  INFO(inspected.err);
  REQUIRE(inspected.code == 0);
  const std::vector<double> exact = numbers(directory / "i.npz", "E"), also = numbers(directory / "i.npz", "probs");
  REQUIRE(exact.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(energy[i] == Approx(layers[i] + layers[count + i] + synapses[i]).epsilon(1e-5));
    CHECK(energy[i] == Approx(exact[i]).epsilon(1e-4));
    for (std::size_t c = 0; c < 10; ++c) CHECK(also[10 * i + c] == Approx(probs[10 * i + c]).margin(1e-4));
  }
  CHECK(slurp(directory / "p.csv").starts_with("image,label,predicted,p0,p1"));
}

TEST_CASE("some images, other depths, images without labels") {
  const TemporaryDirectory directory;
  train(directory);
  const std::string run = directory / "a.h5", out = directory / "p.npz";
  const auto told = [&](const std::string& words) {
    const Ran ran = run_ham("predict " + run + " --out " + out + " " + words);
    INFO(words << ": " << ran.err);
    REQUIRE(ran.code == 0);
    return numbers(out, "predicted");
  };
  const std::vector<double> all = told("");
  const auto count = static_cast<long>(all.size());
  CHECK(told("--data \"" + kDigits + ":first 3\"") == std::vector<double>(all.begin(), all.begin() + 3));
  CHECK(told("--data \"" + kDigits + ":last 3\"") == std::vector<double>(all.end() - 3, all.end()));
  CHECK(told("--data " + kDigits + ":2-4") == std::vector<double>(all.begin() + 2, all.begin() + 5));
  const std::vector<double> some = told("--data \"" + kDigits + ":random 5\" --seed 3");
  CHECK(some.size() == 5);
  CHECK(some == told("--data \"" + kDigits + ":random 5\" --seed 3"));
  for (const char* wrong : {":first 0", ":first", ":random many", ":9-3"})
    CHECK(run_ham("predict " + run + " --out " + out + " --data \"" + kDigits + wrong + "\"").code == 2);
  CHECK_THAT(run_ham("predict " + run + " --out " + out + " --data \"" + kDigits + ":first 100000\"").err,
             Contains("has " + std::to_string(count)));
  // Another descent is another answer; the model's own is none.
  const std::string eval = "eval " + run;
  CHECK(run_ham(eval + " --depth 3 --time-step 0.4").out == run_ham(eval).out);
  CHECK(run_ham(eval + " --depth 1").out != run_ham(eval).out);
  CHECK(run_ham(eval + " --time-step 0").code == 2);
  // The same pixels without labels.
  const core::NamedArrays arrays = core::read_arrays(kDigits, {.names = {{"test/images"}}}, 1 << 28);
  support::write_npz(directory / "mine.npz", {{"pictures", arrays[0].second}});
  CHECK(told("--unlabelled --data " + directory / "mine.npz") == all);
  CHECK_THAT(run_ham("predict " + run + " --out " + out + " --data " + directory / "mine.npz").err,
             Contains("pictures"));
}
