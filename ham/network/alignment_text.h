// Alignments written as text: an expression over the operations of expression.h.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "ham/network/expression.h"

namespace ham {

/// What the names in an alignment's text mean.
struct AlignmentNames {
  struct Array {
    Shape shape;
    Initial initial;
  };
  std::vector<std::string> layers;                ///< `g.NAME`, by place; `g0`, `g1`, … go by place alone
  std::map<std::string, Array> arrays;            ///< learned arrays
  std::map<std::string, Lagrangian> lagrangians;  ///< for lagrangian(x, NAME); learned coefficients end in `_NAME`
};

/// The alignment of a text such as `h = linear(g.a, W); lagrangian(h, soft) - 0.5 * k * dot(g.a, g.a)`.
///
/// Throws std::invalid_argument "alignment: character N, 'TEXT': …" for what is no expression, unknown names, wrong
/// numbers of arguments and learned arrays that are not used; the alignment itself throws the same where shapes do not
/// fit.
Alignment parse_alignment(const std::string& text, AlignmentNames names);

/// A function an alignment's text may call.
struct AlignmentFunction {
  const char* usage;  ///< `sum(x)` or `sum(x, axis)`
  const char* meaning;
};
std::vector<AlignmentFunction> alignment_functions();

}  // namespace ham
