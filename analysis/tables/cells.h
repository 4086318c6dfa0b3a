// What stands in a table's cells, and how it is written for people.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "analysis/drawing/figure.h"

namespace analysis {

/// A measured value with its 95 % interval, or a bound; a bound is never written as a value.
struct Estimate {
  double value = kMissing;
  double low = kMissing;
  double high = kMissing;
  Bound bound = Bound::none;
};

/// Words, a count, a number that is not measured (NaN: nothing there), or a measured value.
using Cell = std::variant<std::string, std::int64_t, double, Estimate>;

/// An estimate after rounding its wider half-width to two digits; all three times 10^exponent.
struct Rounded {
  std::string value;
  std::string up;
  std::string down;
  int exponent = 0;
  bool symmetric = true;
};
Rounded rounded(const Estimate& estimate);

/// `2813 ± 61`, `12 +3 −2`, `(1.234 ± 0.012)e12`, `> 4096`, `< 1`, `12 … 48 (budget)`.
std::string estimate_text(const Estimate& estimate);

/// The cell as people read it; numbers that are not measured have four significant digits.
std::string cell_text(const Cell& cell);

/// Whether the cell holds words: such columns are set to the left.
bool is_words(const Cell& cell);

/// Characters replaced by what stands for them in another language.
std::string escaped(std::string_view text, std::span<const std::pair<char, const char*>> replacements);

/// Text for HTML, attributes included: & < > " ' become entities.
std::string html_escaped(std::string_view text);

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace analysis
