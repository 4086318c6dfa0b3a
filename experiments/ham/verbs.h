// The verbs of `ham`, one file each: ham_<verb>.cpp.
#pragma once

#include "experiments/command_line/cli.h"

namespace experiments {

extern const Verb kData, kDescribe, kDream, kEval, kInspect, kRobustness, kTable1, kTrain, kTrim;

}  // namespace experiments
