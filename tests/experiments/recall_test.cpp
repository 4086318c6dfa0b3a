// dam recall: a user's own patterns and cues, in and out of files.
#include <catch2/catch.hpp>
#include <fstream>

#include "core/formats/hdf5_file.h"
#include "core/formats/npy.h"
#include "core/random.h"
#include "dam/fields/energy.h"
#include "dam/fields/kernels.h"
#include "tests/support/run_program.h"
#include "tests/support/write_arrays.h"

using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

constexpr int kNeurons = 50;
constexpr std::uint64_t kPatterns = 6, kCues = 9;

Ran recall(const std::string& words) { return run_shell(std::string(DAM_PROGRAM) + " recall " + words); }

std::vector<std::int8_t> random_signs(std::size_t count, core::Stream& stream) {
  std::vector<std::int8_t> signs(count);
  for (std::int8_t& sign : signs) sign = core::bernoulli(stream, 0.5) ? 1 : -1;
  return signs;
}

/// Patterns, and cues that are patterns with three flipped components each.
struct Example {
  core::Stream stream{Catch::rngSeed(), 0, 0, core::Purpose::data};
  std::vector<std::int8_t> patterns = random_signs(kPatterns * kNeurons, stream);
  std::vector<std::int8_t> cues;
  Example() {
    for (std::uint64_t cue = 0; cue < kCues; ++cue) {
      const auto pattern = patterns.begin() + static_cast<std::ptrdiff_t>(cue % kPatterns * kNeurons);
      cues.insert(cues.end(), pattern, pattern + kNeurons);
      for (int i = 0; i < 3; ++i) cues[cue * kNeurons + 7 * i + cue] *= -1;
    }
  }
};

std::vector<std::uint8_t> as_bits(const std::vector<std::int8_t>& signs) {
  std::vector<std::uint8_t> bits;
  for (const std::int8_t sign : signs) bits.push_back(sign > 0);
  return bits;
}

std::vector<double> reals(const core::Hdf5File& file, const std::string& dataset) {
  return std::get<std::vector<double>>(file.read_column(dataset, 1 << 20));
}
std::vector<std::int64_t> integers(const core::Hdf5File& file, const std::string& dataset) {
  return std::get<std::vector<std::int64_t>>(file.read_column(dataset, 1 << 20));
}

}  // namespace

TEST_CASE("recall restores lightly corrupted patterns and reports energies") {
  const TemporaryDirectory directory;
  const Example example;
  support::write_npy(directory / "patterns.npy", {{kPatterns, kNeurons}, example.patterns});
  support::write_npy(directory / "cues.npy", {{kCues, kNeurons}, as_bits(example.cues)});
  const auto* model = GENERATE("dense:3", "modern:0.5", "rectified:4");
  const Ran ran = recall("--patterns " + directory / "patterns.npy" + " --cues " + directory / "cues.npy" +
                         " --rule energy --trace --model " + model + " --out " + directory / "r.h5");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, Catch::Contains("energy before"));

  const auto file = core::Hdf5File::open(directory / "r.h5");
  const auto states = file.read_array("/states", 1 << 20);
  CHECK(states.shape == std::vector<std::uint64_t>{kCues, kNeurons});
  const auto& values = std::get<std::vector<std::int8_t>>(states.values);
  const dam::Patterns patterns = dam::Patterns::from_rows(std::span<const std::int8_t>(example.patterns), kNeurons);
  const dam::Patterns cues = dam::Patterns::from_rows(std::span<const std::int8_t>(example.cues), kNeurons);
  const auto energy_model = core::EnergyModel::parse(model);
  for (std::uint64_t cue = 0; cue < kCues; ++cue) {
    const auto row = static_cast<std::int64_t>(cue);
    const dam::State final_state(values.begin() + row * kNeurons, values.begin() + (row + 1) * kNeurons);
    CHECK(final_state == patterns.row(row % static_cast<std::int64_t>(kPatterns)));
    CHECK(reals(file, "/recall/energy_before")[cue] == dam::energy(energy_model, patterns, cues.row(row)));
    CHECK(reals(file, "/recall/energy_after")[cue] == dam::energy(energy_model, patterns, final_state));
    CHECK(integers(file, "/recall/converged")[cue] == 1);
    CHECK(integers(file, "/recall/nearest_pattern")[cue] == row % static_cast<std::int64_t>(kPatterns));
    CHECK(integers(file, "/recall/nearest_overlap")[cue] == kNeurons);
  }

  const auto trace_cue = integers(file, "/trace/cue"), trace_flip = integers(file, "/trace/flip");
  const auto trace_energy = reals(file, "/trace/energy");
  std::size_t flips = 0;
  for (const std::int64_t count : integers(file, "/recall/flips")) flips += static_cast<std::size_t>(count);
  REQUIRE(trace_cue.size() == kCues + flips);
  for (std::size_t i = 1; i < trace_cue.size(); ++i)
    if (trace_cue[i] == trace_cue[i - 1]) {
      CHECK(trace_flip[i] == trace_flip[i - 1] + 1);
      CHECK(trace_energy[i] < trace_energy[i - 1]);
    }
}

