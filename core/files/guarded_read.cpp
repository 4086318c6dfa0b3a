#include "core/files/guarded_read.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <span>
#include <stdexcept>

#include "core/files/descriptor.h"

namespace core {
namespace {

constexpr rlim_t kProcessorSeconds = 600;

/// What the two processes say to each other: sizes, then bytes, through a pipe.
class Channel {
 public:
  explicit Channel(int descriptor) : pipe_(descriptor) {}

  void put(const void* data, std::size_t size) {
    for (const auto* at = static_cast<const char*>(data); size > 0;) {
      const ssize_t written = ::write(pipe_.get(), at, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw errno_error("pipe");
      at += written, size -= static_cast<std::size_t>(written);
    }
  }
  void put(std::uint64_t value) { put(&value, sizeof value); }
  void put(const std::string& text) {
    put(text.size());
    put(text.data(), text.size());
  }

  /// False when the other end closed before all came.
  bool get(void* data, std::size_t size) {
    for (auto* at = static_cast<char*>(data); size > 0;) {
      const ssize_t got = ::read(pipe_.get(), at, size);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += got, size -= static_cast<std::size_t>(got);
    }
    return true;
  }
  bool get(std::uint64_t& value) { return get(&value, sizeof value); }
  bool get(std::string& text) {
    std::uint64_t size = 0;
    if (!get(size)) return false;
    text.resize(size);
    return get(text.data(), size);
  }

 private:
  Descriptor pipe_;
};

void put(Channel& channel, const NumericArray& array) {
  channel.put(array.shape.size());
  for (const std::uint64_t extent : array.shape) channel.put(extent);
  channel.put(static_cast<std::uint64_t>(array.type()));
  std::visit([&](const auto& values) { channel.put(values.data(), std::as_bytes(std::span(values)).size()); },
             array.values);
}

bool get(Channel& channel, NamedArrays& arrays) {
  std::string name;
  std::uint64_t dimensions = 0, type = 0;
  ArrayInfo info;
  if (!channel.get(name) || !channel.get(dimensions)) return false;
  info.shape.resize(dimensions);
  for (std::uint64_t& extent : info.shape)
    if (!channel.get(extent)) return false;
  if (!channel.get(type)) return false;
  info.type = static_cast<ElementType>(type);
  NumericArray& array = arrays.emplace_back(std::move(name), NumericArray(info)).second;
  return std::visit([&](auto& values) { return channel.get(values.data(), std::as_bytes(std::span(values)).size()); },
                    array.values);
}

std::uint64_t address_space() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// The child: its answer starts with the words of an error, empty for none.
[[noreturn]] void answer(Channel channel, const std::string& path, std::uint64_t byte_limit,
                         const std::function<NamedArrays()>& read) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE}) std::signal(signal, SIG_DFL);
  const rlimit none{0, 0}, seconds{kProcessorSeconds, kProcessorSeconds};
  const rlim_t bytes = std::max<std::uint64_t>(byte_limit, 1 << 26) + address_space();
  const rlimit memory{bytes, bytes};
  ::setrlimit(RLIMIT_CORE, &none);
  ::setrlimit(RLIMIT_CPU, &seconds);
  ::setrlimit(RLIMIT_AS, &memory);
  try {
    std::string error;
    NamedArrays arrays;
    try {
      arrays = read();
    } catch (const std::bad_alloc&) {
      error = path + ": needs more than the limit of " + std::to_string(byte_limit) + " bytes";
    } catch (const std::exception& failure) {
      error = failure.what();
    }
    channel.put(error);
    channel.put(arrays.size());
    for (const auto& [name, array] : arrays) channel.put(name), put(channel, array);
    ::_exit(0);
  } catch (...) {
    ::_exit(1);  // the parent is gone, or nothing can be said any more
  }
}

/// Waits for the child in every case.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { wait(); }
  int wait() {
    while (pid_ > 0 && ::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status_;
  }

 private:
  pid_t pid_;
  int status_ = 0;
};

}  // namespace

NamedArrays read_guarded(const std::string& path, const std::string& library, std::uint64_t byte_limit,
                         const std::function<NamedArrays()>& read) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw errno_error(path + ": cannot make a pipe");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    answer(Channel(ends[1]), path, byte_limit, read);
  }
  ::close(ends[1]);
  Child child(pid);
  Channel channel(ends[0]);  // closed before the child is waited for, so that the child cannot wait for us
  if (pid < 0) throw errno_error(path + ": cannot start a process to read it");

  std::string error;
  std::uint64_t count = 0;
  NamedArrays arrays;
  bool whole = channel.get(error) && channel.get(count);
  if (!error.empty()) throw std::runtime_error(error);
  while (whole && arrays.size() < count) whole = get(channel, arrays);
  const int status = child.wait();
  if (whole) return arrays;
  throw std::runtime_error(path + ": damaged: the " + library + " library could not survive reading it" +
                           (WIFSIGNALED(status) ? std::string(" (") + ::strsignal(WTERMSIG(status)) + ")" : ""));
}

}  // namespace core
