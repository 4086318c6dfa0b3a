// The rules of ham/operations as tasks for a machine: the same forward and reverse rules, on arrays that stand there.
#pragma once

#include <stdexcept>
#include <vector>

#include "gpu/ham/memory.h"
#include "gpu/ham/tasks.h"
#include "ham/operations/operations.h"

namespace gpu {

/// What a machine cannot compute; the text names it.
struct NotOnCard : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Writes tasks to a list. Frames are those of ham/operations with pointers into the machine's memory; a null pointer
/// stands for zeros, or for an array that is not asked for, and `kept` holds places (PoolForward::picks).
template <class T>
class Rules {
 public:
  using Frame = ham::Frame<T>;
  using Dual = ham::Dual<T>;

  Rules(Memory& memory, Precision precision) : memory_(memory), precision_(precision) {}
  /// Where tasks go from now on.
  void write_to(std::vector<Task<T>>& list) { list_ = &list; }

  /// out.x from in[·].x, of value and tangent what is asked for.
  void forward(const ham::Operation& operation, const Frame& frame);
  /// in[·].bar += (∂out/∂in)ᵀ out.bar, value and tangent.
  void reverse(const ham::Operation& operation, const Frame& frame);
  /// With `less`, that is taken away from in[0].bar's tangent.
  void reverse(const ham::LagrangianSum& lagrangian, const Frame& frame, const T* less = nullptr);

  void add(const Task<T>& task) { list_->push_back(task); }
  void add(Product<T> product);
  void add(Reduce<T> reduce);
  /// y = start + Σ_terms factor·a b.
  void combine(const ham::Repeat& repeat, const T* start, std::vector<Pair<T>> terms, T* y);
  void zero(T* y, long count) { combine({1, 1, count}, nullptr, {}, y); }

  /// Throws NotOnCard where a machine cannot compute it.
  static void require(const ham::Operation& operation);

 private:
  enum Purpose : int {
    kParts,
    kPatches,
    kDense,
    kDenseTangent,
    kTop,
    kMixed,
    kRows,
    kRowsTangent,
    kGamma,
    kGammaTangent,
    kDelta
  };
  using Terms = std::vector<std::pair<const T*, const T*>>;

  template <class F>
  void product(Dual a, Dual b, Dual start, Dual out, long count, F f);
  template <class F>
  void linear_map(Dual a, Dual out, F f);
  void pass_on(const ham::Operand<T>& sum, const ham::Operand<T>& term);
  Dual start_of(const ham::Operand<T>& operand) const { return operand.fresh ? Dual{} : operand.bar; }
  void multiply(const ham::Repeat& repeat, const Terms& terms, const T* start, T* y);
  void multiply_sum(const ham::Repeat& repeat, const Terms& terms, const T* start, T* y);
  void sum_rows(long rows, const T* from, const T* start, T* y);

  void forward(const ham::Leaf&, const Frame&) {}
  void reverse(const ham::Leaf&, const Frame&) {}
  void forward(const ham::Add&, const Frame&);
  void reverse(const ham::Add&, const Frame&);
  void forward(const ham::Multiply&, const Frame&);
  void reverse(const ham::Multiply&, const Frame&);
  void forward(const ham::Sum&, const Frame&);
  void reverse(const ham::Sum&, const Frame&);
  void forward(const ham::Dot&, const Frame&);
  void reverse(const ham::Dot&, const Frame&);
  void forward(const ham::Map&, const Frame&);
  void reverse(const ham::Map&, const Frame&);
  void forward(const ham::Linear&, const Frame&);
  void reverse(const ham::Linear&, const Frame&);
  void forward(const ham::MatrixProduct&, const Frame&);
  void reverse(const ham::MatrixProduct&, const Frame&);
  void forward(const ham::Diagonal&, const Frame&);
  void reverse(const ham::Diagonal&, const Frame&);
  void forward(const ham::Convolution&, const Frame&);
  void reverse(const ham::Convolution&, const Frame&);
  void forward(const ham::MaxConvolution&, const Frame&);
  void reverse(const ham::MaxConvolution&, const Frame&);
  void forward(const ham::Pool&, const Frame&);
  void reverse(const ham::Pool&, const Frame&);
  void forward(const ham::LagrangianSum&, const Frame&);

  void correlate(const ham::Convolution& c, long images, const Terms& terms, const T* start, T* y);
  void correlate_to_image(const ham::Convolution& c, long images, const Terms& terms, const T* start, T* x);
  void correlate_to_kernel(const ham::Convolution& c, long images, const Terms& terms, const T* start, T* kernel);
  const T* spread(const ham::MaxConvolution& c, const Frame& f, const T* y, Purpose purpose);
  LagrangianRows<T> rows_of(const ham::LagrangianSum& sum, const Frame& frame) const;
  void delta_gradient(const ham::LagrangianSum& sum, const Frame& f, const T* to_sum, T* bar);

  Memory& memory_;
  Precision precision_;
  std::vector<Task<T>>* list_ = nullptr;
};

template <class T>
template <class F>
void Rules<T>::product(Dual a, Dual b, Dual start, Dual out, long count, F f) {
  const auto into = [&](const T* from, T* to, const Terms& all) {
    if (to == nullptr) return;
    Terms terms;
    for (const auto& [x, y] : all)
      if (x != nullptr && y != nullptr) terms.emplace_back(x, y);
    if (!terms.empty())
      f(terms, from, to);
    else if (from != to)
      combine({1, 1, count}, from, {}, to);
  };
  into(start.value, out.value, {{a.value, b.value}});
  into(start.tangent, out.tangent, {{a.tangent, b.value}, {a.value, b.tangent}});
}

template <class T>
template <class F>
void Rules<T>::linear_map(Dual a, Dual out, F f) {
  if (a.value != nullptr && out.value != nullptr) f(a.value, out.value, false);
  if (a.tangent != nullptr && out.tangent != nullptr) f(a.tangent, out.tangent, true);
}

}  // namespace gpu
