#include "ham/data/batch_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace ham {
namespace {

// The stream of an epoch's order is that of an image no data set has.
constexpr std::uint64_t kOrder = std::numeric_limits<std::uint64_t>::max();

}  // namespace

std::vector<std::uint32_t> BatchStream::order(long count, std::uint64_t seed, std::uint64_t epoch) {
  std::vector<std::uint32_t> items(count);
  std::iota(items.begin(), items.end(), 0u);
  core::Stream stream(seed, epoch, kOrder, core::Purpose::data);
  core::shuffle(stream, items);
  return items;
}

/// Batch n is made in slot n mod ahead, by one worker, so that workers share nothing but the counters.
struct BatchStream::Impl {
  struct Slot {
    Tensor<float> images;
    std::vector<int> labels;
    long holds = -1;  // the batch that is ready here
  };

  const Images& images;
  const Normalization& normalization;
  const BatchOptions options;
  const long per_epoch;
  Shape shape;

  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<Slot> slots;
  long to_make, to_take;
  std::exception_ptr failure;
  std::vector<std::uint32_t> order_here;  // of make_next
  long epoch_of_order = -1;
  std::vector<std::jthread> threads;

  Impl(const Images& source, const Normalization& numbers, const BatchOptions& given, long first)
      : images(source),
        normalization(numbers),
        options(given),
        per_epoch((source.count() + given.batch - 1) / given.batch),
        shape(given.shape.empty() ? Shape{source.rows, source.columns, source.channels} : given.shape),
        slots(given.ahead),
        to_make(first),
        to_take(first) {
    shape.insert(shape.begin(), static_cast<int>(options.batch));
    try {
      for (int worker = 0; worker < options.workers; ++worker)
        threads.emplace_back([this](const std::stop_token& stop) { work(stop); });
    } catch (const std::system_error&) {
      // Limits of users and of containers: fewer workers make the same batches, and who takes them can, too.
    }
  }

  Slot& slot_of(long batch) { return slots[batch % static_cast<long>(slots.size())]; }

  void work(const std::stop_token& stop) {
    std::vector<std::uint32_t> order;
    long epoch = -1;
    std::unique_lock lock(mutex);
    for (;;) {
      if (!changed.wait(lock, stop, [&] { return to_make < to_take + options.ahead; })) return;
      const long batch = to_make++;
      lock.unlock();
      try {
        if (batch / per_epoch != epoch) {
          epoch = batch / per_epoch;
          order = BatchStream::order(images.count(), options.seed, epoch);
        }
        make(epoch, std::span(order).subspan(batch % per_epoch * options.batch), slot_of(batch));
      } catch (...) {
        lock.lock();
        failure = std::current_exception();
        changed.notify_all();
        return;
      }
      lock.lock();
      slot_of(batch).holds = batch;
      changed.notify_all();
    }
  }

  void make(std::uint64_t epoch, std::span<const std::uint32_t> rest, Slot& slot) const {
    const long count = std::min<long>(options.batch, static_cast<long>(rest.size())), size = images.size();
    slot.images.shape = shape;
    slot.images.shape[0] = static_cast<int>(count);
    slot.images.values.resize(count * size);
    slot.labels.resize(count);
    for (long i = 0; i < count; ++i) {
      const std::uint32_t index = rest[i];
      augment(images, index, normalization, options.augmentation,
              core::Stream(options.seed, epoch, index, core::Purpose::data),
              std::span(slot.images.values).subspan(i * size, size));
      slot.labels[i] = images.labels[index];
    }
  }

  /// On the thread that takes it.
  void make_next(Tensor<float>& into, std::vector<int>& labels) {
    const long batch = to_take++;
    if (batch / per_epoch != epoch_of_order || order_here.empty()) {
      epoch_of_order = batch / per_epoch;
      order_here = BatchStream::order(images.count(), options.seed, epoch_of_order);
    }
    Slot& slot = slots.front();
    make(epoch_of_order, std::span(order_here).subspan(batch % per_epoch * options.batch), slot);
    std::swap(into, slot.images);
    std::swap(labels, slot.labels);
  }

  void next(Tensor<float>& into, std::vector<int>& labels) {
    if (threads.empty()) return make_next(into, labels);
    std::unique_lock lock(mutex);
    Slot& slot = slot_of(to_take);
    changed.wait(lock, [&] { return slot.holds == to_take || failure; });
    if (slot.holds != to_take) std::rethrow_exception(failure);
    std::swap(into, slot.images);
    std::swap(labels, slot.labels);
    ++to_take;
    changed.notify_all();
  }
};

BatchStream::BatchStream(const Images& images, const Normalization& normalization, BatchOptions options, long first) {
  if (images.count() < 1) throw std::invalid_argument("batches: there are no images");
  if (options.batch < 1 || options.workers < 1 || options.ahead < 1 || first < 0)
    throw std::invalid_argument("batches: batch, workers and ahead are at least 1, the first batch at least 0");
  if (options.batch > std::numeric_limits<int>::max()) throw std::invalid_argument("batches: too many images in one");
  if (!options.shape.empty() && ham::count(options.shape) != images.size())
    throw std::invalid_argument(fmt::format("batches: images of {}x{}x{} do not fill a layer of shape {}", images.rows,
                                            images.columns, images.channels, text(options.shape)));
  impl_ = std::make_unique<Impl>(images, normalization, options, first);
}

BatchStream::~BatchStream() = default;

void BatchStream::next(Tensor<float>& images, std::vector<int>& labels) { impl_->next(images, labels); }

long BatchStream::batches_per_epoch() const { return impl_->per_epoch; }

}  // namespace ham
