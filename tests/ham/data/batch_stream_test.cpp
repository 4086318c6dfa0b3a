#include "ham/data/batch_stream.h"

#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/child_process.h"

using namespace ham;

namespace {

constexpr long kCount = 50, kBatch = 12, kPerEpoch = 5;

/// Small images; every pixel and the label tell which one it is.
Images numbered_images() {
  Images images{6, 6, 1, {}, {}};
  for (int i = 0; i < kCount; ++i) {
    images.pixels.insert(images.pixels.end(), 36, static_cast<std::uint8_t>(i));
    images.labels.push_back(i);
  }
  return images;
}

const Normalization kBytes{{0}, {1 / 255.f}};
const Augmentation kAll{.scale = {0.5, 1}, .ratio = {0.75, 4. / 3}, .flip = 0.5, .jitter = 0.4, .erase = 0.3};

struct Batch {
  Tensor<float> images;
  std::vector<int> labels;
};

std::vector<Batch> take(long count, const BatchOptions& options, long first = 0) {
  static const Images images = numbered_images();
  BatchStream stream(images, kBytes, options, first);
  std::vector<Batch> batches(count);
  for (Batch& batch : batches) stream.next(batch.images, batch.labels);
  return batches;
}

bool same(const Batch& a, const Batch& b) {
  return a.images.shape == b.images.shape && a.images.values == b.images.values && a.labels == b.labels;
}

}  // namespace

TEST_CASE("an epoch holds every image once, the last batch what is left, each epoch in another order") {
  const std::vector<Batch> batches = take(2 * kPerEpoch, {.batch = kBatch, .seed = Catch::rngSeed()});
  std::vector<std::vector<int>> seen(2);
  for (long i = 0; i < 2 * kPerEpoch; ++i) {
    const Batch& batch = batches[i];
    const long expected = i % kPerEpoch == kPerEpoch - 1 ? kCount % kBatch : kBatch;
    CHECK(batch.images.shape == Shape{static_cast<int>(expected), 6, 6, 1});
    REQUIRE(static_cast<long>(batch.labels.size()) == expected);
    for (long k = 0; k < expected; ++k) {
      CHECK(batch.images.values[k * 36 + 17] == Approx(batch.labels[k]).margin(1e-3));
      seen[i / kPerEpoch].push_back(batch.labels[k]);
    }
  }
  CHECK(seen[0] != seen[1]);
  for (std::vector<int>& labels : seen) {
    std::ranges::sort(labels);
    for (int i = 0; i < kCount; ++i) CHECK(labels[i] == i);
  }
}

TEST_CASE("batches do not depend on the number of workers, how far they are ahead, or where the stream began") {
  BatchOptions options{.batch = kBatch, .seed = 3, .augmentation = kAll};
  const std::vector<Batch> one = take(3 * kPerEpoch, options);
  options.workers = 4;
  options.ahead = 7;
  const std::vector<Batch> many = take(3 * kPerEpoch, options);
  const std::vector<Batch> resumed = take(kPerEpoch, options, 2 * kPerEpoch - 2);
  for (long i = 0; i < 3 * kPerEpoch; ++i) CHECK(same(one[i], many[i]));
  for (long i = 0; i < kPerEpoch; ++i) CHECK(same(one[2 * kPerEpoch - 2 + i], resumed[i]));
  options.seed = 4;
  CHECK_FALSE(same(one[0], take(1, options)[0]));
}

TEST_CASE("where the system gives no workers the batches are the same") {
  const BatchOptions options{.batch = kBatch, .augmentation = kAll, .workers = 2};
  const std::vector<Batch> expected = take(2 * kPerEpoch, options, 3);
  const std::string said = support::in_child_without_root([&] {
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_NPROC, &none) != 0) return std::string("no limit");
    const std::vector<Batch> batches = take(2 * kPerEpoch, options, 3);
    return std::string(std::ranges::equal(batches, expected, same) ? "same" : "other");
  });
  CHECK(said == "same");
}

TEST_CASE("a batch holds what augment() makes with (seed, epoch, index)") {
  const Images images = numbered_images();
  const Batch batch = take(kPerEpoch + 1, {.batch = kBatch, .seed = 3, .augmentation = kAll}).back();
  const std::vector<std::uint32_t> order = BatchStream::order(kCount, 3, 1);
  std::vector<float> out(images.size());
  for (long i = 0; i < kBatch; ++i) {
    augment(images, order[i], kBytes, kAll, core::Stream(3, 1, order[i], core::Purpose::data), out);
    CHECK(std::equal(out.begin(), out.end(), batch.images.values.begin() + i * images.size()));
    CHECK(batch.labels[i] == images.labels[order[i]]);
  }
}

TEST_CASE("after the first batches the same memory is used again, short batches included") {
  const Images images = numbered_images();
  constexpr int kAhead = 3;
  BatchStream stream(images, kBytes, {.batch = kBatch, .workers = 2, .ahead = kAhead, .shape = {36}});
  Batch batch;
  std::set<const float*> places;
  for (int i = 0; i < 40; ++i) {
    stream.next(batch.images, batch.labels);
    // A tensor that first held a short batch grows once.
    if (i >= 2 * kPerEpoch) places.insert(batch.images.values.data());
  }
  CHECK(batch.images.shape == Shape{2, 36});
  CHECK(places.size() <= kAhead + 1);
}

TEST_CASE("streams of nothing, of batches below 1 or for layers of another size are refused") {
  const Images images = numbered_images();
  CHECK_THROWS_WITH(BatchStream({6, 6, 1, {}, {}}, kBytes, {}), Catch::Contains("no images"));
  CHECK_THROWS_WITH(BatchStream(images, kBytes, {.batch = 0}), Catch::Contains("at least 1"));
  CHECK_THROWS_WITH(BatchStream(images, kBytes, {.workers = 0}), Catch::Contains("at least 1"));
  CHECK_THROWS_WITH(BatchStream(images, kBytes, {.shape = {35}}), Catch::Contains("6x6x1"));
}
