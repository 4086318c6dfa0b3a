// Lagrangians of layers and hidden units: a function from core with learnable coefficients and an axis.
#pragma once

#include <optional>
#include <string>

#include "core/energy/lagrangian.h"
#include "ham/kernels/kernels.h"

namespace ham {

/// A number in a Lagrangian: where it starts, and whether training moves it.
struct Coefficient {
  double initial = 1;
  bool learned = true;
};

/// L(x) = γ φ(βx)/β + δ·x, applied to every run of numbers along an axis and summed over the runs.
///
/// φ is one of core::Lagrangian at unit temperature. Missing coefficients are β = γ = 1 and δ = 0. A β below kMinBeta
/// counts as kMinBeta (the energy needs β > 0). δ is one number per element of a run, or a single one.
struct Lagrangian {
  static constexpr int kWhole = -1000;  ///< axis: all of the layer at once
  static constexpr double kMinBeta = 1e-6;

  std::string name;
  Form form = Form::identity;
  double power = 2;                             ///< n of rectified_power
  double epsilon = 0;                           ///< of the norms
  bool centred = false;                         ///< layer norm rather than spherical norm
  std::optional<core::Lagrangian> memory = {};  ///< φ = Q(ΣF) of a dense associative memory
  int axis = -1;  ///< the runs' axis, counted from the end when negative; elementwise forms ignore it
  std::optional<Coefficient> beta = {}, gamma = {}, delta = {};
  bool single_delta = false;

  /// φ on runs of n numbers.
  core::Lagrangian unit(int n) const;
  /// The same without learned coefficients.
  Lagrangian fixed() const;

  /// x²/2: the activation is x.
  static Lagrangian identity();
  /// max(x, 0)²/2: the activation is the ReLU.
  static Lagrangian relu();
  /// max(x, 0)ⁿ/n for an integer n ≥ 1; at n = 1 the activation is a step, whose derivative is 0.
  static Lagrangian rectified_power(int n);
  /// e^{βx}/β.
  static Lagrangian exponential(double beta = 1);
  /// e^{β max(x, 0)}/β − max(x, 0).
  static Lagrangian rectified_exponential(double beta = 1);
  /// log cosh(βx)/β: the activation is tanh(βx).
  static Lagrangian tanh(double beta = 1);
  /// scale · log(1 + e^{βx})/β: the activation is scale/(1 + e^{−βx}).
  static Lagrangian sigmoid(double beta = 1, double scale = 1);
  /// log(Σ e^{βx})/β over an axis: the activation is the softmax.
  static Lagrangian softmax(double beta = 1, int axis = -1);
  /// n γ √(var(x) + ε) + δ·x over an axis of length n: the activation is layer normalization.
  static Lagrangian layer_norm(double gamma = 1, double delta = 0, double epsilon = 1e-5, int axis = -1);
  /// γ √(Σx² + ε) over an axis: the activation is x over its length.
  static Lagrangian spherical_norm(double epsilon = 1e-5, int axis = -1);
  /// Q(ΣF(x)) over the last axis: the hidden units of the dense associative memory `model` (THEORY §2).
  static Lagrangian hidden(const core::EnergyModel& model);
};

}  // namespace ham
