// What a user at the keyboard meets: exit codes, one clear line for bad input, nothing lost.
#include <catch2/catch.hpp>
#include <fstream>

#include "results/result_file.h"
#include "tests/support/run_program.h"

using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

Ran run_dam(const std::string& words) { return run_shell(std::string(DAM_PROGRAM) + " " + words); }

/// One line on stderr, nothing on stdout, this exit code, and the words that help.
void check_refusal(const Ran& ran, int code, const std::string& words) {
  INFO(ran.err);
  CHECK(ran.code == code);
  CHECK(ran.out.empty());
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  CHECK_THAT(ran.err, Catch::Contains(words));
}

struct Bad {
  const char* words;
  const char* answer;
};

}  // namespace

TEST_CASE("bad options are answered in one line that says what is accepted") {
  const TemporaryDirectory directory;
  const std::string out = " --quiet --out " + directory / "x.h5";
  const Bad bad = GENERATE(values<Bad>({
      {"capacity --size 16 --degree 2 --colour red", "unrecognised option '--colour'"},
      {"capacity --size 16 --degree 2 red", "no words without a dash"},
      {"capacity --degree 2", "--size is missing"},
      {"capacity --size 16", "a model is missing"},
      {"capacity --size '' --degree 2", "empty item"},
      {"capacity --size 64:32:x2 --degree 2", "reversed"},
      {"capacity --size 1 --degree 2", "--size: 1 is below the smallest value, 2"},
      {"capacity --size 16 --degree 1", "--degree: 1 is below the smallest value, 2"},
      {"capacity --size 16 --degree 2 --alpha 0", "--alpha: 0 is outside (0, 1]"},
      {"capacity --size 16 --degree 2 --alpha 1.5", "--alpha: 1.5 is outside (0, 1]"},
      {"capacity --size 16 --degree 2 --beta 0", "--beta: 0 is outside (0, 1]"},
      {"capacity --size 16 --degree 2 --beta 1.01", "--beta: 1.01 is outside (0, 1]"},
      {"capacity --size 16 --degree 2 --beta 1", "finite number of trials"},
      {"capacity --size 16 --degree 2 --model hopfield", "give one of them"},
      {"capacity --size 16 --model krotov", "hopfield, dense:N"},
      {"capacity --size 16 --model dense:1", "integer from 2"},
      {"capacity --size 16 --separation power:2 --similarity euclidean", "degenerate"},
      {"capacity --size 16 --separation relu-power:3 --similarity euclidean", "degenerate"},
      {"capacity --size 16 --separation power:3 --shaping log", "degenerate"},
      {"capacity --size 16 --degree 3 --similarity cosine", "--similarity goes with --separation"},
      {"capacity --sweep 'size=16 model=dense:3 shaping=log'", "--shaping goes with --separation"},
      {"capacity --size 16 --degree 2 --rule sometimes", "derivative, energy"},
      {"capacity --size 16 --degree 2 --order up", "random, sequential, replacement, synchronous"},
      {"capacity --size 16 --degree 2 --tie knot", "keep, plus, minus, random"},
      {"capacity --size 16 --degree 2 --self-coupling maybe", "removed, kept"},
      {"capacity --size 16 --degree 2 --success soon", "exact"},
      {"capacity --size 16 --degree 2 --patterns plaid", "iid, biased:P"},
      {"capacity --size 16 --degree 2 --patterns 8,16", "--num-patterns"},
      {"capacity --size 16 --degree 2 --precision 0", "--precision: 0 is outside"},
      {"capacity --size 16 --degree 2 --trials -4", "--trials: -4 is below 1"},
      {"capacity --size 16 --degree 2 --seed x", "not an integer"},
      {"capacity --size 16 --degree 2 --threads 0", "--threads: 0 is below 1"},
      {"capacity --size 16 --degree 2 --kernel warp", "reference"},
      {"capacity --size 16 --degree 2 --time-limit soon", "--time-limit: 'soon'"},
      {"capacity --size 16 --degree 2 --max-memory much", "--max-memory: 'much'"},
      {"capacity --size 16 --degree 2 --shard 0/3", "--shard: '0/3' is not PART/PARTS"},
      {"curve --size 16 --degree 2 --num-patterns 2 --shard 4/3", "--shard: '4/3'"},
      {"capacity --size 16 --degree 2 --shard 2", "--shard: '2'"},
      {"capacity --sweep 'model=dense:3 length=4'", "--sweep: 'length=4'"},
      {"capacity --spec /dev/zero", "--spec: /dev/zero: is longer than the limit"},
      {"capacity --size 2:1000:+1 --degree 2:100:+1 --alpha 0.5,1", "the grid has more than 65536 configurations"},
      {"capacity --spec /nonexistent.ini", "--spec: /nonexistent.ini: cannot be read"},
      {"capacity --size 16 --degree 2 --trials 10", "--trials: 10 is less than one batch"},
      {"capacity --size 16 --degree 2 --cues 1000 --trials 20000", "--trials: 20000 is less than one batch"},
      {"capacity --size 16 --degree 2 --trials 9223372036854775807", "above the largest value"},
      {"capacity --size 16 --degree 2 --max-patterns 9223372036854775807", "above the largest value"},
      {"curve --size 16 --degree 2 --num-patterns 4 --trials 9223372036854775807", "above the largest value"},
      {"curve --size 16 --degree 2 --num-patterns 4 --trials 1e12", "batches of 32 pattern sets"},
      {"curve --size 2:257:+1 --degree 2:257:+1 --num-patterns 1:1000:+1", "batches of 32 pattern sets"},
      {"curve --size 64 --degree 2 --num-patterns 1000000000000000000", "above the largest value"},
      {"curve --size 1048576 --degree 2 --num-patterns 1000000000000 --threads 4096", "needs"},
      {"curve --size 65536 --degree 2 --num-patterns 4 --patterns low-rank:1000000:1", "needs"},
      {"curve --size 16 --degree 2", "--num-patterns is missing"},
      {"curve --size 16 --degree 2 --num-patterns 0", "--num-patterns: 0 is below the smallest value, 1"},
      {"curve --size 1000 --degree 2 --num-patterns 1000000000 --max-memory 1G", "needs"},
  }));
  INFO(bad.words);
  check_refusal(run_dam(bad.words + out), 2, bad.answer);
  CHECK_FALSE(std::filesystem::exists(directory / "x.h5"));
}

