#include "ham/network/alignment_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <variant>

#include "core/numbers.h"
#include "ham/network/alignment_functions.h"

namespace ham {
namespace {

/// A piece of text with its meaning.
struct Expression {
  enum class Kind { number, activation, array, shaping, part, plus, times, negated, inverse, power, call } kind;
  std::size_t at = 0, end = 0;  // characters of the text
  double number = 0;            // also the exponent of a power
  std::size_t place = 0;        // of an activation or a part
  std::string name;             // of an array or a Lagrangian
  const Function* function = nullptr;
  std::vector<Expression> operands;
};

[[noreturn]] void fail(const std::string& text, std::size_t at, std::size_t end, const std::string& what) {
  constexpr std::size_t kShown = 24;
  std::string shown = text.substr(at, std::min(std::max(end, at + 1) - at, kShown));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  throw std::invalid_argument(at >= text.size()
                                  ? fmt::format("alignment: character {}, the end: {}", at + 1, what)
                                  : fmt::format("alignment: character {}, '{}': {}", at + 1, shown, what));
}

/// Recursive descent over: text = {NAME "=" sum ";"} sum; sum = product {("+"|"-") product}; product = unary {("*"|"/")
/// unary}; unary = ["-"] power; power = atom ["^" ["-"] number].
class Parser {
 public:
  Parser(const std::string& text, const AlignmentNames& names) : text_(text), names_(names) {}

  /// The parts, the alignment last.
  std::vector<Expression> parse() {
    constexpr std::size_t kLongest = 4096;  // so that no tree is too deep to walk
    if (text_.size() > kLongest)
      throw std::invalid_argument(fmt::format("alignment: is longer than {} characters", kLongest));
    std::vector<Expression> parts;
    for (;;) {
      const std::string name = definition();
      parts.push_back(sum());
      if (name.empty()) break;
      if (!take(';')) fail(text_, at_, at_, "expected `;` after what is given a name");
      parts_.push_back(name);
    }
    take(';');
    if (skip(); at_ < text_.size()) fail(text_, at_, at_ + 1, "expected an operator or the end");
    for (const auto& [name, array] : names_.arrays)
      if (!used_.contains(name))
        throw std::invalid_argument(fmt::format("alignment: parameter '{}' is declared and not used", name));
    return parts;
  }

 private:
  static bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
  static bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  char next() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  std::string word() {
    skip();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  /// The NAME of `NAME =`, empty where there is none.
  std::string definition() {
    const std::size_t begin = at_;
    if (letter(next())) {
      const std::size_t start = at_;
      const std::string name = word();
      if (next() == '=') {
        ++at_;
        if (names_.arrays.contains(name) || names_.lagrangians.contains(name) || std::ranges::count(parts_, name) ||
            function_named(name) != nullptr)
          fail(text_, start, start + name.size(), "the name is taken");
        return name;
      }
    }
    at_ = begin;
    return "";
  }

  static Expression binary(Expression::Kind kind, std::size_t at, Expression a, Expression b) {
    const std::size_t end = b.end;
    Expression result{.kind = kind, .at = at, .end = end};
    result.operands.push_back(std::move(a));
    result.operands.push_back(std::move(b));
    return result;
  }
  static Expression unary(Expression::Kind kind, std::size_t at, Expression a) {
    Expression result{.kind = kind, .at = at, .end = a.end};
    result.operands.push_back(std::move(a));
    return result;
  }

  Expression sum() {
    constexpr int kDeepest = 100;
    if (++depth_ > kDeepest) fail(text_, at_, at_ + 1, "parentheses are nested too deeply");
    Expression result = product();
    for (char c = next(); c == '+' || c == '-'; c = next()) {
      const std::size_t at = at_++;
      Expression right = product();
      if (c == '-') right = unary(Expression::Kind::negated, at, std::move(right));
      result = binary(Expression::Kind::plus, at, std::move(result), std::move(right));
    }
    --depth_;
    return result;
  }

  Expression product() {
    Expression result = signed_power();
    for (char c = next(); c == '*' || c == '/'; c = next()) {
      const std::size_t at = at_++;
      Expression right = signed_power();
      if (c == '/') right = unary(Expression::Kind::inverse, at, std::move(right));
      result = binary(Expression::Kind::times, at, std::move(result), std::move(right));
    }
    return result;
  }

  Expression signed_power() {
    std::size_t signs = 0, at = 0;
    while (next() == '-') at = at_++, ++signs;
    Expression result = atom();
    if (next() == '^') {
      const std::size_t sign = at_++;
      const bool negative = take('-');
      Expression exponent = atom();
      if (exponent.kind != Expression::Kind::number) fail(text_, exponent.at, exponent.end, "an exponent is a number");
      result = unary(Expression::Kind::power, sign, std::move(result));
      result.end = exponent.end;
      result.number = negative ? -exponent.number : exponent.number;
    }
    return signs % 2 ? unary(Expression::Kind::negated, at, std::move(result)) : result;
  }

  Expression atom() {
    const char c = next();
    const std::size_t at = at_;
    if (c == '(') {
      ++at_;
      Expression inside = sum();
      if (!take(')')) fail(text_, at_, at_ + 1, fmt::format("expected `)` for the `(` at character {}", at + 1));
      return inside;
    }
    if (digit(c) || c == '.') return number(at);
    if (letter(c)) return named(at);
    fail(text_, at, at + 1, "expected a number, a name or `(`");
  }

  Expression number(std::size_t at) {
    while (at_ < text_.size() && (digit(text_[at_]) || text_[at_] == '.')) ++at_;
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
      while (at_ < text_.size() && digit(text_[at_])) ++at_;
    }
    Expression result{.kind = Expression::Kind::number, .at = at, .end = at_};
    try {
      result.number = core::parse_double(text_.substr(at, at_ - at), "");
    } catch (const std::invalid_argument&) {
      fail(text_, at, at_, "is no number");
    }
    return result;
  }

