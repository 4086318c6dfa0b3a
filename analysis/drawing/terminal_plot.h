// A panel of a figure as text: lines in braille dots, points as markers, for terminals.
#pragma once

#include <string>

#include "analysis/drawing/figure.h"

namespace analysis {

/// Draws a panel `width` by `height` characters large (axes and legend not counted) with a title, tics and a legend.
///
/// Bounds are drawn as ▵ and ▿, searches out of budget as ○. Throws std::invalid_argument when nothing is finite, or
/// when the panel has categories or is smaller than 8 by 4 characters.
std::string terminal_plot(const Panel& panel, int width = 60, int height = 16);

}  // namespace analysis
