// ham train, eval, table1: what is typed, what is written, what survives a stop.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/formats/array_file.h"
#include "experiments/training/spec.h"
#include "experiments/training/table1.h"
#include "results/export.h"
#include "results/schema.h"
#include "tests/support/run_program.h"
#include "tests/support/same_numbers.h"
#include "tests/support/small_model.h"
#include "tests/support/write_arrays.h"

using support::check_same_numbers;
using support::Ran;
using support::run_shell;
using support::small_model;
using support::TemporaryDirectory;

namespace {

const std::string kDigits = DAMBENCH_FIXTURES "/mnist_small.h5";

Ran run_ham(const std::string& words) { return run_shell(std::string(HAM_PROGRAM) + " " + words); }

std::string train_words(const TemporaryDirectory& directory, const std::string& out) {
  return "train --model " + small_model(directory) + " --data " + kDigits + " --batch 100 --quiet --out " +
         directory / out + " ";
}

}  // namespace

TEST_CASE("training stopped in the middle of epochs and continued is the training that was never stopped") {
  const TemporaryDirectory directory;
  REQUIRE(run_ham(train_words(directory, "whole.h5") + "--epochs 3 --threads 1").code == 0);
  int stops = 0, code = 3;
  bool within = false;
  // Ever longer parts, so that quick machines stop often and busy ones come to the end.
  for (double seconds = 0.01; code == 3 && stops < 100; seconds *= 1.1, stops += code == 3) {
    const std::string limit = " --time-limit " + std::to_string(seconds) + "s";
    code = run_ham(train_words(directory, "parts.h5") + "--epochs 3 --threads 2" + limit).code;
    const results::ResultFile file = results::read(directory / "parts.h5");
    CHECK(file.provenance.finished.empty() == (code == 3));
    within = within || file.table("training").values<std::int64_t>("batches").at(0) > 0;
  }
  CHECK(code == 0);
  CHECK(stops >= 2);
  CHECK(within);
  check_same_numbers(directory / "whole.h5", directory / "parts.h5");
}

TEST_CASE("a signal ends training orderly; a killed one goes on from what it saved") {
  const TemporaryDirectory directory;
  const std::string words = train_words(directory, "a.h5") + "--epochs 100000";
  const Ran ran = run_shell("timeout --preserve-status -s TERM 1 " + std::string(HAM_PROGRAM) + " " + words);
  CHECK(ran.code == 3);
  const auto steps = [&] {
    return results::read(directory / "a.h5").table("training").values<std::int64_t>("steps").at(0);
  };
  const std::int64_t reached = steps();
  CHECK(reached > 0);
  run_shell("timeout -s KILL 1 " + std::string(HAM_PROGRAM) + " " + words);
  CHECK(steps() >= reached);
  CHECK(run_ham(words + " --time-limit 0.1s").code == 3);
  CHECK(steps() > reached);
}

TEST_CASE("a constant rate goes on to more epochs; another spec is refused with its difference") {
  const TemporaryDirectory directory;
  const std::string words = train_words(directory, "a.h5");
  REQUIRE(run_ham(words + "--epochs 1").code == 0);
  REQUIRE(run_ham(words + "--epochs 2").code == 0);
  REQUIRE(run_ham(train_words(directory, "b.h5") + "--epochs 2").code == 0);
  check_same_numbers(directory / "a.h5", directory / "b.h5");
  for (const char* other : {"--seed 2", "--rate 0.01", "--recipe paper", "--depth 5", "--schedule cosine"}) {
    const Ran ran = run_ham(words + "--epochs 2 " + other);
    INFO(other << ": " << ran.err);
    CHECK(ran.code == 4);
    CHECK_THAT(ran.err, Catch::Contains("belongs to another spec"));
  }
  CHECK_THAT(run_ham(words + "--seed 2").err, Catch::Contains("- seed = 1\n+ seed = 2\n"));
}

