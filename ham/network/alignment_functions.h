// The functions and operators of an alignment's text, on what their arguments come to. For alignment_text.cpp.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "ham/network/alignment_text.h"

namespace ham {

/// A Lagrangian under the name it is declared by.
struct Shaping {
  std::string name;
  const Lagrangian* lagrangian;
};
using Thing = std::variant<double, Value, Shaping>;

/// The arguments of a function as it wants them.
class Arguments {
 public:
  Arguments(Scope& scope, std::vector<Thing> things) : scope_(scope), things_(std::move(things)) {}
  std::size_t size() const { return things_.size(); }
  Scope& scope() const { return scope_; }
  const Value& array(std::size_t i) const { return get<Value>(i, "an array"); }
  double number(std::size_t i) const { return get<double>(i, "a number"); }
  const Shaping& shaping(std::size_t i) const { return get<Shaping>(i, "the name of a Lagrangian"); }
  int integer(std::size_t i) const;
  const Thing& thing(std::size_t i) const { return things_[i]; }

 private:
  template <class T>
  const T& get(std::size_t i, const char* expected) const {
    if (const T* value = std::get_if<T>(&things_[i])) return *value;
    throw std::invalid_argument("argument " + std::to_string(i + 1) + " is no fit, expected " + expected);
  }
  Scope& scope_;
  std::vector<Thing> things_;
};

// Numbers with numbers, numbers with arrays, and arrays of which the smaller goes round on either side.
Thing plus(const Thing& a, const Thing& b);
Thing times(const Thing& a, const Thing& b);
Thing minus(const Thing& a);
Thing to_the(const Thing& a, double exponent);

struct Function {
  const char* name;
  std::size_t least, most;
  Value (*apply)(const Arguments&);
  AlignmentFunction help;
};

std::span<const Function> functions();
/// Null when there is none of that name.
const Function* function_named(const std::string& name);

}  // namespace ham
