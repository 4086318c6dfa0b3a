// The `dam` program: discrete dense associative memories from the command line.
#include "experiments/dam/verbs.h"

int main(int argc, char** argv) {
  using namespace experiments;
  static const Verb verbs[] = {kCapacity, kCurve,  kRecall, kTheory, kPatterns, kFit,
                               kReport,   kStatus, kMerge,  kExport, kSelftest};
  return run_program(
      {"dam",
       "dam measures how many patterns a dense associative memory stores: the alpha-beta capacity, with error bars.",
       verbs},
      argc, argv);
}
