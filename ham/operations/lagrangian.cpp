#include <cmath>

#include "ham/operations/rules.h"

namespace ham {
namespace {

// The operand's array with its runs made contiguous: itself, or a copy with the two last axes exchanged.
template <class T>
const T* runs_of(const T* x, long outer, long n, long inner, Scratch purpose) {
  if (x == nullptr || inner == 1) return x;
  T* runs = scratch<T>(purpose, outer * n * inner);
  for (long o = 0; o < outer; ++o)
    for (long i = 0; i < inner; ++i)
      for (long k = 0; k < n; ++k) runs[(o * inner + i) * n + k] = x[(o * n + k) * inner + i];
  return runs;
}

// Forms without a loop of their own: core's formula, run by run, in double precision.
template <class T>
void shaped(const core::Lagrangian& unit, const FormCall<T>& call) {
  double* numbers = scratch<double>(Scratch::third, 3 * call.n);
  const std::span<double> u(numbers, call.n), v(numbers + call.n, call.n), result(numbers + 2 * call.n, call.n);
  for (long k = 0; k < call.groups; ++k) {
    const long at = k * call.n;
    for (long i = 0; i < call.n; ++i) u[i] = static_cast<double>(call.beta * call.x[at + i]);
    if (call.g != nullptr) {
      unit.gradient(u, result);
      for (long i = 0; i < call.n; ++i) call.g[at + i] = static_cast<T>(result[i]);
    }
    if (call.hv != nullptr) {
      for (long i = 0; i < call.n; ++i) v[i] = static_cast<double>(call.beta * call.v[at + i]);
      unit.hessian_product(u, v, result);
      for (long i = 0; i < call.n; ++i) call.hv[at + i] = static_cast<T>(result[i]);
    }
    if (call.value != nullptr) call.value[k] = static_cast<T>(unit.value(u)) / call.beta;
  }
}

// The coefficients in force.
template <class T>
struct Coefficients {
  T beta = 1, gamma = 1;
  const T* delta = nullptr;  // one per element of a run when stride is 1, one for all when it is 0
  long delta_stride = 0;
  T fixed_delta = 0;
  bool beta_clipped = false;

