// The verbs of `ham`, one file each: ham_<verb>.cpp.
#pragma once

#include "experiments/command_line/cli.h"

namespace experiments {

extern const Verb kData, kDescribe, kDream, kEval, kInspect, kPredict, kRobustness, kTable1, kTrain, kTrim;

/// Model files, data files, training, arrays of states.
extern const std::span<const Topic> kTopics;

}  // namespace experiments