TEST_CASE("an unknown verb names the verbs; no verb prints the list") {
  check_refusal(run_dam("measure"), 2, "the verbs are capacity, curve, recall");
  const Ran ran = run_dam("");
  CHECK(ran.code == 2);
  CHECK_THAT(ran.err, Catch::Contains("capacity"));
}

TEST_CASE("help is printed for every verb the list names") {
  const Ran list = run_dam("help");
  REQUIRE(list.code == 0);
  const auto* verb =
      GENERATE("capacity", "curve", "recall", "theory", "fit", "report", "status", "merge", "export", "selftest");
  CHECK_THAT(list.out, Catch::Contains(std::string("  ") + verb + " "));
  const Ran page = run_dam(std::string(verb) + " --help");
  CHECK(page.code == 0);
  CHECK_THAT(page.out, Catch::Contains(std::string("usage: dam ") + verb));
  CHECK(page.err.empty());
}

TEST_CASE("the manual is what the programs print") {
  const std::string manual = run_dam("help all").out + "\n" + run_shell(std::string(HAM_PROGRAM) + " help all").out;
  CHECK(manual == support::slurp(std::string(DAMBENCH_SOURCE) + "/experiments/USAGE.md"));
  for (const std::string page : {"models", "data", "training", "arrays"}) {
    INFO(page);
    CHECK(run_shell(std::string(HAM_PROGRAM) + " help " + page).out ==
          support::slurp(std::string(DAMBENCH_SOURCE) + "/experiments/manual/" + page + ".md"));
  }
}

TEST_CASE("an output that cannot be written is said before anything is measured") {
  check_refusal(run_dam("capacity --size 16 --degree 2 --quiet --out /nonexistent/x.h5"), 1, "/nonexistent/x.h5");
  check_refusal(run_dam("capacity --size 16 --degree 2 --quiet --out /"), 1, "/");
}

TEST_CASE("what destroys a result file or names it twice is refused") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5", link = directory / "link.h5";
  const std::string curve = "curve --size 16 --degree 2 --num-patterns 2 --trials 32 --quiet --out ";
  REQUIRE(run_dam(curve + path).code == 0);
  const std::string before = support::slurp(path), patterns = DAMBENCH_FIXTURES "/patterns_int8.npy";
  check_refusal(run_dam("recall --patterns " + patterns + " --cues " + patterns + " --out " + path), 4,
                "is a result file");
  CHECK(support::slurp(path) == before);
  // A link is the file behind it: continued, not replaced.
  std::filesystem::create_symlink(path, link);
  REQUIRE(run_dam(curve + link).code == 0);
  CHECK(std::filesystem::is_symlink(link));
  CHECK(results::read(path).table("batches").rows() == 1);
}

TEST_CASE("a file of another spec is refused with the difference, and stays as it was") {
  const TemporaryDirectory directory;
  const std::string out = " --quiet --out " + directory / "a.h5";
  REQUIRE(run_dam("curve --size 16 --degree 2 --num-patterns 2,3 --trials 32" + out).code == 0);
  const std::string before = support::slurp(directory / "a.h5");
  const Ran ran = run_dam("curve --size 16 --degree 2 --num-patterns 2,4 --trials 32" + out);
  CHECK(ran.code == 4);
  CHECK_THAT(ran.err, Catch::Contains("- num_patterns = 2,3"));
  CHECK_THAT(ran.err, Catch::Contains("+ num_patterns = 2,4"));
  CHECK(support::slurp(directory / "a.h5") == before);
}

