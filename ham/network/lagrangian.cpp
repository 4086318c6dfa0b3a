#include "ham/network/lagrangian.h"

#include <stdexcept>

namespace ham {

core::Lagrangian Lagrangian::unit(int n) const {
  switch (form) {
    case Form::identity:
      return core::Lagrangian::identity();
    case Form::rectified_power:
      return core::Lagrangian::rectified_power(power);
    case Form::exponential:
      return core::Lagrangian::exponential(1);
    case Form::rectified_exponential:
      return core::Lagrangian::rectified_exponential(1);
    case Form::tanh:
      return core::Lagrangian::tanh(1);
    case Form::sigmoid:
      return core::Lagrangian::sigmoid(1);
    case Form::softmax:
      return core::Lagrangian::softmax(1);
    case Form::shaped:
      if (memory) return *memory;
      return centred ? core::Lagrangian::layer_norm(n, epsilon) : core::Lagrangian::spherical_norm(epsilon);
  }
  throw std::logic_error("lagrangian");
}

Lagrangian Lagrangian::fixed() const {
  Lagrangian result = *this;
  for (auto* coefficient : {&result.beta, &result.gamma, &result.delta})
    if (*coefficient) (*coefficient)->learned = false;
  return result;
}

Lagrangian Lagrangian::identity() { return {.name = "identity"}; }

Lagrangian Lagrangian::relu() { return {.name = "relu", .form = Form::rectified_power}; }

Lagrangian Lagrangian::rectified_power(int n) {
  if (n < 1)
    throw std::invalid_argument("rectified power " + std::to_string(n) + ": the degree is an integer from 1 on");
  return {.name = "rectified_power", .form = Form::rectified_power, .power = static_cast<double>(n)};
}

Lagrangian Lagrangian::exponential(double beta) {
  return {.name = "exp", .form = Form::exponential, .beta = Coefficient{beta}};
}

Lagrangian Lagrangian::rectified_exponential(double beta) {
  return {.name = "rectified_exp", .form = Form::rectified_exponential, .beta = Coefficient{beta}};
}

Lagrangian Lagrangian::tanh(double beta) { return {.name = "tanh", .form = Form::tanh, .beta = Coefficient{beta}}; }

Lagrangian Lagrangian::sigmoid(double beta, double scale) {
  return {.name = "sigmoid", .form = Form::sigmoid, .beta = Coefficient{beta}, .gamma = Coefficient{scale}};
}

Lagrangian Lagrangian::softmax(double beta, int axis) {
  return {.name = "softmax", .form = Form::softmax, .axis = axis, .beta = Coefficient{beta}};
}

Lagrangian Lagrangian::layer_norm(double gamma, double delta, double epsilon, int axis) {
  return {.name = "layer_norm",
          .form = Form::shaped,
          .epsilon = epsilon,
          .centred = true,
          .axis = axis,
          .gamma = Coefficient{gamma},
          .delta = Coefficient{delta}};
}

Lagrangian Lagrangian::spherical_norm(double epsilon, int axis) {
  return {.name = "spherical_norm", .form = Form::shaped, .epsilon = epsilon, .axis = axis};
}

Lagrangian Lagrangian::hidden(const core::EnergyModel& model) {
  return {.name = "memory", .form = Form::shaped, .memory = core::Lagrangian::hidden(model)};
}

}  // namespace ham
