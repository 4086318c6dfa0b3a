// How a network is trained: one table of recipes, every number of which can be changed by name.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ham/data/augmentation.h"
#include "ham/network/synapses.h"
#include "ham/training/training.h"

namespace ham {

/// How the learning rate goes from the first step to the last.
struct Schedule {
  bool cosine = false;  ///< falls as half a cosine after the warm-up, rather than staying
  double warm_up = 0;   ///< share of all steps in which it grows linearly
  double last = 0;      ///< share of the peak that a cosine ends at
  static constexpr int kMostDrops = 8;
  std::array<double, kMostDrops> drops{};  ///< shares of all steps at which the rate is multiplied by `drop`
  int num_drops = 0;
  double drop = 1;

  /// The rate of step `step` of `steps`, as a share of the peak.
  double share(long step, long steps) const;
  /// Whether the number of steps matters.
  bool needs_length() const { return cosine || warm_up > 0 || num_drops > 0; }
};

/// Everything about training that is not the network, the data, the number of epochs or the seed.
struct Recipe {
  std::string name;
  AdamWOptions optimizer;
  int batch = 400;
  Schedule schedule;
  double averaging = 0;                 ///< decay per step of the weights' running average that is scored; 0: none
  UnitNorm norm = UnitNorm::per_block;  ///< of memories that have a unit norm
  double hidden_beta = 0;               ///< where the β of hidden units starts; 0: where the model says
  std::string augmentation = "code";    ///< a row of the table of augmentations
};

/// `paper`: the text of Hoover et al. 2022; `code`: their first public code; `ours`: what trains better in a
/// hundred epochs (README.md has shorter ones).
std::span<const Recipe> recipes();

/// The recipe of this name; throws std::invalid_argument that lists the names.
const Recipe& recipe(std::string_view name);

/// What the recipe does to images: `none`, or what `paper`, `code` or `ours` do to images of this many channels.
Augmentation augmentation(const Recipe& recipe, int channels);

/// The words that Recipe::augmentation may be.
std::vector<std::string> augmentation_names();

/// One number or word of a recipe, by name.
struct RecipeSwitch {
  const char* name;
  const char* help;
  /// Throws std::invalid_argument that says what is accepted.
  void (*set)(Recipe& recipe, std::string_view text);
  std::string (*text)(const Recipe& recipe);
};
std::span<const RecipeSwitch> recipe_switches();

}  // namespace ham
