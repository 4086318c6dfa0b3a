#include "ham/data/resize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

namespace ham {
namespace {

constexpr int kWeightBits = 22;
constexpr int kGroup = 4;  // weights are summed four at a time, as many as bicubic enlarging has

struct Kernel {
  double support;
  double (*weight)(double distance);
};

double triangle(double x) { return std::max(0., 1 - std::abs(x)); }

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

constexpr Kernel kKernels[] = {{1, triangle}, {2, cubic}};  // in the order of Filter

/// For each output pixel of a line: the first input pixel, and the weights of it and its followers.
struct Weights {
  int taps = 0;  // a multiple of kGroup; what a pixel does not need is zero
  std::vector<int> first;
  std::vector<std::int32_t> weight;  // (output pixels, taps)
};

Weights make_weights(Filter filter, int in, int out) {
  const auto [support, weight] = kKernels[static_cast<int>(filter)];
  const double step = static_cast<double>(in) / out, stretch = std::max(step, 1.), reach = support * stretch;
  const auto first = [&](int x) { return std::max(0, static_cast<int>((x + 0.5) * step - reach + 0.5)); };
  const auto last = [&](int x) { return std::min(in, static_cast<int>((x + 0.5) * step + reach + 0.5)); };
  Weights table;
  for (int x = 0; x < out; ++x) table.taps = std::max(table.taps, last(x) - first(x));
  table.taps = (table.taps + kGroup - 1) / kGroup * kGroup;
  table.weight.assign(static_cast<std::size_t>(out) * table.taps, 0);
  std::vector<double> line(table.taps);
  for (int x = 0; x < out; ++x) {
    table.first.push_back(first(x));
    double sum = 0;
    const int count = last(x) - first(x);
    for (int i = 0; i < count; ++i) sum += line[i] = weight((first(x) + i + 0.5 - (x + 0.5) * step) / stretch);
    for (int i = 0; i < count; ++i)
      table.weight[static_cast<std::size_t>(x) * table.taps + i] =
          static_cast<std::int32_t>(std::lround(line[i] / sum * (1 << kWeightBits)));
  }
  return table;
}

/// The weights from `in` to `out` pixels, made once per thread: a few sizes come again and again.
const Weights& weights(Filter filter, int in, int out) {
  thread_local std::map<std::tuple<Filter, int, int>, Weights> made;
  const auto [entry, is_new] = made.try_emplace({filter, in, out});
  if (is_new) entry->second = make_weights(filter, in, out);
  return entry->second;
}

/// Lines of n numbers, each output line a weighted sum of input lines: out[x, i] = round(Σ_k w[x, k] in[first_x + k,
/// i]). Zero weights may lie kGroup − 1 lines beyond the last.
void weigh(const Weights& table, long n, const std::int32_t* in, std::int32_t* out) {
  const std::int32_t* w = table.weight.data();
  for (const int first : table.first) {
    std::fill_n(out, n, 1 << (kWeightBits - 1));
    for (int k = 0; k < table.taps; k += kGroup, w += kGroup) {
      const std::int32_t* line = in + (first + k) * n;
      for (long i = 0; i < n; ++i)
        out[i] += w[0] * line[i] + w[1] * line[n + i] + w[2] * line[2 * n + i] + w[3] * line[3 * n + i];
    }
    for (long i = 0; i < n; ++i) out[i] = std::clamp(out[i] >> kWeightBits, 0, 255);
    out += n;
  }
}

}  // namespace

void resize(std::span<const std::uint8_t> image, int columns, int channels, const Box& box, Filter filter, int out_rows,
            int out_columns, std::span<std::uint8_t> out) {
  thread_local std::vector<std::int32_t> first, second;
  const long stride = static_cast<long>(columns) * channels, line = static_cast<long>(out_columns) * channels;
  const std::size_t slack = kGroup - 1;
  const std::size_t largest = static_cast<std::size_t>(std::max(box.rows, out_rows) + slack) *
                              (std::max(box.columns, out_columns) + slack) * channels;
  if (first.size() < largest) first.resize(largest), second.resize(largest);
  const std::uint8_t* corner = image.data() + box.top * stride + static_cast<long>(box.left) * channels;

  // A pass that keeps the size would change nothing.
  if (box.columns == out_columns) {
    for (int row = 0; row < box.rows; ++row) std::copy_n(corner + row * stride, line, second.data() + row * line);
  } else {
    // Lines are columns here, so that the sums run over all rows at once.
    for (int row = 0; row < box.rows; ++row)
      for (long i = 0; i < static_cast<long>(box.columns) * channels; ++i)
        first[i * box.rows + row] = corner[row * stride + i];
    weigh(weights(filter, box.columns, out_columns), static_cast<long>(box.rows) * channels, first.data(),
          second.data());
    std::swap(first, second);
    for (long i = 0; i < line; ++i)
      for (int row = 0; row < box.rows; ++row) second[row * line + i] = first[i * box.rows + row];
  }
  if (box.rows != out_rows) {
    weigh(weights(filter, box.rows, out_rows), line, second.data(), first.data());
    std::swap(first, second);
  }
  std::copy_n(second.data(), out_rows * line, out.data());
}

}  // namespace ham
