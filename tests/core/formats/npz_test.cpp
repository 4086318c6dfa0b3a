#include "core/formats/npz.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "core/files/file.h"
#include "tests/support/run_program.h"
#include "tests/support/write_arrays.h"

using core::NumericArray;

TEST_CASE("NumPy reads the arrays of an NPZ file, names, shapes, types and numbers") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "weights.npz";
  support::write_npz(path, {{"memory.W0", NumericArray({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6.5f})},
                            {"β", NumericArray({}, std::vector<double>{0.25})}});
  const support::Ran ran = support::run_shell(
      "/usr/bin/python3 -c 'import numpy, sys; a = numpy.load(sys.argv[1]); "
      "print(sorted(a), a[\"memory.W0\"].tolist(), a[\"memory.W0\"].dtype, a[\"β\"].shape, a[\"β\"])' " +
      path);
  INFO(ran.err);
  CHECK(ran.out == "['memory.W0', 'β'] [[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]] float32 () 0.25\n");
}

TEST_CASE("equal arrays give equal NPZ bytes, and a directory that is not there is named") {
  const support::TemporaryDirectory directory;
  const std::vector<std::pair<std::string, NumericArray>> arrays = {{"a", NumericArray({1}, std::vector<float>{1})}};
  support::write_npz(directory / "1.npz", arrays);
  support::write_npz(directory / "2.npz", arrays);
  CHECK(core::read_file(directory / "1.npz", 1 << 20) == core::read_file(directory / "2.npz", 1 << 20));
  CHECK_THROWS_WITH(support::write_npz(directory / "none/3.npz", arrays), Catch::Contains("none/3.npz: "));
}
