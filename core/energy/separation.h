// Separation functions F: how strongly a stored pattern pulls, as a function of its similarity to the state.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace core {

enum class SeparationKind { power, relu_power, exponential, log_cosh, softplus };

/// A separation function F(x) with its parameter; a value, compared by content.
///
/// | kind        | F(x)                | parameter | F grows with x  |
/// |-------------|---------------------|-----------|-----------------|
/// | power       | xⁿ/n                | n ≥ 1     | odd n, or x > 0 |
/// | relu_power  | max(x, 0)ⁿ/n        | n ≥ 1     | where x > 0     |
/// | exponential | e^{λx}              | λ > 0     | everywhere      |
/// | log_cosh    | log cosh(βx)/β      | β > 0     | where x > 0     |
/// | softplus    | log(1 + e^{βx})/β   | β > 0     | everywhere      |
///
/// Source: Krotov & Hopfield 2016 eq. 2 (powers); Demircigil et al. 2017 (exponential); Krotov 2021 table 1 (the rest).
struct Separation {
  SeparationKind kind = SeparationKind::power;
  double parameter = 2;

  /// F(x).
  double value(double x) const;
  /// f(x) = F′(x).
  double derivative(double x) const;
  /// F″(x); at the kink of a rectified power the right-hand value is 0.
  double second_derivative(double x) const;

  /// True for powers, whose values at integers are integers up to the constant 1/n.
  bool integer_valued() const { return kind == SeparationKind::power || kind == SeparationKind::relu_power; }
  /// The degree n of a power; 0 for every other kind.
  int degree() const { return integer_valued() ? static_cast<int>(parameter) : 0; }

  /// `power:3`, `relu-power:3`, `exp:0.5`: the text the command line takes and files store.
  std::string text() const;
  /// Reads text(); throws std::invalid_argument that names the accepted forms.
  static Separation parse(std::string_view text);

  bool operator==(const Separation&) const = default;
};

}  // namespace core
