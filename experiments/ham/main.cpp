// The `ham` program: hierarchical associative memories from the command line.
#include "experiments/ham/verbs.h"

int main(int argc, char** argv) {
  using namespace experiments;
  static const Verb verbs[] = {kDescribe, kTrain,      kEval,    kPredict, kTable1,
                               kDream,    kRobustness, kInspect, kTrim,    kData};
  return run_program(
      {"ham", "ham runs hierarchical associative memories: layers with Lagrangians, hypersynapses, one energy.", verbs,
       kTopics},
      argc, argv);
}
