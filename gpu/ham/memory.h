// A machine's memory for arrays: taken as they are asked for, given back all at once.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "gpu/device/launcher.h"

namespace gpu {

/// Owns what it hands out. Failures are the launcher's.
class Memory {
 public:
  explicit Memory(Launcher& launcher) : launcher_(launcher) {}
  ~Memory() {
    for (void* const each : taken_) launcher_.release(each);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Zeros: derivatives that no rule gives to are never written.
  template <class T>
  T* take(long count) {
    const std::size_t bytes = static_cast<std::size_t>(count < 1 ? 1 : count) * sizeof(T);
    void* const place = launcher_.allocate(bytes);
    taken_.push_back(place);
    launcher_.clear(place, bytes);
    return static_cast<T*>(place);
  }
  /// The same place for the same purpose, until more is asked for; what stood there stays where it was.
  template <class T>
  T* scratch(int purpose, long count) {
    Scratch& room = scratch_[purpose];
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    if (bytes > room.bytes) room = {take<std::byte>(static_cast<long>(bytes)), bytes};
    return reinterpret_cast<T*>(room.place);
  }
  template <class T>
  void put(T* there, std::span<const T> here) const {
    launcher_.put(there, here.data(), here.size_bytes());
  }
  template <class T>
  void get(std::span<T> here, const T* there) const {
    launcher_.get(here.data(), there, here.size_bytes());
  }
  Launcher& launcher() const { return launcher_; }

 private:
  struct Scratch {
    std::byte* place = nullptr;
    std::size_t bytes = 0;
  };
  Launcher& launcher_;
  std::vector<void*> taken_;
  std::map<int, Scratch> scratch_;
};

}  // namespace gpu
