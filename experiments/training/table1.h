// The classification table of Hoover et al. 2022 (HAMUX): the paper's numbers, and ours beside them.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "analysis/tables/tables.h"
#include "experiments/training/run.h"

namespace experiments {

/// Switches of a recipe and their values, `{"batch", "100"}`.
using RecipeSwitches = std::vector<std::pair<const char*, const char*>>;

/// One number of the paper's table: top-1 (%), the best of 100 and of 600 epochs.
struct PaperCell {
  const char* name;
  const char* data;
  const char* model;
  double paper, paper_600;
  int seeds;            // trained unless told otherwise
  RecipeSwitches ours;  // what recipe `ours` sets here besides
};

std::span<const PaperCell> paper_cells();

/// The recipe as this cell takes it: `ours` with the cell's own switches, any other as it is.
ham::Recipe recipe_of(const PaperCell& cell, ham::Recipe recipe);

/// Adds a run that was asked for `epochs` epochs to a table `table1` (results/schema.h).
void push_run(results::Table& table, const PaperCell& cell, long epochs, const TrainingSummary& summary);

/// The table for people: one line for every cell and recipe, seeds put together.
analysis::TextTable table1_text(const results::Table& runs);

}  // namespace experiments
