#include "ham/operations/operations.h"

namespace ham {

long kept_numbers(const Operation& operation) {
  return std::visit(
      [](const auto& op) -> long {
        if constexpr (requires { op.kept(); })
          return op.kept();
        else
          return 0;
      },
      operation);
}

template <class T>
void forward(const Operation& operation, Frame<T>& frame) {
  std::visit([&](const auto& op) { op.forward(frame); }, operation);
}

template <class T>
void reverse(const Operation& operation, Frame<T>& frame) {
  std::visit([&](const auto& op) { op.reverse(frame); }, operation);
}

template void forward<float>(const Operation&, Frame<float>&);
template void forward<double>(const Operation&, Frame<double>&);
template void reverse<float>(const Operation&, Frame<float>&);
template void reverse<double>(const Operation&, Frame<double>&);

}  // namespace ham