TEST_CASE("training does not go on from what another version of the engine rounded otherwise") {
  const TemporaryDirectory directory;
  const std::string words = train_words(directory, "a.h5");
  REQUIRE(run_ham(words + "--epochs 1").code == 0);
  results::ResultFile file = results::read(directory / "a.h5");
  for (results::Table& table : file.tables)
    if (table.name == "training")
      std::erase_if(table.columns, [](const results::Column& column) { return column.name == "version"; });
  results::write(directory / "a.h5", file);
  CHECK(run_ham(words + "--epochs 1").code == 0);  // nothing is left to do
  const Ran ran = run_ham(words + "--epochs 2");
  CHECK(ran.code == 4);
  CHECK_THAT(ran.err, Catch::Contains("version 1") && Catch::Contains("choose another --out"));
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  CHECK(run_ham("eval " + directory / "a.h5").code == 0);
}

TEST_CASE("wrong kernels, threads and memory are refused in one line before anything is computed") {
  const TemporaryDirectory directory;
  for (const auto& [words, told] : {std::pair{"--kernels avx9", "amx"}, std::pair{"--threads 0", "below 1"},
                                    std::pair{"--max-memory 2100k", "--max-memory"}}) {
    const Ran ran = run_ham(train_words(directory, "a.h5") + words);
    INFO(words << ": " << ran.err);
    CHECK(ran.code == 2);
    CHECK_THAT(ran.err, Catch::Contains(told));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK(!std::filesystem::exists(directory / "a.h5"));
  }
}

TEST_CASE("eval scores a run's weights as training did, and NumPy opens the exported ones") {
  const TemporaryDirectory directory;
  const Ran trained =
      run_ham(train_words(directory, "a.h5") + "--epochs 4 --json --export-weights " + directory / "w.npz");
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.out, Catch::Contains("\"epochs\":[") && Catch::Contains("\"rate\":\"0.001\""));
  const results::ResultFile file = results::read(directory / "a.h5");
  const experiments::TrainingSummary summary = experiments::summary_of(file, 100);
  CHECK(summary.parameters == 784 * 40 + 10 * 40 + 2);
  CHECK(summary.best > 0.6);
  const Ran scored = run_ham("eval " + directory / "a.h5" + " --json");
  CHECK_THAT(scored.out, Catch::Contains("\"accuracy\":" + std::to_string(summary.best).substr(0, 5)));
  const Ran numpy = run_shell(
      "/usr/bin/python3 -c 'import numpy, sys, h5py; a = numpy.load(sys.argv[1]); f = h5py.File(sys.argv[2]); "
      "p = f[\"parameters\"]; i = list(p[\"name\"].asstr()).index(\"memory.W0\"); o = p[\"offset\"][i]; "
      "print(sorted(a), (a[\"memory.W0\"].ravel() == f[\"arrays/best_weights\"][o:o + p[\"size\"][i]]).all())' " +
      directory / "w.npz" + " " + directory / "a.h5");
  INFO(numpy.err);
  CHECK(numpy.out ==
        "['__model__', '__progress__', '__run__', 'image.beta', 'label.beta', 'memory.W0', 'memory.W1'] True\n");
  CHECK_THAT(run_ham("eval " + directory / "a.h5" + " --weights hats").err, Catch::Contains("no array hats"));
  // The run itself is no place for its weights.
  CHECK(run_ham("eval " + directory / "a.h5" + " --export-weights " + directory / "a.h5").code == 4);
  CHECK(results::read(directory / "a.h5").has("epochs"));
  // Other images of the same size are scored, and it is said that they are others.
  CHECK(scored.err.find("warning") == std::string::npos);
  const core::NamedArrays arrays = core::read_arrays(
      kDigits, {.names = {{"train/images", "train/labels", "test/images", "test/labels"}}}, std::uint64_t{1} << 30);
  support::write_npz(directory / "other.npz", {{"x_train", arrays[2].second},
                                               {"y_train", arrays[3].second},
                                               {"x_test", arrays[0].second},
                                               {"y_test", arrays[1].second}});
  const Ran other = run_ham("eval " + directory / "a.h5" + " --data " + directory / "other.npz");
  CHECK(other.code == 0);
  CHECK_THAT(other.err, Catch::Contains("a.h5 was trained on other images") && Catch::Contains("other.npz"));
}

