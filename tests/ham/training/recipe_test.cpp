#include "ham/training/recipe.h"

#include <algorithm>
#include <catch2/catch.hpp>

using ham::Recipe;

TEST_CASE("every switch reads back what it writes, for every recipe") {
  for (const Recipe& recipe : ham::recipes()) {
    Recipe copy = ham::recipe("code");
    for (const ham::RecipeSwitch& option : ham::recipe_switches()) {
      INFO(recipe.name << " " << option.name);
      option.set(copy, option.text(recipe));
      CHECK(option.text(copy) == option.text(recipe));
      CHECK_THROWS_AS(option.set(copy, "banana"), std::invalid_argument);
      CHECK_THROWS_AS(option.set(copy, "-1"), std::invalid_argument);
    }
    CHECK(copy.optimizer.rate == recipe.optimizer.rate);
    CHECK(copy.schedule.cosine == recipe.schedule.cosine);
    CHECK(copy.norm == recipe.norm);
  }
  CHECK_THROWS_WITH(ham::recipe("cake"), "'cake' is not one of paper, code, ours");
}

TEST_CASE("paper and code differ where the paper's text and its code do") {
  const Recipe &paper = ham::recipe("paper"), &code = ham::recipe("code");
  std::vector<std::string> different;
  for (const ham::RecipeSwitch& option : ham::recipe_switches())
    if (option.text(paper) != option.text(code)) different.push_back(option.name);
  CHECK(different == std::vector<std::string>{"beta2", "norm", "augment"});
  CHECK(paper.optimizer.beta2 == 0.99);
  CHECK(code.optimizer.rate == 1e-3);
  CHECK(code.optimizer.weight_decay == 1e-4);
  CHECK(code.batch == 400);
  CHECK_FALSE(code.schedule.needs_length());

  const ham::Augmentation grey = ham::augmentation(code, 1), colour = ham::augmentation(paper, 3);
  CHECK(grey.scale == std::array{0.9, 1.});
  CHECK(grey.flip == 0);
  CHECK(grey.jitter == 0.4);
  CHECK(grey.erase == 0.1);
  CHECK(grey.filters == std::array{ham::Filter::bilinear, ham::Filter::bilinear});
  CHECK(colour.scale == std::array{0.2, 1.});
  CHECK(colour.flip == 0.5);
  CHECK(colour.jitter == 0.5);
  CHECK(colour.erase == 0.2);
  CHECK(colour.filters == std::array{ham::Filter::bilinear, ham::Filter::bicubic});
}

TEST_CASE("a schedule warms up linearly to the peak and falls as half a cosine to its end") {
  const ham::Schedule constant, cosine{.cosine = true, .warm_up = 0.1, .last = 0.01};
  for (const long step : {0, 500, 999}) CHECK(constant.share(step, 1000) == 1);
  CHECK(cosine.needs_length());
  CHECK(cosine.share(0, 1000) == Approx(0.01));
  CHECK(cosine.share(49, 1000) == Approx(0.5));
  CHECK(cosine.share(99, 1000) == Approx(1));
  CHECK(cosine.share(100, 1000) == Approx(1));
  CHECK(cosine.share(550, 1000) == Approx(0.505));
  CHECK(cosine.share(1000, 1000) == Approx(0.01));
  double before = 1;
  for (long step = 101; step < 1000; ++step) {
    CHECK(cosine.share(step, 1000) < before);
    before = cosine.share(step, 1000);
  }
}

TEST_CASE("a stepped rate is multiplied at its shares of training") {
  ham::Recipe recipe = ham::recipe("code");
  const auto schedule =
      std::ranges::find(ham::recipe_switches(), std::string_view("schedule"), &ham::RecipeSwitch::name);
  schedule->set(recipe, "step:0.5/0.75:0.1");
  CHECK(schedule->text(recipe) == "step:0.5/0.75:0.1");
  CHECK(recipe.schedule.needs_length());
  CHECK(recipe.schedule.share(499, 1000) == 1);
  CHECK(recipe.schedule.share(500, 1000) == Approx(0.1));
  CHECK(recipe.schedule.share(749, 1000) == Approx(0.1));
  CHECK(recipe.schedule.share(750, 1000) == Approx(0.01));
  recipe.schedule.warm_up = 0.1;
  CHECK(recipe.schedule.share(49, 1000) == Approx(0.5));
  for (const char* wrong :
       {"step", "step:", "step:0.5", "step:0.5:2", "step:0.7/0.5:0.1", "step:0.5//0.7:0.1", "step:2:0.1"})
    CHECK_THROWS_AS(schedule->set(recipe, wrong), std::invalid_argument);
  CHECK(schedule->text(recipe) == "step:0.5/0.75:0.1");  // what is refused changes nothing
  schedule->set(recipe, "cosine");
  CHECK(recipe.schedule.num_drops == 0);
  CHECK(recipe.schedule.warm_up == 0.1);
}

TEST_CASE("AdamW's memories end below 1, and the cause is said") {
  ham::Recipe recipe = ham::recipe("code");
  for (const char* name : {"beta1", "beta2"}) {
    const auto beta = std::ranges::find(ham::recipe_switches(), std::string_view(name), &ham::RecipeSwitch::name);
    CHECK_THROWS_WITH(beta->set(recipe, "1"),
                      Catch::Contains("divide by 1 - 1 = 0") && Catch::Contains("from 0 to below 1"));
    CHECK_NOTHROW(beta->set(recipe, "0"));
    CHECK_NOTHROW(beta->set(recipe, "0.9999"));
  }
}