TEST_CASE("foreign, truncated and missing files are refused in one line") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  REQUIRE(run_dam("curve --size 16 --degree 2 --num-patterns 2 --trials 32 --quiet --out " + path).code == 0);
  const std::string whole = support::slurp(path);
  const std::string content = GENERATE_COPY(std::string(), std::string("N,K\n1,2\n"), whole.substr(0, whole.size() / 2),
                                            whole.substr(0, whole.size() - 1));
  std::ofstream(path, std::ios::binary) << content;
  const auto* verb = GENERATE("status ", "export ", "fit ", "merge -o y.h5 ");
  check_refusal(run_dam(verb + path), 1, path);
  check_refusal(run_dam("status " + directory / "none.h5"), 1, "none.h5");
  CHECK(support::slurp(path) == content);
}

TEST_CASE("among other files, result files are described and reported; what is passed over is said") {
  const TemporaryDirectory directory;
  const std::string patterns = DAMBENCH_FIXTURES "/patterns_int8.npy", curve = directory / "curve.h5";
  REQUIRE(run_dam("curve --size 16 --degree 2 --num-patterns 2,4 --trials 32 --quiet --out " + curve).code == 0);
  REQUIRE(run_dam("recall --patterns " + patterns + " --cues " + patterns + " --out " + directory / "recall.h5").code ==
          0);
  const std::string both = directory / "recall.h5 " + curve;
  const Ran status = run_dam("status " + both), report = run_dam("report " + both + " -o " + directory / "page.html");
  for (const Ran& ran : {status, report}) {
    CHECK(ran.code == 0);
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK_THAT(ran.err, Catch::StartsWith("passed over: ") && Catch::Contains("recall.h5"));
  }
  CHECK_THAT(status.out, Catch::Contains("2 points"));
  CHECK(std::filesystem::exists(directory / "page.html"));
  const Ran first_table = run_dam("export " + curve);
  CHECK(first_table.code == 0);
  CHECK_THAT(first_table.out, Catch::Contains("success_probability"));
}

TEST_CASE("a spec file sets options and the command line wins") {
  const TemporaryDirectory directory;
  std::ofstream(directory / "s.ini") << "size = 16\ndegree = 2\nnum-patterns = 2\ntrials = 32\nseed = 5\n";
  const Ran ran =
      run_dam("curve --json --quiet --seed 6 --spec " + directory / "s.ini" + " --out " + directory / "a.h5");
  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Catch::Contains("seed=6"));
  CHECK(ran.err.empty());
  std::ofstream(directory / "bad.ini") << "size = 16\ncolour = red\n";
  check_refusal(run_dam("curve --spec " + directory / "bad.ini"), 2, "colour");
}

TEST_CASE("a spec file may begin with a byte-order mark") {
  const TemporaryDirectory directory;
  const std::string words = "size = 16,24\ndegree = 2\nprecision = 0.2\n";
  const auto table = [&](const std::string& text) {
    std::ofstream(directory / "s.ini") << text;
    std::filesystem::remove(directory / "o.h5");
    return run_shell(std::string(DAM_PROGRAM) + " capacity --quiet --spec " + directory / "s.ini" + " --out " +
                     directory / "o.h5");
  };
  const Ran plain = table(words), marked = table("\xef\xbb\xbf" + words);
  INFO(marked.err);
  CHECK(plain.code == 0);
  CHECK(marked.code == 0);
  CHECK(marked.out == plain.out);
}

TEST_CASE("a point of a grid that cannot be computed is left out in one line, the others run") {
  const TemporaryDirectory directory;
  const auto run = [&](const std::string& words) {
    std::filesystem::remove(directory / "o.h5");
    return run_shell(std::string(DAM_PROGRAM) + " capacity --size 16 --precision 0.2 --threads 1 " + words + " --out " +
                     directory / "o.h5");
  };
  const Ran both = run("--degree 2,1000");
  INFO(both.err);
  CHECK(both.code == 0);
  CHECK_THAT(both.out, Catch::Contains("\nhopfield ") && Catch::Contains("\ndense:1000 "));
  const Ran one = run("--model hopfield,exponential:1e17");
  INFO(one.err);
  CHECK(one.code == 0);
  CHECK_THAT(one.err, Catch::Contains("left out: model 'exponential:1e+17' at N = 16: its parameter times 4N is above "
                                      "1e18, beyond what can be computed\n"));
  CHECK_THAT(one.out, Catch::Contains("\nhopfield "));
  const Ran none = run("--model exponential:1e17");
  CHECK(none.code == 2);
  CHECK_THAT(none.err, Catch::Contains("--model: model 'exponential:1e+17' at N = 16"));
}
