// The gnuplot program that draws a laid-out figure.
#pragma once

#include <string>

#include "analysis/drawing/layout.h"

namespace analysis {

/// Equal drawings give equal text.
std::string script(const Drawing& drawing, FigureFormat format);

}  // namespace analysis
