// Random numbers for tests, from the one seed that Catch prints.
#pragma once

#include <catch2/catch.hpp>
#include <random>

#include "ham/network/network.h"

namespace test {

template <class T>
std::vector<T> normal_numbers(std::mt19937& engine, long count, double scale = 1) {
  std::normal_distribution<double> normal;
  std::vector<T> numbers(count);
  for (T& x : numbers) x = static_cast<T>(scale * normal(engine));
  return numbers;
}

template <class T>
ham::States<T> normal_states(std::mt19937& engine, const ham::Network& network, int batch, double scale = 1) {
  ham::States<T> states = network.states<T>(batch);
  for (auto& state : states) state.values = normal_numbers<T>(engine, state.size(), scale);
  return states;
}

}  // namespace test
