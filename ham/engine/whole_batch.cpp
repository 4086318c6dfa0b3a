#include "ham/engine/whole_batch.h"

#include <algorithm>

#include "core/parallel.h"

namespace ham {
namespace {

// Columns of a tile: as many as leave a factor's slices in the caches, and few, so that many threads share a product.
constexpr long kTileColumns = 128;
// Rows: a factor that is mostly zeros is read from lists, and little of the other one is reused.
constexpr long kTileRows = 512, kListedRows = 256;

long pieces(long length, long most) { return (length + most - 1) / most; }

}  // namespace

// ---- tiles -------------------------------------------------------------------------------------------------------

template <class T>
long TiledProducts<T>::most_tiles(long m, long n) {
  return pieces(m, kListedRows) * pieces(n, kTileColumns);
}

template <class T>
void TiledProducts<T>::multiply(Product<T> p, int threads, const std::function<void(const Tile&)>& done) {
  const Kernels<T>& loops = kernels<T>();
  const auto in_rows = [&](long most, auto body) {
    const long blocks = pieces(p.m, most);
    core::parallel_for(blocks, threads, [&](std::size_t b, int) {
      const auto block = static_cast<long>(b);
      body(block, block * p.m / blocks, (block + 1) * p.m / blocks);
    });
  };
  if (p.transpose_a) {
    if (turned_room_ < p.m * p.k) turned_ = zeros<T>(turned_room_ = p.m * p.k);
    constexpr long kTurnedRows = 64;
    in_rows(kTurnedRows, [&](long, long row, long end) {
      loops.turn(p.k, end - row, p.a + row, p.lda, turned_.get() + row * p.k, p.k);
    });
    p.a = turned_.get();
    p.lda = p.k;
    p.transpose_a = false;
  }
  const bool listed = p.m * p.k >= (1 << 14) && p.n >= kTileColumns && loops.mostly_zeros(p.a, p.m, p.k, p.lda);
  const long most_rows = listed ? kListedRows : kTileRows;
  const long row_tiles = pieces(p.m, most_rows), column_tiles = pieces(p.n, kTileColumns);
  const std::size_t list_bytes = listed ? loops.list_bytes(pieces(p.m, row_tiles), p.k) : 0;
  if (listed) {
    if (lists_.size() < list_bytes * row_tiles) lists_.resize(list_bytes * row_tiles);
    in_rows(most_rows, [&](long block, long row, long end) {
      Product<T> part = p;
      part.m = end - row;
      part.a = p.a + row * p.lda;
      loops.list(part, lists_.data() + block * list_bytes);
    });
  }
  core::parallel_for(row_tiles * column_tiles, threads, [&](std::size_t index, int) {
    const auto i = static_cast<long>(index);
    const long block = i % row_tiles, row = block * p.m / row_tiles;
    Tile tile{i, row, (block + 1) * p.m / row_tiles - row, i / row_tiles * kTileColumns, kTileColumns};
    tile.columns = std::min(tile.columns, p.n - tile.column);
    Product<T> part = p;
    part.m = tile.rows;
    part.n = tile.columns;
    part.a = p.a + tile.row * p.lda;
    part.b = p.b + tile.column * (p.transpose_b ? p.ldb : 1);
    const long corner = tile.row * p.ldc + tile.column;
    part.c = p.c + corner;
    part.start = p.start == nullptr ? nullptr : p.start + corner;
    part.listed_a = listed ? lists_.data() + block * list_bytes : nullptr;
    loops.multiply(part);
    if (done) done(tile);
  });
}

// ---- arrays ------------------------------------------------------------------------------------------------------

template <class T>
void WholeBatch<T>::store(const Unrolled& unrolled) {
  arrays_.runs.resize(unrolled.runs.size());
  for (std::size_t i = 0; i < arrays_.runs.size(); ++i) arrays_.runs[i] = std::max(arrays_.runs[i], unrolled.runs[i]);
  room_ = 0;
}

template <class T>
void WholeBatch<T>::take(long rows) {
  arrays_.rows = rows;
  const std::size_t count = nodes().size();
  long total = 0;
  const auto lay_out = [&](T* memory, long most) {
    total = 0;
    const auto place = [&](long numbers) -> T* {
      constexpr long kStep = 64 / sizeof(T);
      T* const at = memory == nullptr || numbers == 0 ? nullptr : memory + total;
      total += (numbers + kStep - 1) / kStep * kStep;
      return at;
    };
    for (auto* list : {&arrays_.value, &arrays_.tangent, &arrays_.gradient, &arrays_.stored, &arrays_.bar_stored})
      list->assign(count, nullptr);
    long widest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Slot& slot = program_.slots[i];
      const long size = most * slot.size;
      if (slot.per == Per::batch) {
        arrays_.value[i] = place(size);
        if (!training_) continue;
        const bool leaf = std::holds_alternative<Leaf>(nodes()[i].operation);
        if (leaf && slot.swept) arrays_.tangent[i] = place(size);
        if (slot.wanted || (slot.swept && slot.boundary)) arrays_.gradient[i] = place(size);
        if (!leaf && slot.swept) widest = std::max(widest, size);
      }
      if (arrays_.runs.empty()) continue;
      if (slot.stored) arrays_.stored[i] = place(2 * arrays_.runs[i] * size);
      if (slot.bar_stored) arrays_.bar_stored[i] = place(2 * arrays_.runs[i] * size);
    }
    product_ = place(widest);
  };
  if (rows <= room_) return;
  lay_out(nullptr, rows);
  memory_ = zeros<T>(total);
  room_ = rows;
  lay_out(memory_.get(), rows);
}

