#include "ham/training/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "core/numbers.h"

namespace ham {
namespace {

const Recipe kRecipes[] = {
    {.name = "paper", .optimizer = {.beta2 = 0.99}, .norm = UnitNorm::joint, .augmentation = "paper"},
    {.name = "code"},
    {.name = "ours",
     .schedule = {.cosine = true, .warm_up = 0.05},
     .averaging = 0.998,
     .hidden_beta = 0.5,
     .augmentation = "ours"},
};

// The paper's Table 2; its first public code resized by bilinear interpolation only.
constexpr std::array kBoth = {Filter::bilinear, Filter::bicubic};
constexpr Augmentation
    kGrey = {.scale = {0.9, 1}, .ratio = {3. / 4, 4. / 3}, .filters = kBoth, .jitter = 0.4, .erase = 0.1},
    kColour = {
        .scale = {0.2, 1}, .ratio = {3. / 4, 4. / 3}, .filters = kBoth, .flip = 0.5, .jitter = 0.5, .erase = 0.2};

constexpr Augmentation kGreyCrops = {.scale = {0.8, 1}, .ratio = {3. / 4, 4. / 3}, .filters = kBoth},
                       kColourCrops = {.scale = {0.5, 1}, .ratio = {3. / 4, 4. / 3}, .filters = kBoth, .flip = 0.5};

constexpr Augmentation bilinear(Augmentation augmentation) {
  augmentation.filters = {Filter::bilinear, Filter::bilinear};
  return augmentation;
}

constexpr Affine kAffine = {.rotate = 15, .shear = 10, .zoom = 0.15, .shift = 0.08};

struct NamedAugmentation {
  const char* name;
  Augmentation grey, colour;
};
const NamedAugmentation kAugmentations[] = {
    {"none", {}, {}},
    {"paper", kGrey, kColour},
    {"code", bilinear(kGrey), bilinear(kColour)},
    {"ours", kGreyCrops, kColourCrops},
    {"affine", {.affine = kAffine}, {.affine = kAffine, .flip = 0.5}},
};

template <class Entries>
const auto& choose(const Entries& entries, std::string_view given, auto name_of) {
  std::string names;
  for (const auto& entry : entries) {
    if (given == name_of(entry)) return entry;
    names += (names.empty() ? "" : ", ") + std::string(name_of(entry));
  }
  throw std::invalid_argument(fmt::format("'{}' is not one of {}", given, names));
}

double number(std::string_view text, double low, double high) {
  const double value = core::parse_double(text, "value");
  if (!(value >= low && value <= high))
    throw std::invalid_argument(
        fmt::format("{} is outside [{}, {}]", text, core::number_text(low), core::number_text(high)));
  return value;
}

// AdamW divides its means by 1 − βᵗ, which is 0 at β = 1.
double memory(std::string_view text) {
  const double value = number(text, 0, 1);
  if (value == 1)
    throw std::invalid_argument(
        "1 would remember the first gradient for ever and divide by 1 - 1 = 0; accepted are numbers from 0 to below 1");
  return value;
}

constexpr std::pair<const char*, UnitNorm> kNorms[] = {{"joint", UnitNorm::joint}, {"per_block", UnitNorm::per_block}};

constexpr std::string_view kStep = "step:";

/// `constant`, `cosine`, or `step:0.5/0.75:0.1`: shares of training after which the rate is multiplied.
void set_schedule(Schedule& schedule, std::string_view text) {
  Schedule changed{.warm_up = schedule.warm_up, .last = schedule.last};
  const auto fail = [&] {
    throw std::invalid_argument(fmt::format(
        "'{}' is not one of constant, cosine, step:SHARES:FACTOR (shares of training in rising order, such as "
        "step:0.5/0.75:0.1)",
        text));
  };
  if (text.starts_with(kStep)) {
    const std::string_view rest = text.substr(kStep.size());
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) fail();
    for (std::size_t begin = 0; begin <= colon;) {
      const std::size_t end = std::min(rest.find('/', begin), colon);
      const double share = number(rest.substr(begin, end - begin), 0, 1);
      const int count = changed.num_drops;
      if (count == Schedule::kMostDrops || (count > 0 && share <= changed.drops[count - 1])) fail();
      changed.drops[changed.num_drops++] = share;
      begin = end + 1;
    }
    changed.drop = number(rest.substr(colon + 1), 0, 1);
  } else if (text == "cosine") {
    changed.cosine = true;
  } else if (text != "constant") {
    fail();
  }
  schedule = changed;
}

std::string schedule_text(const Schedule& schedule) {
  if (schedule.num_drops == 0) return schedule.cosine ? "cosine" : "constant";
  std::string shares;
  for (int i = 0; i < schedule.num_drops; ++i) shares += (i ? "/" : "") + core::number_text(schedule.drops[i]);
  return fmt::format("{}{}:{}", kStep, shares, core::number_text(schedule.drop));
}

// A switch that is one number in [low, high].
template <auto kMember, int kLow, int kHigh>
RecipeSwitch real(const char* name, const char* help) {
  return {name, help, [](Recipe& r, std::string_view text) { kMember(r) = number(text, kLow, kHigh); },
          [](const Recipe& r) { return core::number_text(kMember(const_cast<Recipe&>(r))); }};
}

constexpr auto kFirst = [](const auto& pair) { return pair.first; };

const RecipeSwitch kSwitches[] = {
    real<[](Recipe& r) -> double& { return r.optimizer.rate; }, 0, 10>("rate", "peak learning rate of AdamW"),
    {"beta1", "AdamW's memory of gradients, from 0 to below 1",
     [](Recipe& r, std::string_view text) { r.optimizer.beta1 = memory(text); },
     [](const Recipe& r) { return core::number_text(r.optimizer.beta1); }},
    {"beta2", "AdamW's memory of their squares, from 0 to below 1",
     [](Recipe& r, std::string_view text) { r.optimizer.beta2 = memory(text); },
     [](const Recipe& r) { return core::number_text(r.optimizer.beta2); }},
    real<[](Recipe& r) -> double& { return r.optimizer.weight_decay; }, 0, 10>("decay", "decoupled weight decay"),
    {"batch", "images per step",
     [](Recipe& r, std::string_view text) {
       const std::int64_t batch = core::parse_integer(text, "value");
       if (batch < 1 || batch > 1000000) throw std::invalid_argument(fmt::format("{} is outside [1, 1e6]", batch));
       r.batch = static_cast<int>(batch);
     },
     [](const Recipe& r) { return std::to_string(r.batch); }},
    {"schedule",
     "learning rate after the warm-up: constant, cosine, or step:0.5/0.75:0.1 (times 0.1 at half and three quarters)",
     [](Recipe& r, std::string_view text) { set_schedule(r.schedule, text); },
     [](const Recipe& r) { return schedule_text(r.schedule); }},
    real<[](Recipe& r) -> double& { return r.schedule.warm_up; }, 0, 1>("warm-up",
                                                                        "share of all steps in which the rate grows"),
    real<[](Recipe& r) -> double& { return r.schedule.last; }, 0, 1>("last-rate",
                                                                     "share of the peak rate that cosine ends at"),
    real<[](Recipe& r) -> double& { return r.averaging; }, 0, 1>(
        "averaging", "decay per step of the running average of weights that is scored, 0 for none"),
    {"norm", "unit norm of memories that have one: joint or per_block",
     [](Recipe& r, std::string_view text) { r.norm = choose(kNorms, text, kFirst).second; },
     [](const Recipe& r) { return std::string(kNorms[r.norm == UnitNorm::per_block].first); }},
    real<[](Recipe& r) -> double& { return r.hidden_beta; }, 0, 1000000>(
        "hidden-beta", "where the beta of hidden units starts, 0 for where the model says"),
    {"augment", "what is done to training images: none, paper, code, ours, affine",
     [](Recipe& r, std::string_view text) {
       r.augmentation = choose(kAugmentations, text, [](const NamedAugmentation& a) { return a.name; }).name;
     },
     [](const Recipe& r) { return r.augmentation; }},
};

}  // namespace

double Schedule::share(long step, long steps) const {
  const double at = static_cast<double>(step) / static_cast<double>(steps);
  if (at < warm_up) return static_cast<double>(step + 1) / (warm_up * static_cast<double>(steps));
  if (!cosine)
    return std::pow(
        drop, std::count_if(drops.begin(), drops.begin() + num_drops, [at](double share) { return at >= share; }));
  return last + (1 - last) * (1 + std::cos(std::numbers::pi * (at - warm_up) / (1 - warm_up))) / 2;
}

std::span<const Recipe> recipes() { return kRecipes; }

const Recipe& recipe(std::string_view name) {
  return choose(kRecipes, name, [](const Recipe& r) { return std::string_view(r.name); });
}

Augmentation augmentation(const Recipe& recipe, int channels) {
  const NamedAugmentation& found =
      choose(kAugmentations, recipe.augmentation, [](const NamedAugmentation& a) { return a.name; });
  return channels == 1 ? found.grey : found.colour;
}

std::vector<std::string> augmentation_names() {
  std::vector<std::string> names;
  for (const NamedAugmentation& each : kAugmentations) names.emplace_back(each.name);
  return names;
}

std::span<const RecipeSwitch> recipe_switches() { return kSwitches; }

}  // namespace ham
