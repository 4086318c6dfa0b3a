// The verbs of `dam`, one file each: dam_<verb>.cpp.
#pragma once

#include "experiments/command_line/cli.h"

namespace experiments {

extern const Verb kCapacity, kCurve, kRecall, kTheory, kPatterns, kFit, kReport, kStatus, kMerge, kExport, kSelftest;

}  // namespace experiments
