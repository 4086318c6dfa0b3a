// The loops that take the time, compiled for several instruction sets and chosen when the program starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ham {

/// C = start + op(A)·op(B); row-major, op(A) is m×k and op(B) is k×n, a transposed factor is stored k×m (n×k). The
/// start is an array like C, C itself, or null for zeros.
///
/// A factor that is mostly zeros (an image's background, what max-pooling did not pick) costs only its nonzeros.
template <class T>
struct Product {
  long m, n, k;
  const T* a;
  long lda;
  bool transpose_a;
  const T* b;
  long ldb;
  bool transpose_b;
  T* c;
  long ldc;
  const T* start;
  const T* packed_b = nullptr;     ///< op(B) as Kernels::pack arranged it, or null
  const void* listed_a = nullptr;  ///< A's nonzeros as Kernels::list wrote them, or null
};

/// Two arrays, one [outer, n, inner] and one [outer, inner] that is repeated (or summed) over the middle axis.
struct Repeat {
  long outer, n, inner;
};

/// φ of a Lagrangian L(x) = γ φ(βx)/β + δ·x, for the forms that have a loop of their own.
enum class Form { identity, rectified_power, exponential, rectified_exponential, tanh, sigmoid, softmax, shaped };

/// For each of `groups` runs of n numbers x: g = φ′(βx), hv = β φ″(βx) v, value = Σ φ(βx)/β; null results are skipped.
template <class T>
struct FormCall {
  Form form;
  double power;  // n of rectified_power
  T beta;
  long groups, n;
  const T* x;
  const T* v;
  T* g;
  T* hv;
  T* value;
};

/// The geometry of a convolution or pooling of images (height, width, channels).
struct Window {
  int height, width, channels;  // of the input
  int kernel_height, kernel_width;
  int stride_height, stride_width;
  int padding_height, padding_width;  // zeros on each side
  int out_height, out_width;
  long input_size() const { return static_cast<long>(height) * width * channels; }
  long positions() const { return static_cast<long>(out_height) * out_width; }
  long patch() const { return static_cast<long>(kernel_height) * kernel_width * channels; }
  /// Where the patch of an output position begins in the image with its zeros around it.
  std::int32_t patch_begin(int oy, int ox) const {
    return (oy * stride_height * (width + 2 * padding_width) + ox * stride_width) * channels;
  }
};

/// A convolution with pool.channels channels, of which one position is wanted for each cell and channel of `pool`, a
/// window on its output. A pick is that position's patch_begin().
struct Picked {
  Window window, pool;
};

/// One set of loops; every set computes the same up to rounding, and each is deterministic.
template <class T>
struct Kernels {
  void (*multiply)(const Product<T>&);
  // op(B) of a product, at least 64 bytes wide, arranged once for all products with it that use the same set of loops:
  // how many numbers that takes, and the arranging.
  long (*packed_count)(long k, long n);
  void (*pack)(const Product<T>&, T* packed);
  // Whether most of a matrix's numbers are zeros, judged by some of its rows; the nonzeros of a product's A, not
  // transposed, listed once for all products with it: the bytes that takes, and the listing.
  bool (*mostly_zeros)(const T* x, long rows, long columns, long stride);
  long (*list_bytes)(long m, long k);
  void (*list)(const Product<T>&, void* room);
  // to[j, i] = from[i, j].
  void (*turn)(long rows, long columns, const T* from, long from_stride, T* to, long to_stride);
  // A null start means zeros; it may be y itself.
  void (*repeat_add)(Repeat, const T* start, const T* b, T* y);                // y[o,n,i] = start[o,n,i] + b[o,i]
  void (*multiply_add)(Repeat, const T* start, const T* a, const T* b, T* y);  // … = start[…] + a[o,n,i] b[o,i]
  void (*sum_add)(Repeat, const T* a, T* y);                                   // y[o,i] += Σ_n a[o,n,i]
  void (*multiply_sum_add)(Repeat, const T* a, const T* b, T* y);              // y[o,i] += Σ_n a[o,n,i] b[o,n,i]
  void (*form)(const FormCall<T>&);
  void (*gather)(const Window&, long images, const T* x, T* patches);       // patches[image, position, patch]
  void (*scatter_add)(const Window&, long images, const T* patches, T* x);  // its transpose
  // Max pooling; a pick is where in its image the position of a maximum begins, the first of equal ones, or what stands
  // in `places` for that position.
  void (*max_pool)(const Window&, long images, const T* x, T* y, std::int32_t* picks, const std::int32_t* places);
  void (*take)(const Window&, long images, const std::int32_t* picks, const T* x, T* y);  // y = x there
  void (*give)(const Window&, long images, const std::int32_t* picks, const T* y, T* x);  // x += y there
  // y += x there, by the picks of a picked convolution; x are all numbers of its output.
  void (*take_picked)(const Picked&, long images, const std::int32_t* picks, const T* x, T* y);
  // A picked convolution, y +=, and its transposes, x += and kernel +=; a kernel is (patch, channel).
  void (*correlate_picked)(const Picked&, long images, const std::int32_t* picks, const T* x, const T* kernel, T* y);
  void (*correlate_picked_to_image)(const Picked&, long images, const std::int32_t* picks, const T* y, const T* kernel,
                                    T* x);
  void (*correlate_picked_to_kernel)(const Picked&, long images, const std::int32_t* picks, const T* x, const T* y,
                                     T* kernel);
  // after = x + rate·free·(force + rest − x); no rest is 0, no free is 1, and after may be x.
  void (*descend)(long n, T rate, const T* force, const T* rest, const T* free, const T* x, T* after);
  // The weights after the step join their running average by this share; no average: null.
  void (*adamw)(long n, const T* gradient, T rate, T beta1, T beta2, T correction1, T correction2, T epsilon, T decay,
                T* first, T* second, T* weights, T share, T* average);
};

/// A set of loops by name: `baseline`, `x86-64-v3`, `x86-64-v4`, `amx`.
struct KernelSet {
  const char* name;
  bool (*available)();
  const Kernels<float>& (*single)();
  const Kernels<double>& (*real)();
  bool by_choice = false;  ///< less exact than single precision: used only when asked for
};

/// Every set this program was built with, slowest first; a set may run only where available().
std::span<const KernelSet> kernel_sets();

/// The name of the set in use: the last available one that is not by_choice, unless use_kernels() chose another.
const char* kernels_in_use();

/// Chooses a set by name; throws std::invalid_argument when it is unknown or not available here.
void use_kernels(const std::string& name);

/// The loops in use for float and double.
template <class T>
const Kernels<T>& kernels();

/// Memory of the calling thread for one purpose, kept between calls: grows, never shrinks, 64-byte aligned.
enum class Scratch {
  packed_b,
  turned,
  starts,
  columns,
  values,
  product,
  group,
  patches,
  tiles,
  first,
  second,
  third,
  picks,
  bordered,
  taps,
  kCount
};
std::byte* scratch(Scratch purpose, std::size_t bytes);

template <class T>
T* scratch(Scratch purpose, long count) {
  return reinterpret_cast<T*>(scratch(purpose, static_cast<std::size_t>(count) * sizeof(T)));
}

}  // namespace ham