TEST_CASE("a run that was stopped in its first epoch says so, and its weights can be used as far as they are") {
  const TemporaryDirectory directory;
  for (const std::string recipe : {"code", "ours"}) {
    const std::string out = "a-" + recipe + ".h5";
    const Ran ran = run_ham(train_words(directory, out) + "--epochs 2 --time-limit 0.001s --recipe " + recipe +
                            " --export-weights " + directory / "w.npz");
    CHECK(ran.code == 3);
    CHECK_THAT(ran.out, Catch::Contains("0 epochs and 1 batch of"));
    const Ran scored = run_ham("eval " + directory / out);
    INFO(scored.err);
    CHECK(scored.code == 0);
    CHECK_THAT(scored.out, Catch::Contains("1 batch of the first epoch"));
    // What would be scored now: the running average where the recipe keeps one.
    const std::string words = "eval " + directory / out + " --weights ";
    CHECK(run_ham(words + (recipe == "ours" ? "averaged_weights" : "weights")).out == scored.out);
    const results::ResultFile file = results::read(directory / out);
    CHECK(file.table("training").values<double>("seconds").at(0) > 0);
  }
}

TEST_CASE("a trimmed run scores as the run did; training does not go on from it") {
  const TemporaryDirectory directory;
  const std::string words = train_words(directory, "a.h5") + "--epochs 2";
  REQUIRE(run_ham(words).code == 0);
  const Ran ran = run_ham("trim " + directory / "a.h5" + " --out " + directory / "small.h5");
  REQUIRE(ran.code == 0);
  CHECK(4 * std::filesystem::file_size(directory / "small.h5") < 2 * std::filesystem::file_size(directory / "a.h5"));
  CHECK(run_ham("eval " + directory / "small.h5").out == run_ham("eval " + directory / "a.h5").out);
  CHECK(results::to_json(results::read(directory / "small.h5"), {"epochs"}) ==
        results::to_json(results::read(directory / "a.h5"), {"epochs"}));

  REQUIRE(run_ham("trim " + directory / "a.h5" + " --no-weights -o " + directory / "none.h5").code == 0);
  CHECK_THAT(run_ham("eval " + directory / "none.h5").err, Catch::Contains("trimmed of its weights"));
  std::filesystem::rename(directory / "small.h5", directory / "a.h5");
  const Ran refused = run_ham(words);
  CHECK(refused.code == 4);
  CHECK_THAT(refused.err, Catch::Contains("trimmed copy"));
  CHECK(run_ham("trim " + directory / "a.h5" + " --out " + directory / "a.h5").code == 4);
}

TEST_CASE("what cannot be trained is refused in one line before anything is written") {
  const TemporaryDirectory directory;
  const auto refused = [&](const std::string& words, int code, const std::string& answer) {
    const Ran ran = run_shell("HOME=" + directory.path().string() + " DAMBENCH_DATA=" + directory.path().string() +
                              " " + HAM_PROGRAM + " " + words);
    INFO(words << "\n" << ran.err);
    CHECK(ran.code == code);
    CHECK(ran.out.empty());
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK_THAT(ran.err, Catch::Contains(answer));
  };
  const std::string model = "--model " + small_model(directory), out = " --out " + directory / "x.h5";
  refused("train" + out, 2, "--model is missing");
  refused("train --model none.toml --data " + kDigits + out, 1, "none.toml: ");
  refused("train " + model + " --data none.h5" + out, 1, "none.h5");
  refused("train " + model + " --recipe cake" + out, 2, "--recipe: 'cake' is not one of paper, code, ours");
  refused("train " + model + " --rate fast" + out, 2, "--rate: value 'fast' is not a number");
  refused("train " + model + " --averaging 2" + out, 2, "--averaging: 2 is outside [0, 1]");
  refused("train " + model + " --time-step 0" + out, 2, "--time-step");
  refused("train --model " DAMBENCH_SOURCE "/experiments/models/hn_relu_cifar10.toml --data " + kDigits + out, 1,
          "layer 'image' has shape 3072");
  refused("train --model " DAMBENCH_SOURCE "/experiments/models/hn_relu_cifar10.toml" + out, 2, "cifar10 is not found");
  refused("eval", 2, "a training run is missing");
  refused("eval " + kDigits, 1, "mnist_small.h5: ");
  refused("table1 --show --out-dir " + directory / "empty", 1, "empty: holds no run of these cells");
  refused("table1 --cells mars" + (" --out-dir " + directory / "t"), 2, "'mars' is not one of mnist, cifar10, mnist/");
  refused("table1 --recipe cake" + (" --out-dir " + directory / "t"), 2, "'cake' is not one of");
  refused("table1 --cells cifar10" + (" --out-dir " + directory / "t"), 1, "cifar10");
  CHECK_FALSE(std::filesystem::exists(directory / "x.h5"));
}

