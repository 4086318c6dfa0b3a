#include "dam/states/spins.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

#include "core/numbers.h"

namespace dam {
namespace {

constexpr std::uint64_t kMostNeurons = 1 << 20;

/// Rows and neurons of an array's shape.
struct Shape {
  std::uint64_t rows = 1, neurons = 1;
};

Shape rows_of(const std::vector<std::uint64_t>& shape, std::uint64_t num_neurons) {
  Shape rows;
  if (shape.size() > 1) rows.rows = shape[0];
  for (std::size_t axis = shape.size() > 1; axis < shape.size(); ++axis) rows.neurons *= shape[axis];
  if (rows.rows == 1 && num_neurons > 0 && rows.neurons % num_neurons == 0)
    rows = {rows.neurons / num_neurons, num_neurons};
  if (shape.empty() || rows.rows < 1 || rows.neurons < 2 || rows.neurons > kMostNeurons)
    throw std::invalid_argument("has shape " + core::shape_text(shape) + "; patterns are rows of 2 to " +
                                std::to_string(kMostNeurons) + " neurons");
  return rows;
}

std::string place(std::size_t index, std::uint64_t neurons) {
  return " at row " + std::to_string(index / neurons) + ", neuron " + std::to_string(index % neurons);
}

double threshold_of(std::vector<double>& row, const Threshold& threshold) {
  switch (threshold.kind) {
    case Threshold::Kind::mean:
      return std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(row.size());
    case Threshold::Kind::median: {
      const auto middle = row.begin() + static_cast<std::ptrdiff_t>((row.size() - 1) / 2);
      std::nth_element(row.begin(), middle, row.end());
      return *middle;
    }
    default:
      return threshold.value;
  }
}

template <class T>
void cut(const std::vector<T>& values, const Threshold& threshold, std::uint64_t neurons,
         std::vector<std::int8_t>& spins) {
  std::vector<double> row(neurons);
  for (std::size_t start = 0; start < values.size(); start += neurons) {
    for (std::size_t i = 0; i < neurons; ++i) {
      row[i] = static_cast<double>(values[start + i]);
      if (std::isnan(row[i])) throw std::invalid_argument("value nan" + place(start + i, neurons) + " is no number");
    }
    const double level = threshold_of(row, threshold);
    for (std::size_t i = 0; i < neurons; ++i)
      spins[start + i] = static_cast<double>(values[start + i]) > level ? 1 : -1;
  }
}

/// −1 as NumPy's astype leaves it in unsigned integers (those beyond int64 come here as its largest value).
template <class T>
bool is_unsigned_minus_one(T value) {
  if constexpr (std::is_same_v<T, std::uint8_t>) return value == 0xff;
  if constexpr (std::is_same_v<T, std::int64_t>) return value == 0xffff || value == 0xffffffff || value == INT64_MAX;
  return false;
}

template <class T>
void take_signs(const std::vector<T>& values, std::uint64_t neurons, std::vector<std::int8_t>& spins) {
  const auto refuse = [&](std::size_t at) {
    throw std::invalid_argument("value " + core::number_text(static_cast<double>(values[at])) + place(at, neurons) +
                                " is neither -1, +1 nor 0, 1; grey values need a threshold");
  };
  std::size_t unsigned_at = values.size();
  bool zero = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool minus = is_unsigned_minus_one(values[i]);
    if (minus) unsigned_at = std::min(unsigned_at, i);
    const double value = minus ? -1 : static_cast<double>(values[i]);
    if (value != 1 && value != 0 && value != -1) refuse(i);
    spins[i] = static_cast<std::int8_t>(value);
    zero = zero || value == 0;
  }
  // 0 and 255 are a picture in black and white.
  if (zero && unsigned_at < values.size()) refuse(unsigned_at);
}

}  // namespace

Threshold parse_threshold(std::string_view text) {
  if (text == "mean") return {Threshold::Kind::mean};
  if (text == "median") return {Threshold::Kind::median};
  try {
    return {Threshold::Kind::value, core::parse_double(text, "threshold")};
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument("threshold '" + std::string(text) + "' is not mean, median or a number");
  }
}

State Spins::row(std::int64_t index) const {
  const auto start = values.begin() + index * num_neurons;
  return {start, start + num_neurons};
}

Spins spins_of(const core::NumericArray& array, const Threshold& threshold, Erased erased, std::int64_t num_neurons) {
  const Shape shape = rows_of(array.shape, static_cast<std::uint64_t>(std::max<std::int64_t>(num_neurons, 0)));
  Spins spins{.num_neurons = static_cast<int>(shape.neurons)};
  spins.values.resize(shape.rows * shape.neurons);
  std::visit(
      [&](const auto& values) {
        if (threshold.kind == Threshold::Kind::none)
          take_signs(values, shape.neurons, spins.values);
        else
          cut(values, threshold, shape.neurons, spins.values);
      },
      array.values);
  const auto zero = std::ranges::find(spins.values, 0);
  if (zero == spins.values.end()) return spins;
  if (std::ranges::find(spins.values, -1) == spins.values.end()) {
    spins.bits = true;
    std::ranges::replace(spins.values, 0, -1);
  } else if (erased == Erased::allowed) {
    spins.erased = true;
  } else {
    throw std::invalid_argument("value 0" +
                                place(static_cast<std::size_t>(zero - spins.values.begin()), shape.neurons) +
                                " stands among -1 and +1; only cues have erased neurons");
  }
  return spins;
}

void erase(Spins& spins, const core::NumericArray& mask) {
  const std::uint64_t count = std::visit([](const auto& values) { return values.size(); }, mask.values);
  const auto neurons = static_cast<std::uint64_t>(spins.num_neurons);
  if (count != spins.values.size() && count != neurons)
    throw std::invalid_argument("has shape " + core::shape_text(mask.shape) + ", the cues have (" +
                                std::to_string(spins.rows()) + ", " + std::to_string(neurons) +
                                "); a mask is like them, or one row for all");
  std::visit(
      [&](const auto& values) {
        for (std::size_t i = 0; i < spins.values.size(); ++i) {
          const auto value = static_cast<double>(values[i % count]);
          if (value != 0 && value != 1)
            throw std::invalid_argument("value " + core::number_text(value) + place(i % count, neurons) +
                                        " is neither 0 (known) nor 1 (erased)");
          if (value == 1) spins.values[i] = 0, spins.erased = true;
        }
      },
      mask.values);
}

Patterns patterns_of(const Spins& spins) { return Patterns::from_rows(std::span(spins.values), spins.num_neurons); }

}  // namespace dam
