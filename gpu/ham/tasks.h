// Everything a machine can be asked to do for a network: values that say what, on which memory.
#pragma once

#include <variant>

#include "gpu/device/launcher.h"
#include "gpu/ham/images_body.h"
#include "gpu/ham/lagrangian_body.h"
#include "gpu/ham/product_body.h"
#include "gpu/ham/rows_body.h"
#include "gpu/ham/update_body.h"

namespace gpu {

/// One kernel's work; every alternative has run(block, shared memory).
template <class T>
using TaskOf = std::variant<Product<T>, Combine<T>, Reduce<T>, MapNumbers<T>, Diagonals<T>, LagrangianRows<T>, Fold<T>,
                            PoolForward<T>, PoolReverse<T>, Descend<T>, CrossEntropy<T>, Squares<T>, AdamWStep<T>,
                            Fetch<T>, Quotient<T>, Verdict, Advance>;

/// A variant by name, so that it can be declared ahead.
template <class T>
struct Task : TaskOf<T> {
  using TaskOf<T>::TaskOf;
};

/// The blocks and threads that a task runs on.
template <class T>
Shape shape_of(const Task<T>& task);

}  // namespace gpu