  Expression activation(std::size_t at, std::size_t place) {
    return {.kind = Expression::Kind::activation, .at = at, .end = at_, .place = place};
  }

  Expression named(std::size_t at) {
    const std::string name = word();
    if (name == "g" && at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      const std::string layer = word();
      const auto found = std::ranges::find(names_.layers, layer);
      if (found == names_.layers.end())
        fail(text_, at, at_, fmt::format("'{}' is not one of the layers it connects, {}", layer, list(names_.layers)));
      return activation(at, static_cast<std::size_t>(found - names_.layers.begin()));
    }
    if (next() == '(') return call(at, name);
    if (const auto part = std::ranges::find(parts_, name); part != parts_.end())
      return {.kind = Expression::Kind::part,
              .at = at,
              .end = at + name.size(),
              .place = static_cast<std::size_t>(part - parts_.begin())};
    for (const auto& [kind, known] : {std::pair{Expression::Kind::array, names_.arrays.contains(name)},
                                      std::pair{Expression::Kind::shaping, names_.lagrangians.contains(name)}})
      if (known) {
        used_.insert(name);
        return {.kind = kind, .at = at, .end = at + name.size(), .name = name};
      }
    if (name.size() > 1 && name.size() < 4 && name[0] == 'g' && std::all_of(name.begin() + 1, name.end(), digit)) {
      const std::size_t place = std::stoul(name.substr(1));
      if (place < names_.layers.size()) return activation(at, place);
    }
    std::vector<std::string> known;
    for (std::size_t i = 0; i < names_.layers.size(); ++i) known.push_back("g." + names_.layers[i]);
    for (const auto& [array, shape] : names_.arrays) known.push_back(array);
    known.insert(known.end(), parts_.begin(), parts_.end());
    fail(text_, at, at + name.size(), "the name is not known; there are " + list(known));
  }

  Expression call(std::size_t at, const std::string& name) {
    Expression result{.kind = Expression::Kind::call, .at = at, .function = function_named(name)};
    if (result.function == nullptr) {
      std::vector<std::string> names;
      for (const Function& each : functions()) names.emplace_back(each.name);
      fail(text_, at, at + name.size(), "is not one of the functions " + list(names));
    }
    take('(');
    if (next() != ')') do
        result.operands.push_back(sum());
      while (take(','));
    if (!take(')')) fail(text_, at_, at_ + 1, fmt::format("expected `,` or `)` in {}(…)", name));
    result.end = at_;
    if (result.operands.size() < result.function->least || result.operands.size() > result.function->most)
      fail(text_, at, at_,
           fmt::format("{} arguments, expected {}", result.operands.size(), result.function->help.usage));
    return result;
  }

  static std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "none" : text;
  }

  const std::string& text_;
  const AlignmentNames& names_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<std::string> parts_;
  std::set<std::string> used_;
};

/// A parsed alignment with everything its names mean.
struct Parsed {
  std::string text;
  AlignmentNames names;
  std::vector<Expression> parts;

  Thing evaluate(const Expression& e, Scope& scope, std::span<const Value> g, const std::vector<Thing>& done) const {
    const auto operand = [&](std::size_t i) { return evaluate(e.operands[i], scope, g, done); };
    std::vector<Thing> operands;
    for (std::size_t i = 0; i < e.operands.size(); ++i) operands.push_back(operand(i));
    try {
      switch (e.kind) {
        case Expression::Kind::number:
          return e.number;
        case Expression::Kind::activation:
          if (e.place >= g.size()) throw std::invalid_argument(fmt::format("connects {} layers only", g.size()));
          return g[e.place];
        case Expression::Kind::array: {
          const AlignmentNames::Array& array = names.arrays.at(e.name);
          return scope.parameter(e.name, array.shape, array.initial);
        }
        case Expression::Kind::shaping:
          return Shaping{e.name, &names.lagrangians.at(e.name)};
        case Expression::Kind::part:
          return done[e.place];
        case Expression::Kind::plus:
          return plus(operands[0], operands[1]);
        case Expression::Kind::times:
          return times(operands[0], operands[1]);
        case Expression::Kind::negated:
          return minus(operands[0]);
        case Expression::Kind::inverse:
          return to_the(operands[0], -1);
        case Expression::Kind::power:
          return to_the(operands[0], e.number);
        case Expression::Kind::call:
          return e.function->apply(Arguments(scope, std::move(operands)));
      }
    } catch (const std::invalid_argument& error) {
      fail(text, e.at, e.end, error.what());
    }
    throw std::logic_error("expression");
  }

  Value operator()(Scope& scope, std::span<const Value> g) const {
    std::vector<Thing> done;
    for (const Expression& part : parts) done.push_back(evaluate(part, scope, g, done));
    const Value* alignment = std::get_if<Value>(&done.back());
    if (alignment == nullptr || !alignment->batched) throw std::invalid_argument("alignment: depends on no layer");
    return *alignment;
  }
};

}  // namespace

Alignment parse_alignment(const std::string& text, AlignmentNames names) {
  const auto parsed = std::make_shared<Parsed>(Parsed{text, std::move(names), {}});
  parsed->parts = Parser(parsed->text, parsed->names).parse();
  return [parsed](Scope& scope, std::span<const Value> g) { return (*parsed)(scope, g); };
}

}  // namespace ham
