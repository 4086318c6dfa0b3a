// Rules of Lagrangians.
#include "gpu/ham/rules.h"

#include <stdexcept>

namespace gpu {
namespace {

Phi phi_of(const ham::Lagrangian& lagrangian) {
  switch (lagrangian.form) {
    case ham::Form::identity:
      return Phi::identity;
    case ham::Form::rectified_power:
      return Phi::rectified_power;
    case ham::Form::exponential:
      return Phi::exponential;
    case ham::Form::rectified_exponential:
      return Phi::rectified_exponential;
    case ham::Form::tanh:
      return Phi::tanh;
    case ham::Form::sigmoid:
      return Phi::sigmoid;
    case ham::Form::softmax:
      return Phi::softmax;
    case ham::Form::shaped:
      return lagrangian.centred ? Phi::layer_norm : Phi::spherical_norm;
  }
  throw std::logic_error("lagrangian");
}

}  // namespace

template <class T>
LagrangianRows<T> Rules<T>::rows_of(const ham::LagrangianSum& sum, const Frame& f) const {
  const ham::Lagrangian& lagrangian = sum.lagrangian;
  LagrangianRows<T> task{.phi = phi_of(lagrangian),
                         .power = static_cast<int>(lagrangian.power),
                         .epsilon = static_cast<T>(lagrangian.epsilon),
                         .least_beta = static_cast<T>(ham::Lagrangian::kMinBeta)};
  const auto number = [&](const std::optional<ham::Coefficient>& coefficient, int input, Number<T>& to) {
    if (!coefficient) return;
    to.learned = input > 0 ? f.in[input].x.value : nullptr;
    to.fixed = static_cast<T>(coefficient->initial);
  };
  number(lagrangian.beta, sum.beta_input, task.beta);
  number(lagrangian.gamma, sum.gamma_input, task.gamma);
  number(lagrangian.delta, sum.delta_input, task.delta);
  task.delta_stride = sum.delta_input > 0 && !lagrangian.single_delta ? 1 : 0;
  task.rows = f.rows, task.runs = f.in[0].count / sum.n / f.rows, task.n = sum.n, task.inner = sum.inner;
  task.x = f.in[0].x.value;
  task.v = f.in[0].x.tangent;
  return task;
}

template <class T>
void Rules<T>::forward(const ham::LagrangianSum& sum, const Frame& f) {
  LagrangianRows<T> task = rows_of(sum, f);
  task.sum = f.out.x.value;
  if (task.v != nullptr) task.sum_tangent = f.out.x.tangent;
  if (task.v == nullptr && f.out.x.tangent != nullptr) zero(f.out.x.tangent, f.rows);
  list_->push_back(task);
}

template <class T>
void Rules<T>::reverse(const ham::LagrangianSum& sum, const Frame& f, const T* less) {
  LagrangianRows<T> task = rows_of(sum, f);
  const Dual start = start_of(f.in[0]), s = f.out.bar, none;
  task.seed = s.value, task.seed_tangent = s.tangent;
  task.start = start.value, task.start_tangent = start.tangent, task.less = less;
  task.value = f.in[0].bar.value, task.tangent = f.in[0].bar.tangent;
  const ham::Operand<T> unasked;
  const ham::Operand<T>& by_beta = sum.beta_input > 0 ? f.in[sum.beta_input] : unasked;
  const ham::Operand<T>& by_gamma = sum.gamma_input > 0 ? f.in[sum.gamma_input] : unasked;
  const auto room = [&](const T* wanted, Purpose purpose) {
    return wanted == nullptr ? nullptr : memory_.template scratch<T>(purpose, f.rows);
  };
  task.by_beta = room(by_beta.bar.value, kRows);
  task.by_beta_tangent = room(by_beta.bar.tangent, kRowsTangent);
  task.by_gamma = room(by_gamma.bar.value, kGamma);
  task.by_gamma_tangent = room(by_gamma.bar.tangent, kGammaTangent);
  if (task.value != nullptr || task.tangent != nullptr || by_beta.bar.wanted() || by_gamma.bar.wanted())
    list_->push_back(task);
  const auto add_up = [&](const T* rows, const ham::Operand<T>& to, bool tangent) {
    if (rows == nullptr) return;
    const Dual begin = start_of(to);
    sum_rows(f.rows, rows, tangent ? begin.tangent : begin.value, tangent ? to.bar.tangent : to.bar.value);
  };
  add_up(task.by_beta, by_beta, false);
  add_up(task.by_beta_tangent, by_beta, true);
  add_up(task.by_gamma, by_gamma, false);
  add_up(task.by_gamma_tangent, by_gamma, true);
  if (sum.delta_input == 0 || !f.in[sum.delta_input].bar.wanted()) return;

  // ∂L/∂δ = x, its tangent along ẋ and ṡ: s ẋ + ṡ x.
  const ham::Operand<T>& by_delta = f.in[sum.delta_input];
  const long count = f.in[0].count;
  const ham::Repeat by_sample{f.rows, count / f.rows, 1};
  T* const weighed = memory_.template scratch<T>(kDelta, count);
  const auto give = [&](std::vector<Pair<T>> terms, T* bar) {
    std::erase_if(terms, [](const Pair<T>& pair) { return pair.a == nullptr; });
    if (bar == nullptr || terms.empty()) return;
    combine(by_sample, nullptr, terms, weighed);
    delta_gradient(sum, f, weighed, bar);
  };
  if (by_delta.fresh)
    for (T* const bar : {by_delta.bar.value, by_delta.bar.tangent})
      if (bar != nullptr) zero(bar, by_delta.count);
  give({{f.in[0].x.value, s.value}}, by_delta.bar.value);
  give({{f.in[0].x.tangent, s.value}, {s.tangent == nullptr ? nullptr : f.in[0].x.value, s.tangent}},
       by_delta.bar.tangent);
}

template <class T>
void Rules<T>::delta_gradient(const ham::LagrangianSum& sum, const Frame& f, const T* weighed, T* bar) {
  const long count = f.in[0].count, outer = count / (sum.n * sum.inner);
  if (sum.lagrangian.single_delta) return multiply_sum({1, count, 1}, {{weighed, nullptr}}, bar, bar);
  if (sum.inner == 1) return multiply_sum({1, outer, sum.n}, {{weighed, nullptr}}, bar, bar);
  T* const along = memory_.template scratch<T>(kTop, outer * sum.n);
  multiply_sum({outer * sum.n, sum.inner, 1}, {{weighed, nullptr}}, nullptr, along);
  multiply_sum({1, outer, sum.n}, {{along, nullptr}}, bar, bar);
}

template void Rules<float>::forward(const ham::LagrangianSum&, const Frame&);
template void Rules<float>::reverse(const ham::LagrangianSum&, const Frame&, const float*);
template void Rules<double>::forward(const ham::LagrangianSum&, const Frame&);
template void Rules<double>::reverse(const ham::LagrangianSum&, const Frame&, const double*);

}  // namespace gpu