  Coefficients(const LagrangianSum& sum, const Frame<T>& f) {
    const auto number = [&](const std::optional<Coefficient>& coefficient, int input, T missing) {
      if (!coefficient) return missing;
      return input > 0 ? f.in[input].x.value[0] : static_cast<T>(coefficient->initial);
    };
    const Lagrangian& lagrangian = sum.lagrangian;
    beta = number(lagrangian.beta, sum.beta_input, 1);
    beta_clipped = beta < static_cast<T>(Lagrangian::kMinBeta);
    if (beta_clipped) beta = static_cast<T>(Lagrangian::kMinBeta);
    gamma = number(lagrangian.gamma, sum.gamma_input, 1);
    fixed_delta = number(lagrangian.delta, 0, 0);
    delta = sum.delta_input > 0 ? f.in[sum.delta_input].x.value : &fixed_delta;
    delta_stride = sum.delta_input > 0 && !lagrangian.single_delta ? 1 : 0;
  }
  Coefficients(const Coefficients&) = delete;
  bool shifted() const { return delta_stride == 1 || delta[0] != 0; }
};

}  // namespace

// L = γ φ(βx)/β + δ·x and its derivative along the tangent, γ φ′·v + δ·v.
template <class T>
void LagrangianSum::forward(Frame<T>& f) const {
  const Coefficients<T> c(*this, f);
  const long groups = f.in[0].count / n, per_row = groups / f.rows;
  const T* x = runs_of(f.in[0].x.value, groups / inner, n, inner, Scratch::first);
  const T* v = runs_of(f.in[0].x.tangent, groups / inner, n, inner, Scratch::second);
  T* numbers = scratch<T>(Scratch::product, groups + groups * n);
  FormCall<T> call{lagrangian.form, lagrangian.power, c.beta, groups, n, x, v, nullptr, nullptr, nullptr};
  if (f.out.x.value != nullptr) call.value = numbers;
  if (f.out.x.tangent != nullptr && v != nullptr) call.g = numbers + groups;
  lagrangian.form == Form::shaped ? shaped(unit, call) : kernels<T>().form(call);
  for (long row = 0; row < f.rows; ++row) {
    T value = 0, tangent = 0;
    for (long k = row * per_row; k < (row + 1) * per_row; ++k) {
      if (call.value != nullptr) value += c.gamma * call.value[k];
      for (long i = 0; (call.g != nullptr || c.shifted()) && i < n; ++i) {
        const T shift = c.delta[i * c.delta_stride];
        value += shift * x[k * n + i];
        if (call.g != nullptr) tangent += (c.gamma * call.g[k * n + i] + shift) * v[k * n + i];
      }
    }
    if (f.out.x.value != nullptr) f.out.x.value[row] = value;
    if (f.out.x.tangent != nullptr) f.out.x.tangent[row] = tangent;
  }
}

// With s = out.bar (one number per sample): x̄ = s∇L, and from ∂L/∂β = (x·∇L − L)/β (δ left out), ∂L/∂γ = φ(βx)/β,
// ∂L/∂δ = x the rest; tangents are the derivatives of these along ẋ and ṡ.
template <class T>
void LagrangianSum::reverse(Frame<T>& f) const {
  const Coefficients<T> c(*this, f);
  Operand<T>& operand = f.in[0];
  const Dual<T> s = f.out.bar;
  const long groups = operand.count / n, per_row = groups / f.rows, size = groups * n;
  const bool unit_seed = s.tangent == nullptr && std::all_of(s.value, s.value + f.rows, [](T x) { return x == T(1); });
  const bool direct = unit_seed && operand.fresh && inner == 1 && c.gamma == T(1) && !c.shifted();
  const Dual<T> none;
  const Dual<T> beta_bar = beta_input > 0 && !c.beta_clipped ? f.in[beta_input].bar : none;
  const Dual<T> gamma_bar = gamma_input > 0 ? f.in[gamma_input].bar : none;
  const Dual<T> delta_bar = delta_input > 0 ? f.in[delta_input].bar : none;

  const T* x = runs_of(operand.x.value, groups / inner, n, inner, Scratch::first);
  const T* v = runs_of(operand.x.tangent, groups / inner, n, inner, Scratch::second);
  T* numbers = scratch<T>(Scratch::product, groups + 2 * size);
  FormCall<T> call{lagrangian.form, lagrangian.power, c.beta, groups, n, x, v, nullptr, nullptr, nullptr};
  const bool by_coefficients = beta_bar.wanted() || gamma_bar.wanted();
  if (operand.bar.value != nullptr || by_coefficients || s.tangent != nullptr)
    call.g = direct && operand.bar.value != nullptr ? operand.bar.value : numbers + groups;
  if (v != nullptr && (operand.bar.tangent != nullptr || beta_bar.tangent != nullptr))
    call.hv = direct && operand.bar.tangent != nullptr ? operand.bar.tangent : numbers + groups + size;
  if (by_coefficients && (beta_bar.value != nullptr || gamma_bar.value != nullptr || s.tangent != nullptr))
    call.value = numbers;
  lagrangian.form == Form::shaped ? shaped(unit, call) : kernels<T>().form(call);

  if (!direct) {
    begin(operand);
    for (long row = 0; row < f.rows; ++row)
      for (long k = row * per_row; k < (row + 1) * per_row; ++k)
        for (long i = 0; i < n; ++i) {
          const long from = k * n + i, to = inner == 1 ? from : ((k / inner) * n + i) * inner + k % inner;
          const T slope = call.g == nullptr ? T(0) : c.gamma * call.g[from] + c.delta[i * c.delta_stride];
          if (operand.bar.value != nullptr) operand.bar.value[to] += s.value[row] * slope;
          if (operand.bar.tangent == nullptr) continue;
          if (call.hv != nullptr) operand.bar.tangent[to] += s.value[row] * c.gamma * call.hv[from];
          if (s.tangent != nullptr) operand.bar.tangent[to] += s.tangent[row] * slope;
        }
  }
  if (!by_coefficients && !delta_bar.wanted()) return;

  for (long row = 0; row < f.rows; ++row) {
    const T weight = s.value[row], change = s.tangent == nullptr ? T(0) : s.tangent[row];
    T x_g = 0, x_hv = 0, v_g = 0, total = 0;  // sums over this sample's runs
    for (long k = row * per_row; k < (row + 1) * per_row; ++k) {
      const Repeat all{1, n, 1};
      if (call.g != nullptr) kernels<T>().multiply_sum_add(all, x + k * n, call.g + k * n, &x_g);
      if (call.hv != nullptr) kernels<T>().multiply_sum_add(all, x + k * n, call.hv + k * n, &x_hv);
      if (call.g != nullptr && v != nullptr) kernels<T>().multiply_sum_add(all, v + k * n, call.g + k * n, &v_g);
      if (call.value != nullptr) total += call.value[k];
      for (long i = 0; delta_bar.wanted() && i < n; ++i) {
        const long to = i * (lagrangian.single_delta ? 0 : 1), at = k * n + i;
        if (delta_bar.value != nullptr) delta_bar.value[to] += weight * x[at];
        if (delta_bar.tangent == nullptr) continue;
        if (v != nullptr) delta_bar.tangent[to] += weight * v[at];
        delta_bar.tangent[to] += change * x[at];
      }
    }
    const T by_beta = c.gamma * (x_g - total) / c.beta;
    if (beta_bar.value != nullptr) *beta_bar.value += weight * by_beta;
    if (beta_bar.tangent != nullptr) {
      *beta_bar.tangent += weight * c.gamma * x_hv / c.beta;
      if (s.tangent != nullptr) *beta_bar.tangent += change * by_beta;
    }
    if (gamma_bar.value != nullptr) *gamma_bar.value += weight * total;
    if (gamma_bar.tangent != nullptr) *gamma_bar.tangent += weight * v_g + change * total;
  }
}

template void LagrangianSum::forward(Frame<float>&) const;
template void LagrangianSum::forward(Frame<double>&) const;
template void LagrangianSum::reverse(Frame<float>&) const;
template void LagrangianSum::reverse(Frame<double>&) const;

}  // namespace ham
