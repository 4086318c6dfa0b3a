#include "core/energy/lagrangian.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

// The separation's argument as a function of the index, without a buffer.
class View {
 public:
  View(Argument argument, std::span<const double> h) : argument_(argument), h_(h) {
    if (argument != Argument::centred) return;
    for (const double x : h) mean_ += x;
    mean_ /= static_cast<double>(h.size());
  }
  double operator[](std::size_t i) const {
    if (argument_ == Argument::rectified) return std::max(h_[i], 0.0);
    return h_[i] - mean_;
  }
  std::size_t size() const { return h_.size(); }

 private:
  Argument argument_;
  std::span<const double> h_;
  double mean_ = 0;
};

// The parts of Q(ΣF) that gradient and Hessian share, at one point; f(i) = F′ and f2(i) = F″ up to one common factor
// that `first` and `second` make up for, so that e^{λh} under a logarithm stays finite.
class Point {
 public:
  Point(const Lagrangian& lagrangian, View a) : separation_(lagrangian.separation), a_(a) {
    const Shaping& shaping = lagrangian.shaping;
    const bool log_sum = separation_.kind == SeparationKind::exponential && shaping.kind == ShapingKind::log;
    if (log_sum) {
      shift_ = -std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < a_.size(); ++i) shift_ = std::max(shift_, a_[i]);
    }
    double z = 0;
    for (std::size_t i = 0; i < a_.size(); ++i) z += separation_.value(a_[i] - shift_);
    value = shaping.value(z) + (log_sum ? shaping.scale * separation_.parameter * shift_ : 0);
    first = shaping.derivative(z);
    second = shaping.second_derivative(z);
  }
  double f(std::size_t i) const { return separation_.derivative(a_[i] - shift_); }
  double f2(std::size_t i) const { return separation_.second_derivative(a_[i] - shift_); }

  double value = 0;
  double first = 0;
  double second = 0;

 private:
  const Separation& separation_;
  View a_;
  double shift_ = 0;
};

// The transpose of h ↦ a applied to the derivative by a.
void pull_back(Argument argument, std::span<const double> h, std::span<double> out) {
  if (argument == Argument::rectified)
    for (std::size_t i = 0; i < h.size(); ++i) out[i] = h[i] > 0 ? out[i] : 0;
  if (argument != Argument::centred) return;
  double mean = 0;
  for (const double x : out) mean += x;
  mean /= static_cast<double>(out.size());
  for (double& x : out) x -= mean;
}

}  // namespace

double Lagrangian::value(std::span<const double> h) const {
  const View a(argument, h);
  double sum = 0;
  for (std::size_t i = 0; linear != 0 && i < h.size(); ++i) sum += a[i];
  return Point(*this, a).value + linear * sum;
}

void Lagrangian::gradient(std::span<const double> h, std::span<double> g) const {
  const View a(argument, h);
  const Point point(*this, a);
  for (std::size_t i = 0; i < h.size(); ++i) g[i] = point.first * point.f(i) + linear;
  pull_back(argument, h, g);
}

void Lagrangian::hessian_product(std::span<const double> h, std::span<const double> v, std::span<double> out) const {
  const View a(argument, h);
  const View tangent(argument == Argument::centred ? argument : Argument::plain, v);
  const Point point(*this, a);
  double along = 0;
  for (std::size_t i = 0; point.second != 0 && i < h.size(); ++i) along += point.f(i) * tangent[i];
  for (std::size_t i = 0; i < h.size(); ++i) {
    out[i] = point.first * point.f2(i) * tangent[i];
    if (point.second != 0) out[i] += point.second * along * point.f(i);
  }
  pull_back(argument, h, out);
}

Lagrangian Lagrangian::identity() { return {{SeparationKind::power, 2}, {}}; }

Lagrangian Lagrangian::rectified_power(double n) { return {{SeparationKind::relu_power, n}, {}}; }

Lagrangian Lagrangian::exponential(double beta) {
  return {{SeparationKind::exponential, beta}, {ShapingKind::linear, 1, 1 / beta}};
}

Lagrangian Lagrangian::rectified_exponential(double beta) {
  return {{SeparationKind::exponential, beta}, {ShapingKind::linear, 1, 1 / beta}, Argument::rectified, -1};
}

Lagrangian Lagrangian::tanh(double beta) { return {{SeparationKind::log_cosh, beta}, {}}; }

Lagrangian Lagrangian::sigmoid(double beta) { return {{SeparationKind::softplus, beta}, {}}; }

Lagrangian Lagrangian::softmax(double beta) {
  return {{SeparationKind::exponential, beta}, {ShapingKind::log, 1, 1 / beta}};
}

// n √(Σa²/n + ε) = √(2n) (Σ a²/2 + nε/2)^½, and √(Σa² + ε) likewise with n = 1.
Lagrangian Lagrangian::layer_norm(int size, double epsilon) {
  return {{SeparationKind::power, 2},
          {ShapingKind::power, 0.5, std::sqrt(2.0 * size), size * epsilon / 2},
          Argument::centred};
}

Lagrangian Lagrangian::spherical_norm(double epsilon) {
  return {{SeparationKind::power, 2}, {ShapingKind::power, 0.5, std::sqrt(2.0), epsilon / 2}};
}

Lagrangian Lagrangian::hidden(const EnergyModel& model) { return {model.separation, model.shaping}; }

}  // namespace core
