// The classification table of Hoover et al. 2022 (HAMUX): the paper's numbers, and ours beside them.
#pragma once

#include <span>

#include "analysis/tables.h"
#include "experiments/training_run.h"

namespace experiments {

/// One number of the paper's table: top-1 (%), the best of 100 and of 600 epochs.
struct PaperCell {
  const char* name;
  const char* data;
  const char* model;
  double paper, paper_600;
  int seeds;  // trained unless told otherwise
};

std::span<const PaperCell> paper_cells();

/// Adds a run that was asked for `epochs` epochs to a table `table1` (results/schema.h).
void push_run(results::Table& table, const PaperCell& cell, long epochs, const TrainingSummary& summary);

/// The table for people: one line for every cell and recipe, seeds put together.
analysis::TextTable table1_text(const results::Table& runs);

}  // namespace experiments