template <class T>
T* WholeBatch<T>::number(const Constants<T>& constants, int node) const {
  return const_cast<T*>(constants.numbers.data()) + program_.slots[node].offset;  // factors are only read
}

// ---- instructions ------------------------------------------------------------------------------------------------

template <class T>
void WholeBatch<T>::forward(const Constants<T>& constants, int threads) {
  for (const Instruction& instruction : program_.batch) {
    if (instruction.act != Act::forward) continue;
    const int node = instruction.target;
    const std::vector<int>& inputs = nodes()[node].inputs;
    Product<T> p = map(node).products_with(number(constants, inputs[1]), false);
    p.m = arrays_.rows;
    p.a = arrays_.value[inputs[0]];
    p.lda = p.k;
    p.c = arrays_.value[node];
    p.ldc = p.n;
    p.start = inputs.size() > 2 ? arrays_.value[inputs[2]] : nullptr;
    products_.multiply(p, threads);
  }
}

template <class T>
void WholeBatch<T>::reverse(const Unrolled& unrolled, const Constants<T>& constants, int threads) {
  for (const Instruction& instruction : unrolled.batch_reverse) {
    const int node = instruction.target;
    const std::vector<int>& inputs = nodes()[node].inputs;
    T* const bar = arrays_.gradient[node];
    if (inputs.size() > 2) {
      T* const start = arrays_.gradient[inputs[2]];
      core::for_each_chunk(arrays_.rows * map(node).out, threads, [&](std::size_t, std::size_t at, std::size_t size) {
        kernels<T>().repeat_add({1, 1, static_cast<long>(size)}, start + at, bar + at, start + at);
      });
    }
    if (!program_.slots[inputs[0]].wanted) continue;
    Product<T> p = map(node).products_with(number(constants, inputs[1]), true);
    p.m = arrays_.rows;
    p.a = bar;
    p.lda = p.k;
    p.c = arrays_.gradient[inputs[0]];
    p.ldc = p.n;
    p.start = p.c;
    products_.multiply(p, threads);
  }
}

template <class T>
void WholeBatch<T>::gradients(const Unrolled& unrolled, const Constants<T>& constants, T* gradient, int threads) {
  for (const Instruction& instruction : unrolled.gradients)
    if (instruction.act == Act::outer)
      outer(instruction, unrolled.runs[instruction.target], gradient, threads);
    else
      along_beta(instruction.target, constants, gradient, threads);
}

// In every step x W̄ gets x ȳ̇ and ẋ ȳ; pairs of steps and samples are one long inner axis.
template <class T>
void WholeBatch<T>::outer(const Instruction& instruction, int runs, T* gradient, int threads) {
  const int node = instruction.target, x = nodes()[node].inputs[0], weights = nodes()[node].inputs[1];
  const Linear& linear = map(node);
  const bool deferred = program_.slots[node].deferred;
  T* const w = gradient + program_.slots[weights].offset;
  products_.multiply({linear.in, linear.out, deferred ? 2 * runs * arrays_.rows : arrays_.rows,
                      deferred ? arrays_.stored[x] : arrays_.value[x], linear.in, true,
                      deferred ? arrays_.bar_stored[node] : arrays_.gradient[node], linear.out, false, w, linear.out,
                      (instruction.fresh & 2) != 0 ? nullptr : w},
                     threads);
}

// Its activation's tangent goes through all linear maps of the layer and meets the derivatives by their outputs.
template <class T>
void WholeBatch<T>::along_beta(int layer, const Constants<T>& constants, T* gradient, int threads) {
  const Network::Neurons& neurons = program_.network->layers()[layer];
  const T beta = *number(constants, neurons.coefficients[0]);
  if (beta < static_cast<T>(Lagrangian::kMinBeta)) return;
  T along = 0;
  for (const Instruction& instruction : program_.batch) {
    const int node = instruction.target;
    if (instruction.act != Act::forward || nodes()[node].inputs[0] != neurons.node) continue;
    Product<T> p = map(node).products_with(number(constants, nodes()[node].inputs[1]), false);
    p.m = arrays_.rows;
    p.a = arrays_.tangent[neurons.node];
    p.lda = p.k;
    p.c = product_;
    p.ldc = p.n;
    sums_.assign(TiledProducts<T>::most_tiles(p.m, p.n), T(0));
    products_.multiply(p, threads, [&](const typename TiledProducts<T>::Tile& tile) {
      for (long row = tile.row; row < tile.row + tile.rows; ++row)
        kernels<T>().multiply_sum_add({1, tile.columns, 1}, p.c + row * p.ldc + tile.column,
                                      arrays_.gradient[node] + row * p.ldc + tile.column, &sums_[tile.index]);
    });
    for (const T sum : sums_) along += sum;
  }
  gradient[program_.slots[neurons.coefficients[0]].offset] += along / beta;
}

template class TiledProducts<float>;
template class TiledProducts<double>;
template class WholeBatch<float>;
template class WholeBatch<double>;

}  // namespace ham