TEST_CASE("table 1 shows the runs that lie in a folder, each as long as it was asked for") {
  const TemporaryDirectory directory;
  for (const char* run : {"hn_relu_mnist-ours-100-1", "hn_relu_mnist-ours-100-2", "hn_relu_mnist-ours-100-3",
                          "hn_relu_mnist-code-2", "hn_relu_cifar10-code-1"})
    std::filesystem::copy_file(fmt::format(DAMBENCH_SOURCE "/results/reference/table1/{}.h5", run),
                               directory / (std::string(run) + ".h5"));
  const Ran ran = run_ham("table1 --show --out-dir " + directory.path().string());
  INFO(ran.err);
  CHECK(ran.code == 0);
  const auto code = ran.out.find("mnist/hn_relu    code"), ours = ran.out.find("mnist/hn_relu    ours"),
             cifar = ran.out.find("cifar10/hn_relu  code");
  CHECK(code < ours);
  CHECK(ours < cifar);
  CHECK(cifar != std::string::npos);
  CHECK_THAT(ran.out, Catch::Contains("99.20 ± 0.03") && Catch::Contains("of 100"));
  // Showing leaves the folder as it is: five runs, no table.
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 5);
}

TEST_CASE("training writes its log epoch by epoch, and stops when no epoch has been better for long") {
  const TemporaryDirectory directory;
  const std::string log = directory / "log.csv";
  const std::string words = train_words(directory, "a.h5") + "--log " + log;
  REQUIRE(run_ham(words + " --epochs 2").code == 0);
  REQUIRE(run_ham(words + " --epochs 3").code == 0);  // goes on: the log is that of the whole run
  const std::string text = support::slurp(log);
  CHECK(text == results::to_csv(results::read(directory / "a.h5").table("epochs")));
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  // A rate of 0 changes nothing: the first epoch is the best, and the third is the second after it.
  const Ran still = run_ham(train_words(directory, "b.h5") + "--rate 0 --epochs 9 --patience 2");
  CHECK(still.code == 0);
  CHECK(results::read(directory / "b.h5").table("epochs").rows() == 3);
  CHECK_THAT(still.out, Catch::Contains("3 epochs of"));
  // Asked again, it has still been patient enough; without, it goes on.
  CHECK(run_ham(train_words(directory, "b.h5") + "--rate 0 --epochs 9 --patience 2").code == 0);
  CHECK(results::read(directory / "b.h5").table("epochs").rows() == 3);
  REQUIRE(run_ham(train_words(directory, "b.h5") + "--rate 0 --epochs 4").code == 0);
  CHECK(results::read(directory / "b.h5").table("epochs").rows() == 4);
  CHECK(run_ham(train_words(directory, "c.h5") + "--patience 0").code == 2);
  CHECK(run_ham(train_words(directory, "c.h5") + "--log " + directory / "c.txt.exe").code == 2);
}

TEST_CASE("the reference runs of table 1 were trained by its recipes as they stand") {
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DAMBENCH_SOURCE "/results/reference/table1")) {
    if (entry.path().extension() != ".h5" || entry.path().stem() == "table1") continue;
    INFO(entry.path());
    const results::ResultFile run = results::read(entry.path());
    const auto cells = experiments::paper_cells();
    const auto cell =
        std::ranges::find(cells, experiments::spec_value(run.spec, "model"), &experiments::PaperCell::model);
    REQUIRE(cell != cells.end());
    const ham::Recipe recipe = experiments::recipe_of(*cell, ham::recipe(experiments::spec_value(run.spec, "recipe")));
    for (const ham::RecipeSwitch& option : ham::recipe_switches()) {
      INFO(option.name);
      CHECK(experiments::spec_value(run.spec, option.name) == option.text(recipe));
    }
    ++compared;
  }
  CHECK(compared >= 18);
}

