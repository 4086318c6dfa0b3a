// Catch2's main, plus the one seed that every random test starts from: printed, and taken back by --rng-seed.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <cstdio>

int main(int argc, char** argv) {
  Catch::Session session;
  if (const int error = session.applyCommandLine(argc, argv); error != 0) return error;
  if (session.configData().rngSeed == 0) session.configData().rngSeed = 20160606;
  std::printf("random tests use --rng-seed %u\n", session.configData().rngSeed);
  return session.run();
}
