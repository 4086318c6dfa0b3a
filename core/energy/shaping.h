// Shaping functions Q: what the energy makes of the summed separations.
#pragma once

#include <string>
#include <string_view>

namespace core {

enum class ShapingKind { linear, log, power };

/// A shaping function Q(z); strictly increasing on its domain, so it never changes which flip lowers the energy.
///
/// | kind   | Q(z)                     | domain         |
/// |--------|--------------------------|----------------|
/// | linear | scale·z                  | all z          |
/// | log    | scale·log z              | z > 0          |
/// | power  | scale·(z + offset)^p     | z + offset > 0 |
///
/// Source: Krotov 2021 (arXiv 2107.06446) for the Lagrangians; Ramsauer et al. 2020 for the logarithm.
struct Shaping {
  ShapingKind kind = ShapingKind::linear;
  double exponent = 1;
  double scale = 1;
  double offset = 0;

  /// Q(z); outside the domain the value is NaN or −∞, as the formula gives.
  double value(double z) const;
  /// Q′(z).
  double derivative(double z) const;
  /// Q″(z).
  double second_derivative(double z) const;
  /// True when Q is defined for z > 0 only.
  bool needs_positive() const { return kind != ShapingKind::linear; }

  /// `linear`, `log`, `power:2`: the text the command line takes and files store (scale and offset are not part of it).
  std::string text() const;
  /// Reads text(); throws std::invalid_argument that names the accepted forms.
  static Shaping parse(std::string_view text);

  bool operator==(const Shaping&) const = default;
};

}  // namespace core