TEST_CASE("table 1 puts seeds together and says what was not reached") {
  results::Table runs = results::empty_table(results::ham_table("table1"));
  const auto add = [&](std::size_t cell, std::uint64_t seed, double best, long epochs) {
    experiments::push_run(runs, experiments::paper_cells()[cell], 100,
                          {.model = "m",
                           .data = "mnist",
                           .recipe = "code",
                           .seed = seed,
                           .parameters = 794002,
                           .epochs = epochs,
                           .best_epoch = 90,
                           .best = best,
                           .best_zoomed = best - 0.01,
                           .last = best - 0.002,
                           .last_zoomed = best - 0.012,
                           .seconds = 120});
  };
  add(0, 1, 0.988, 100);
  add(2, 1, 0.993, 31);
  add(0, 2, 0.990, 100);
  add(0, 3, 0.989, 100);
  const std::string text = analysis::write_table(experiments::table1_text(runs), "markdown");
  CHECK_THAT(text, Catch::Contains("| mnist/hn_relu | code | 0.794 | 98.74 (99.03) | 98.90 ± 0.10 | +0.16 | "
                                   "97.90 ± 0.10 | 98.70 ± 0.10 | 3 | 100 | 2.0 |\n"));
  CHECK_THAT(text, Catch::Contains("| mnist/conv_ham | code | 0.794 | 99.29 (99.51) | 99.30 | +0.01 | 98.30 | 99.10 | "
                                   "1 | 31 of 100 | 2.0 |\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  for (const char* format : {"latex", "html", "terminal"})
    CHECK_THAT(analysis::write_table(experiments::table1_text(runs), format), Catch::Contains("98.90"));
  add(0, 4, 0.9, 100);
  CHECK_THAT(analysis::write_table(experiments::table1_text(runs), "markdown"), Catch::Contains("| −2.06 |"));
  CHECK_THAT(analysis::write_table(experiments::table1_text(runs), "latex"), Catch::Contains("$-$2.06"));
  const std::string page = analysis::html_page(experiments::table1_text(runs));
  CHECK_THAT(page, Catch::StartsWith("<!DOCTYPE html>") && Catch::Contains("<title>table1</title>") &&
                       Catch::Contains("</table>\n</body>\n</html>\n"));
}

TEST_CASE("what cannot learn is refused before training, and what does not learn is said while it trains") {
  const TemporaryDirectory directory;
  const auto train = [&](const std::string& dynamics, const std::string& label, const std::string& words) {
    std::ofstream(directory / "m.toml") << "name = \"m\"\ndynamics = {" << dynamics << R"(, readout = "label"}
layer = [{name = "image", shape = [784], lagrangian = "tanh"}, {name = "middle", shape = [20], lagrangian = "tanh"},
         {name = "label", shape = [10], lagrangian = ")"
                                        << label << R"("}]
synapse = [{name = "first", kind = "dense", connects = ["image", "middle"]},
           {name = "second", kind = "dense", connects = ["middle", "label"]}]
)";
    std::filesystem::remove(directory / "m.h5");
    return run_ham("train --model " + directory / "m.toml" + " --data " + kDigits + " --epochs 1 --batch 20 --out " +
                   directory / "m.h5 " + words);
  };
  const std::string clamped = "clamped = [\"image\"], depth = ";
  const Ran shallow = train(clamped + "1", "softmax", "");
  CHECK(shallow.code == 2);
  CHECK(shallow.err ==
        "ham: " + directory / "m.toml" +
            ": the image 'image' takes 2 steps to reach the readout 'label', the descent has 1; depth = 2 "
            "would do\n");
  CHECK_FALSE(std::filesystem::exists(directory / "m.h5"));
  CHECK(train(clamped + "1", "softmax", "--depth 2").code == 0);
  CHECK(train(clamped + "3", "relu", "").code == 2);
  CHECK(train(clamped + "3, time_step = 3", "softmax", "").code == 2);
  CHECK_THAT(train(clamped + "3", "softmax", "").err, !Catch::Contains("warning"));
  CHECK_THAT(train(clamped + "3", "softmax", "--rate 10").err, Catch::Contains("warning: the loss has not fallen"));
}