TEST_CASE("NPY and HDF5, signs and bits, give the same answer") {
  const TemporaryDirectory directory;
  const Example example;
  support::write_npy(directory / "patterns.npy", {{kPatterns, kNeurons}, as_bits(example.patterns)});
  support::write_npy(directory / "cues.npy", {{kCues, kNeurons}, example.cues});
  core::Hdf5File file = core::Hdf5File::create();
  file.create_group("/mine");
  file.write_array("/mine/stored", {{kPatterns, kNeurons}, example.patterns});
  file.write_array("/cues", {{kCues, kNeurons}, as_bits(example.cues)});
  const core::Bytes bytes = file.bytes();
  std::ofstream(directory / "data.h5", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const Ran npy = recall("--patterns " + directory / "patterns.npy" + " --cues " + directory / "cues.npy --out " +
                         directory / "a.h5");
  const Ran hdf5 = recall("--patterns " + directory / "data.h5:/mine/stored" + " --cues " +
                          directory / "data.h5 --out " + directory / "b.h5");
  // What NumPy makes of a list of numbers.
  support::write_npy(directory / "real.npy",
                     {{kPatterns, kNeurons}, std::vector<double>(example.patterns.begin(), example.patterns.end())});
  support::write_npy(directory / "integer.npy",
                     {{kCues, kNeurons}, std::vector<std::int64_t>(example.cues.begin(), example.cues.end())});
  const Ran wide = recall("--patterns " + directory / "real.npy" + " --cues " + directory / "integer.npy --out " +
                          directory / "c.h5");
  INFO(npy.err << hdf5.err << wide.err);
  CHECK(npy.code == 0);
  CHECK(npy.out == hdf5.out);
  CHECK(npy.out == wide.out);
}

TEST_CASE("bad pattern files are refused in one line") {
  const TemporaryDirectory directory;
  const Example example;
  const std::string good = directory / "good.npy", bad = directory / "bad.npy";
  support::write_npy(good, {{kPatterns, kNeurons}, example.patterns});
  const auto refused = [&](const std::string& words, int code, const std::string& answer) {
    const Ran ran = recall(words + " --out " + directory / "r.h5");
    INFO(ran.err);
    CHECK(ran.code == code);
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK_THAT(ran.err, Catch::Contains(answer));
    CHECK_FALSE(std::filesystem::exists(directory / "r.h5"));
  };

  auto values = example.patterns;
  values[kNeurons + 3] = 2;
  support::write_npy(bad, {{kPatterns, kNeurons}, values});
  refused("--patterns " + bad + " --cues " + good, 1, "2");
  support::write_npy(bad, {{kPatterns * 2, kNeurons / 2}, example.patterns});
  refused("--patterns " + bad + " --cues " + good, 2, "patterns have 25 neurons a row, cues have 50");
  support::write_npy(bad, {{}, std::vector<double>{1}});
  refused("--patterns " + bad + " --cues " + good, 1, "has shape ()");
  support::write_npy(bad, {{kPatterns * kNeurons}, example.patterns});
  refused("--patterns " + bad + " --cues " + good, 2, "patterns have 300 neurons a row, cues have 50");
  refused("--patterns " + good + " --cues " + good + " --size 7", 2, "--size: patterns have 50 neurons a row, not 7");
  support::write_npy(bad, {{kPatterns, kNeurons}, std::vector<double>(kPatterns * kNeurons, 0.5)});
  refused("--patterns " + bad + " --cues " + good, 1, "value 0.5 at row 0, neuron 0 is neither -1, +1 nor 0, 1");
  const std::string whole = support::slurp(good);
  std::ofstream(bad, std::ios::binary) << whole.substr(0, whole.size() - 10);
  refused("--patterns " + bad + " --cues " + good, 1, "bad.npy");
  std::ofstream(bad, std::ios::binary) << "these are not patterns";
  refused("--patterns " + bad + " --cues " + good, 1, "bad.npy");
  refused("--patterns " + directory / "none.npy" + " --cues " + good, 1, "none.npy");
  refused("--patterns " + good, 2, "--cues is missing");
  refused("--patterns " + good + " --cues " + good + " --model euclidean/power:2/linear", 2, "degenerate");
}

TEST_CASE("patterns from a file can be swept, and a sweep cannot take more than there are") {
  const TemporaryDirectory directory;
  const Example example;
  support::write_npy(directory / "bank.npy", {{kPatterns, kNeurons}, example.patterns});
  const std::string source =
      " --degree 2 --patterns file:" + directory / "bank.npy" + " --quiet --out " + directory / "c.h5";
  const Ran curve = run_shell(std::string(DAM_PROGRAM) + " curve --size 50 --num-patterns 2,6 --trials 32" + source);
  INFO(curve.err);
  CHECK(curve.code == 0);
  const Ran mismatch = run_shell(std::string(DAM_PROGRAM) + " curve --size 40 --num-patterns 2 --trials 32" + source);
  CHECK(mismatch.code == 2);
  CHECK_THAT(mismatch.err, Catch::Contains("50 neurons"));
  const Ran many = run_shell(std::string(DAM_PROGRAM) + " curve --size 50 --num-patterns 7 --trials 32" + source + "2");
  CHECK(many.code != 0);
  CHECK(std::count(many.err.begin(), many.err.end(), '\n') == 1);
}

TEST_CASE("patterns and cues are read from whatever format people have them in") {
  const TemporaryDirectory directory;
  const std::string arrays = std::string(DAMBENCH_FIXTURES) + "/arrays/";
  const std::string out = " --cues " + arrays + "signs.npy --out " + directory / "r.h5";
  const Ran npy = recall("--patterns " + arrays + "signs.npy" + out);
  REQUIRE(npy.code == 0);
  CHECK_THAT(npy.out,
             Catch::Contains("0             -840             -840       1       0        yes         0    1.0000"));
  for (const char* file : {"signs.npy.gz", "signs.npz", "signs.csv", "signs.txt", "signs_v5.mat", "signs_v73.mat",
                           "hard.h5:lzf", "hard.h5:/group/unsigned", "bits.npz", "every_type.npz:u2_big",
                           "every_type.npz:u4_little", "every_type.npz:u8_big", "every_type.npz:f2_little",
                           "every_type.npz:i2_big", "every_type.npz:fortran_pictures", "every_type.mat:i2"}) {
    INFO(file);
    CHECK(recall("--patterns " + arrays + file + out).out == npy.out);
  }
}

TEST_CASE("all numbers on one line are rows of the size that is given") {
  const TemporaryDirectory directory;
  const Example example;
  std::ofstream line(directory / "pict.dat");
  for (std::size_t i = 0; i < example.patterns.size(); ++i) line << (i ? "," : "") << int{example.patterns[i]};
  line.close();
  support::write_npy(directory / "rows.npy", {{kPatterns, kNeurons}, example.patterns});
  const auto run = [&](const std::string& file, const std::string& size) {
    return recall("--patterns " + file + " --cues " + file + size + " --out " + directory / "r.h5");
  };
  const Ran rows = run(directory / "rows.npy", ""), text = run(directory / "pict.dat", " --size 50");
  CHECK(text.out == rows.out);
  CHECK(text.code == 0);
}

TEST_CASE("a stack of pictures has the statistics of its rows") {
  const TemporaryDirectory directory;
  core::Stream stream{Catch::rngSeed(), 0, 1, core::Purpose::data};
  const std::vector<std::int8_t> signs = random_signs(100 * 25, stream);
  std::vector<double> grey(signs.begin(), signs.end());
  for (double& value : grey) value = 128 + 64 * value;
  support::write_npy(directory / "stack.npy", {{100, 5, 5}, signs});
  support::write_npy(directory / "rows.npy", {{100, 25}, signs});
  support::write_npy(directory / "grey.npy", {{100, 5, 5}, grey});
  const auto table = [&](const std::string& words) {
    const Ran ran = run_shell(std::string(DAM_PROGRAM) + " patterns --format csv --patterns file:" + directory / words);
    if (ran.code != 0) return ran.err;
    const std::string row = ran.out.substr(ran.out.find('\n'));
    return row.substr(row.find(','));  // without the file's name
  };
  CHECK(table("stack.npy") == table("rows.npy"));
  CHECK(table("grey.npy --threshold 128") == table("rows.npy"));
  CHECK_THAT(table("grey.npy"), Catch::Contains("is neither -1, +1 nor 0, 1; grey values need a threshold"));
}

TEST_CASE("a file whose name has a colon is that file") {
  const TemporaryDirectory directory;
  const Example example;
  support::write_npy(directory / "a:b.npy", {{kPatterns, kNeurons}, example.patterns});
  const Ran ran = recall("--patterns " + directory / "a:b.npy" + " --cues " + directory / "a:b.npy" + " --out " +
                         directory / "r.h5");
  INFO(ran.err);
  CHECK(ran.code == 0);
}

TEST_CASE("recall goes on where it was stopped, and gives what it gives in one go") {
  const TemporaryDirectory directory;
  const int num_neurons = 128, count = 1000;
  core::Stream stream{Catch::rngSeed(), 0, 0, core::Purpose::data};
  const std::vector<std::int8_t> patterns = random_signs(static_cast<std::size_t>(count) * num_neurons, stream);
  support::write_npy(directory / "p.npy", {{count, num_neurons}, patterns});
  const std::string words = "--patterns " + directory / "p.npy" + " --cues " + directory / "p.npy" +
                            " --trace --order sequential --quiet --model ";
  const auto* model = GENERATE("dense:3", "hopfield");
  const auto* stop = GENERATE("time limit", "SIGTERM", "SIGHUP");
  INFO(model << ", " << stop);
  const Ran whole = recall(words + model + " --out " + directory / "whole.h5");
  REQUIRE(whole.code == 0);

  const std::string part = directory / "part.h5", line = words + model + " --save-every 0.1s --out " + part;
  const std::string_view how = stop;
  const Ran first =
      how == "time limit"
          ? recall(line + " --threads 1 --kernel reference --time-limit 0.3s")
          : run_shell(std::string(DAM_PROGRAM) + " recall " + line + " --threads 1 --kernel reference & until [ -s " +
                      part + " ]; do kill -0 $! || exit 9; done; kill -" + std::string(how.substr(3)) + " $!; wait $!");
  INFO(first.err);
  REQUIRE(first.code == 3);
  REQUIRE(std::filesystem::exists(part));
  const auto rows = [](const std::string& file) { return integers(core::Hdf5File::open(file), "/recall/cue").size(); };
  CHECK(rows(part) > 0);
  CHECK(rows(part) < count);
  const Ran rest = recall(line + " --threads 3");
  INFO(rest.err);
  REQUIRE(rest.code == 0);
  CHECK(rest.out == whole.out);
  const auto a = core::Hdf5File::open(directory / "whole.h5"), b = core::Hdf5File::open(part);
  CHECK(a.read_array("/states", 1 << 24).values == b.read_array("/states", 1 << 24).values);
  for (const char* column : {"/recall/energy_after", "/trace/energy"}) CHECK(reals(a, column) == reals(b, column));
  for (const char* column : {"/recall/cue", "/recall/ties", "/trace/spin"})
    CHECK(integers(a, column) == integers(b, column));

  // What is complete is shown again, not computed again.
  const auto written = std::filesystem::last_write_time(part);
  CHECK(recall(line).out == whole.out);
  CHECK(std::filesystem::last_write_time(part) == written);
}

TEST_CASE("recall replaces neither another recall nor a file that is not its own") {
  const TemporaryDirectory directory;
  const Example example;
  support::write_npy(directory / "p.npy", {{kPatterns, kNeurons}, example.patterns});
  support::write_npy(directory / "c.npy", {{kCues, kNeurons}, example.cues});
  const std::string words = "--patterns " + directory / "p.npy" + " --cues " + directory / "c.npy" + " --quiet --out ";
  const std::string out = directory / "r.h5";
  REQUIRE(recall(words + out).code == 0);
  const std::string before = support::slurp(out);
  for (const char* other : {" --model dense:4", " --seed 2", " --tie plus", " --trace", " --max-passes 7"}) {
    const Ran ran = recall(words + out + other);
    INFO(ran.err);
    CHECK(ran.code == 4);
    CHECK_THAT(ran.err, Catch::Contains("r.h5") && Catch::Contains("choose another --out"));
  }
  CHECK(support::slurp(out) == before);
  std::ofstream(directory / "mine.txt") << "mine";
  const Ran ran = recall(words + directory / "mine.txt");
  CHECK(ran.code == 4);
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  CHECK(support::slurp(directory / "mine.txt") == "mine");
}

TEST_CASE("pipes given as patterns, cues, spec or output are answered, not waited for") {
  const TemporaryDirectory directory;
  const Example example;
  support::write_npy(directory / "p.npy", {{kPatterns, kNeurons}, example.patterns});
  const std::string good = directory / "p.npy";
  for (const char* name : {"f.npy", "f.h5", "f-idx3-ubyte", "f"}) {
    const std::string pipe = directory / name;
    REQUIRE(run_shell("mkfifo " + pipe).code == 0);
    for (const std::string& words : {"--patterns " + pipe + " --cues " + good, "--patterns " + good + " --cues " + pipe,
                                     "--patterns " + good + " --cues " + good + " --out " + pipe}) {
      const Ran ran = run_shell("timeout 20 " + std::string(DAM_PROGRAM) + " recall " + words);
      INFO(words << "\n" << ran.err);
      CHECK((ran.code == 1 || ran.code == 4));
      CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    }
  }
  const Ran spec = run_shell("timeout 20 " + std::string(DAM_PROGRAM) + " curve --spec " + directory / "f");
  CHECK(spec.code == 2);
  CHECK_THAT(spec.err, Catch::Contains("nothing came through this pipe"));
}

TEST_CASE("energies beyond doubles are said in table, file and trace, and cancelled ones are 0") {
  const TemporaryDirectory directory;
  core::Stream stream{Catch::rngSeed(), 0, 2, core::Purpose::data};
  std::vector<std::int8_t> rows = random_signs(5 * 1000, stream);
  support::write_npy(directory / "p.npy", {{5, 1000}, rows});
  std::vector<std::int8_t> cue(rows.begin(), rows.begin() + 1000);
  for (int i = 0; i < 3; ++i) cue[i] *= -1;
  support::write_npy(directory / "c.npy", {{1, 1000}, cue});
  const Ran high = recall("--trace --model dense:110 --patterns " + directory / "p.npy" + " --cues " +
                          directory / "c.npy" + " --out " + directory / "r.h5");
  INFO(high.err);
  REQUIRE(high.code == 0);
  CHECK_THAT(high.out, Catch::Contains("-9.0909091e+327"));  // −1000^110/110
  const auto file = core::Hdf5File::open(directory / "r.h5");
  CHECK(std::isinf(reals(file, "/recall/energy_after")[0]));
  CHECK(reals(file, "/recall/energy_after_log10")[0] == Approx(330 - std::log10(110)));
  const auto trace = reals(file, "/trace/energy_log10");
  REQUIRE(trace.size() == 4);
  CHECK(std::ranges::is_sorted(trace));
  // What is in the file is what a second call reads and prints.
  CHECK(recall("--trace --model dense:110 --patterns " + directory / "p.npy" + " --cues " + directory / "c.npy" +
               " --out " + directory / "r.h5")
            .out == high.out);

  std::vector<std::int8_t> pairs(rows.begin(), rows.begin() + 200);
  for (int i = 0; i < 200; ++i) pairs.push_back(static_cast<std::int8_t>(-rows[i]));
  support::write_npy(directory / "pairs.npy", {{8, 50}, pairs});
  const Ran zero = recall("--model dense:111 --patterns " + directory / "pairs.npy" + " --cues " +
                          directory / "pairs.npy" + " --out " + directory / "z.h5");
  CHECK_THAT(zero.out,
             Catch::Contains("0                0                0       1       0        yes         0    1.0000"));
}

TEST_CASE("a state that is a pattern's mirror image is nearest to that pattern, with its sign") {
  const TemporaryDirectory directory;
  const Example example;
  std::vector<std::int8_t> mirrored = example.patterns;
  for (auto& spin : mirrored) spin = static_cast<std::int8_t>(-spin);
  support::write_npy(directory / "p.npy", {{kPatterns, kNeurons}, example.patterns});
  support::write_npy(directory / "c.npy", {{kPatterns, kNeurons}, mirrored});
  REQUIRE(recall("--model dense:4 --patterns " + directory / "p.npy" + " --cues " + directory / "c.npy" + " --out " +
                 directory / "r.h5")
              .code == 0);
  const auto file = core::Hdf5File::open(directory / "r.h5");
  for (std::size_t cue = 0; cue < kPatterns; ++cue) {
    CHECK(integers(file, "/recall/nearest_pattern")[cue] == static_cast<std::int64_t>(cue));
    CHECK(integers(file, "/recall/nearest_overlap")[cue] == -kNeurons);
  }
}

TEST_CASE("cues with erased neurons are recalled from, by every kernel to the same state") {
  const TemporaryDirectory directory;
  const Example example;
  std::vector<std::int8_t> masked = example.patterns, mask(kPatterns * kNeurons);
  std::vector<std::uint8_t> cut_bits = as_bits(example.patterns);
  for (std::size_t i = 0; i < masked.size(); ++i)
    if (i % kNeurons >= 30) masked[i] = 0, mask[i] = 1;
  support::write_npy(directory / "p.npy", {{kPatterns, kNeurons}, example.patterns});
  support::write_npy(directory / "zeros.npy", {{kPatterns, kNeurons}, masked});
  support::write_npy(directory / "bits.npy", {{kPatterns, kNeurons}, cut_bits});
  support::write_npy(directory / "mask.npy", {{kPatterns, kNeurons}, mask});
  support::write_npy(directory / "row.npy",
                     {{kNeurons}, std::vector<std::int8_t>(mask.begin(), mask.begin() + kNeurons)});
  const auto run = [&](const std::string& words) {
    std::filesystem::remove(directory / "r.h5");
    return recall("--model dense:3 --patterns " + directory / "p.npy" + " --out " + directory / "r.h5" + words);
  };
  const std::string zeros = " --cues " + directory / "zeros.npy";
  const std::string start = GENERATE("random", "field"), clamp = GENERATE("", " --clamp");
  const std::string how = " --erased " + start + clamp;
  const Ran expected = run(zeros + how + " --kernel reference");
  INFO(how << "\n" << expected.err << expected.out);
  REQUIRE(expected.code == 0);
  const auto file = core::Hdf5File::open(directory / "r.h5");
  CHECK(integers(file, "/recall/erased") == std::vector<std::int64_t>(kPatterns, 20));
  const auto states = std::get<std::vector<std::int8_t>>(file.read_array("/states", 1 << 20).values);
  if (!clamp.empty())
    for (std::size_t i = 0; i < masked.size(); ++i) CHECK((masked[i] == 0 || states[i] == masked[i]));
  if (start == "field") CHECK(states == example.patterns);
  for (const dam::Kernel& kernel : dam::kernels())
    if (kernel.available()) CHECK(run(zeros + how + " --kernel " + kernel.name).out == expected.out);
  for (const char* file_of_mask : {"mask.npy", "row.npy"})
    CHECK(run(" --cues " + directory / "bits.npy" + " --mask " + directory / file_of_mask + how).out == expected.out);
}

TEST_CASE("what is said of cues that may be meant otherwise") {
  const TemporaryDirectory directory;
  const Example example;
  support::write_npy(directory / "p.npy", {{kPatterns, kNeurons}, example.patterns});
  support::write_npy(directory / "bits.npy", {{kPatterns, kNeurons}, as_bits(example.patterns)});
  const auto run = [&](const std::string& patterns, const std::string& cues) {
    std::filesystem::remove(directory / "r.h5");
    return recall("--patterns " + directory / patterns + " --cues " + directory / cues + " --out " +
                  directory / "r.h5");
  };
  CHECK_THAT(run("p.npy", "bits.npy").err,
             Catch::Contains("warning: patterns are -1, +1 and cues 0, 1: their 0 is read as -1"));
  CHECK_THAT(run("p.npy", "p.npy").err, !Catch::Contains("warning"));
  CHECK_THAT(run("bits.npy", "bits.npy").err, !Catch::Contains("warning"));
  const Ran clamped = run("p.npy", "p.npy --clamp");
  CHECK(clamped.code == 2);
  CHECK_THAT(clamped.err, Catch::Contains("--clamp: no cue has an erased neuron"));
  auto zero = example.patterns;
  zero[3] = 0;
  support::write_npy(directory / "zero.npy", {{kPatterns, kNeurons}, zero});
  CHECK_THAT(
      run("zero.npy", "p.npy").err,
      Catch::Contains("zero.npy: value 0 at row 0, neuron 3 stands among -1 and +1; only cues have erased neurons"));
}

TEST_CASE("what people brought gives the right answers") {
  const TemporaryDirectory directory;
  const std::string brought = std::string(DAMBENCH_FIXTURES) + "/brought/";
  const auto run = [&](const std::string& patterns, const std::string& cues, const std::string& words = "") {
    std::filesystem::remove(directory / "r.h5");
    const Ran ran = recall("--patterns " + brought + patterns + " --cues " + brought + cues + " --out " +
                           directory / "r.h5" + words);
    return ran.code == 0 ? ran.out : ran.err;
  };
  const std::string row = "0             -436             -812       2       6        yes         0    1.0000";
  for (const char* file : {"p.npy", "p_i4.npy", "p_i2.npy", "p_u4.npy", "p_f2.npy", "p_be_i8.npy", "p.csv", "p.npz",
                           "p.npy.gz", "m5.mat", "lzf.h5"}) {
    INFO(file);
    CHECK_THAT(run(file, "c.npy"), Catch::Contains(row));
  }
  // Stored with their mirror images: odd powers cancel, before and after.
  CHECK_THAT(run("pm.npy", "pmc.npy", " --model dense:111"),
             Catch::Contains("0                0                0 ") && !Catch::Contains("nan"));
  CHECK_THAT(run("high_p.npy", "high_c.npy", " --model dense:110"), Catch::Contains("-9.0909091e+327"));
  // Half of the neurons erased: back to the patterns.
  for (const char* words : {" --erased field", " --erased field --clamp"})
    CHECK_THAT(run("p.npy", "c_mask.npy", words),
               Catch::Contains("-812       1       0        yes         0    1.0000"));
  const Ran pictures =
      run_shell(std::string(DAM_PROGRAM) + " patterns --format csv --patterns file:" + brought + "pictures.npy");
  // N, K, mean, <x>, standard deviation: NumPy's of the flattened array.
  CHECK_THAT(pictures.out, Catch::Contains(",25,100,-0.0088,-0.000711") && Catch::Contains(",0.19740"));
}

TEST_CASE("one row of numbers is said to be one pattern, and how it becomes many") {
  const TemporaryDirectory directory;
  const Example example;
  const std::string row = directory / "row.npy";
  support::write_npy(row, {{kPatterns * kNeurons}, example.patterns});
  const std::string words = "--patterns " + row + " --cues " + row + " --out " + directory / "r.h5";
  CHECK_THAT(recall(words).err, Catch::Contains("one pattern of 300 neurons; where it is rows of N, --size N"));
  const Ran cut = recall("--patterns " + row + " --cues " + row + " --size 50 --out " + directory / "cut.h5");
  INFO(cut.err);
  CHECK(cut.code == 0);
  CHECK_THAT(cut.err, !Catch::Contains("one pattern"));
  CHECK_THAT(cut.out, Catch::Contains("     5  "));  // the sixth cue
}

TEST_CASE("patterns in columns are suspected where their number is the cues' neurons") {
  const TemporaryDirectory directory;
  const Example example;
  support::write_npy(directory / "columns.npy", {{kNeurons, kPatterns}, example.patterns});
  support::write_npy(directory / "rows.npy", {{kPatterns, kNeurons}, example.patterns});
  CHECK_THAT(recall("--patterns " + directory / "columns.npy" + " --cues " + directory / "rows.npy" + " --out " +
                    directory / "r.h5")
                 .err,
             Catch::Contains("patterns have 6 neurons a row, cues have 50; do the patterns stand in columns?"));
}
