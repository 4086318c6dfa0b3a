// Lagrangians L: the convex functions whose gradients are the activations of continuous memories.
#pragma once

#include <span>

#include "core/energy/energy_model.h"

namespace core {

/// What the separation is applied to: h itself, h minus its mean, or max(h, 0).
enum class Argument { plain, centred, rectified };

/// L(h) = Q(Σ_i F(a_i)) + linear·Σ_i a_i with a the argument of h; one formula for every Lagrangian in use.
///
/// Its gradient is the activation g = ∇L, and its Hessian product is Q′F″∘v + Q″(F′·v)F′ (THEORY §2).
/// The exponential under a logarithm is evaluated relative to its largest term, so softmax never overflows.
/// Source: Krotov 2021 (arXiv 2107.06446) table 1; Krotov & Hopfield 2021 for layer and spherical norms.
struct Lagrangian {
  Separation separation;
  Shaping shaping;
  Argument argument = Argument::plain;
  double linear = 0;

  /// L(h); h is not empty.
  double value(std::span<const double> h) const;
  /// g = ∇L(h), as many numbers as h.
  void gradient(std::span<const double> h, std::span<double> g) const;
  /// out = ∇²L(h) v, as many numbers as h.
  void hessian_product(std::span<const double> h, std::span<const double> v, std::span<double> out) const;

  /// Σ h²/2; the activation is h.
  static Lagrangian identity();
  /// Σ max(h, 0)ⁿ/n for integer n ≥ 2; n = 2 has the ReLU as its activation.
  static Lagrangian rectified_power(double n);
  /// Σ e^{βh}/β.
  static Lagrangian exponential(double beta);
  /// Σ e^{β max(h, 0)}/β − max(h, 0).
  static Lagrangian rectified_exponential(double beta);
  /// Σ log cosh(βh)/β; the activation is tanh(βh).
  static Lagrangian tanh(double beta);
  /// Σ log(1 + e^{βh})/β; the activation is the logistic function of βh.
  static Lagrangian sigmoid(double beta);
  /// log(Σ e^{βh})/β; the activation is softmax(βh).
  static Lagrangian softmax(double beta);
  /// n √(mean((h − mean h)²) + ε) over n = size numbers; the activation is layer normalization.
  static Lagrangian layer_norm(int size, double epsilon);
  /// √(Σ h² + ε); the activation is h over its length.
  static Lagrangian spherical_norm(double epsilon);
  /// The τ → 0 hidden layer of a dense associative memory, Q(Σ F(h)): minus the memory's energy at similarities h.
  static Lagrangian hidden(const EnergyModel& model);

  bool operator==(const Lagrangian&) const = default;
};

}  // namespace core
