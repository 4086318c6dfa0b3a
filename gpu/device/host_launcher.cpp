#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <vector>

#include "gpu/dam/trials_body.h"
#include "gpu/device/host_block.h"
#include "gpu/device/launcher.h"
#include "gpu/ham/tasks.h"

namespace gpu {
namespace {

class HostLauncher final : public Launcher {
 public:
  explicit HostLauncher(const Limits& limits) : limits_(limits) {}
  std::string name() const override { return "the host playing a card"; }
  Limits limits() const override { return limits_; }
  void* allocate(std::size_t bytes) override { return ::operator new (bytes, std::align_val_t{64}); }
  void release(void* memory) override { ::operator delete (memory, std::align_val_t{64}); }
  void clear(void* memory, std::size_t bytes) override { std::memset(memory, 0, bytes); }
  void put(void* there, const void* here, std::size_t bytes) override { std::memcpy(there, here, bytes); }
  void get(void* here, const void* there, std::size_t bytes) override { std::memcpy(here, there, bytes); }
  void run(const ClusterBatch& batch, const Shape& shape) override {
    for_each_block(shape, [&](HostBlock& block, std::byte* shared) {
      batch.task.positions == nullptr ? run_clusters<true>(block, batch, shared)
                                      : run_clusters<false>(block, batch, shared);
    });
  }
  void run(const StateBatch& batch, const Shape& shape) override {
    for_each_block(shape, [&](HostBlock& block, std::byte* shared) {
      batch.task.positions == nullptr ? run_states<true>(block, batch, shared)
                                      : run_states<false>(block, batch, shared);
    });
  }
  void enqueue(const Task<float>& task) override { put_in(task); }
  void enqueue(const Task<double>& task) override { put_in(task); }
  void begin_recording() override {
    recordings_.emplace_back();
    recording_ = true;
  }
  int end_recording() override {
    recording_ = false;
    return static_cast<int>(recordings_.size()) - 1;
  }
  void replay(int recording) override {
    for (const auto& work : recordings_[static_cast<std::size_t>(recording)]) work();
  }
  void finish() override {}

 private:
  template <class T>
  void put_in(const Task<T>& task) {
    const auto work = [this, task] {
      const Shape shape = shape_of(task);
      std::visit(
          [&](const auto& body) {
            for_each_block(shape, [&](HostBlock& block, std::byte* shared) { body.run(block, shared); });
          },
          static_cast<const TaskOf<T>&>(task));
    };
    recording_ ? recordings_.back().push_back(work) : work();
  }
  template <class Body>
  void for_each_block(const Shape& shape, const Body& body) {
    // Filled with a pattern: a body must not count on what it finds.
    std::byte* shared = static_cast<std::byte*>(allocate(shape.shared_bytes));
    for (int index = 0; index < shape.blocks; ++index) {
      std::memset(shared, 0xa5, shape.shared_bytes);
      HostBlock block(shape.threads, index, shape.blocks);
      body(block, shared);
    }
    release(shared);
  }

  Limits limits_;
  std::vector<std::vector<std::function<void()>>> recordings_;
  bool recording_ = false;
};

}  // namespace

std::unique_ptr<Launcher> make_host_launcher(const Limits& limits) { return std::make_unique<HostLauncher>(limits); }

}  // namespace gpu
