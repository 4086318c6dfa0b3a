#include "ham/tensor.h"

namespace ham {

long count(const Shape& shape) {
  long product = 1;
  for (const int length : shape) product *= length;
  return product;
}

std::string text(const Shape& shape) {
  if (shape.empty()) return "()";
  std::string result;
  for (const int length : shape) result += (result.empty() ? "" : "x") + std::to_string(length);
  return result;
}

}  // namespace ham
