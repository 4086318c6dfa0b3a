#include "core/formats/array_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "core/formats/file_kind.h"
#include "core/formats/foreign_hdf5.h"
#include "core/formats/idx.h"
#include "core/formats/matlab.h"
#include "core/formats/npy.h"
#include "core/formats/npz.h"
#include "core/formats/number_table.h"
#include "core/formats/stored_numbers.h"

namespace core {
namespace {

/// Names without the slash that HDF5 paths may begin with.
std::string bare(const std::string& name) { return name.starts_with('/') ? name.substr(1) : name; }

std::string first_names(const ArrayRequest& request) {
  std::string text;
  if (request.all) return "by a name";
  for (const auto& set : request.names) text += (text.empty() ? "" : " or ") + set.front();
  return text;
}

/// The names to read of a file, given whether a name is in it and, should that be asked, all names.
std::vector<std::string> choose(const std::string& path, const ArrayRequest& request,
                                const std::function<bool(const std::string&)>& holds,
                                const std::function<std::vector<std::string>()>& list) {
  for (const auto& set : request.names)
    if (holds(bare(set.front()))) return set;
  const std::vector<std::string> all = list();
  if (request.all && !all.empty()) return all;
  if (request.or_the_only_one && all.size() == 1) return all;
  constexpr std::size_t kMostShown = 12;
  const std::vector<std::string> shown(all.begin(), all.begin() + std::min(all.size(), kMostShown));
  throw std::runtime_error(fmt::format(
      "{}: holds no array {}, but {}{}{}", path, first_names(request),
      all.empty() ? "no arrays of numbers at all" : fmt::format("{}", fmt::join(shown, ", ")),
      all.size() > kMostShown ? ", …" : "", request.or_the_only_one && !all.empty() ? "; name one as FILE:NAME" : ""));
}

std::vector<std::string> choose_listed(const std::string& path, const ArrayRequest& request,
                                       const std::vector<std::string>& names) {
  return choose(
      path, request, [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); },
      [&] { return names; });
}

/// Every dataset of numbers, by its path below the root.
std::vector<std::string> hdf5_names(const Hdf5File& file) {
  constexpr std::size_t kMost = 1000;
  constexpr int kDeepest = 8;
  std::vector<std::string> names;
  const auto walk = [&](const auto& self, const std::string& group, int depth) -> void {
    for (const Hdf5File::Member& member : file.members(group.empty() ? "/" : group)) {
      const std::string name = group.empty() ? member.name : group + "/" + member.name;
      if (member.is_group && depth < kDeepest) self(self, name, depth + 1);
      if (!member.is_group && names.size() < kMost && file.holds_numbers(name)) names.push_back(name);
    }
  };
  walk(walk, "", 0);
  return names;
}

NamedArrays read_hdf5(const std::string& path, const ArrayRequest& request, std::uint64_t byte_limit,
                      bool made_by_matlab) {
  return read_foreign(path, byte_limit, [&](const Hdf5File& file) {
    NamedArrays arrays;
    for (const std::string& name : choose(
             path, request, [&](const std::string& wanted) { return file.exists(wanted); },
             [&] { return hdf5_names(file); })) {
      NumericArray array = file.read_array(name, byte_limit);
      byte_limit -= checked_bytes({array.shape, array.type()}, byte_limit, path);
      if (made_by_matlab) {  // which writes its columns as rows
        std::ranges::reverse(array.shape);
        array = in_c_order(array);
      }
      arrays.emplace_back(name, std::move(array));
    }
    return arrays;
  });
}

NamedArrays read_npz(const std::string& path, const ArrayRequest& request, std::uint64_t byte_limit) {
  const NpzFile file(path);
  if (file.names().empty()) {
    const auto holds = [&](std::string_view part) {
      return std::ranges::any_of(file.other_members(),
                                 [&](const std::string& name) { return name.find(part) != name.npos; });
    };
    throw std::runtime_error(fmt::format("{}: is {}; accepted are {}", path,
                                         holds("data.pkl")      ? "a PyTorch file"
                                         : holds("xl/workbook") ? "an Excel workbook (save it as CSV)"
                                         : holds("content.xml") ? "an OpenDocument file (save it as CSV)"
                                                                : "a ZIP archive without NPY files",
                                         kArrayFormats));
  }
  NamedArrays arrays;
  for (const std::string& name : choose_listed(path, request, file.names())) {
    arrays.emplace_back(name, file.read(name, byte_limit));
    const NumericArray& array = arrays.back().second;
    byte_limit -= checked_bytes({array.shape, array.type()}, byte_limit, path);
  }
  return arrays;
}

NamedArrays read_nameless(const std::string& path, const ArrayRequest& request, const std::string& what,
                          const std::function<NumericArray(ByteReader&)>& read) {
  if (!request.or_the_only_one)
    throw std::runtime_error(
        fmt::format("{}: is {}, which holds one array without a name, not {}", path, what, first_names(request)));
  FileReader reader(path);
  return {{"", read(reader)}};
}

}  // namespace

NamedArrays read_arrays(const std::string& path, const ArrayRequest& request, std::uint64_t byte_limit) {
  const RecognizedFile file = recognize_file(path);
  const bool streamed = file.kind == FileKind::npy || file.kind == FileKind::idx || file.kind == FileKind::text;
  if (file.compressed && !streamed)
    throw std::runtime_error(fmt::format("{}: is {}, compressed by gzip; {}accepted are {}", path, file.what,
                                         file.kind == FileKind::other ? "" : "decompress it first (gunzip); ",
                                         kArrayFormats));
  const auto nameless = [&](auto read) {
    return read_nameless(path, request, file.what, [&](ByteReader& reader) { return read(reader, byte_limit); });
  };
  switch (file.kind) {
    case FileKind::npy:
      return nameless([](ByteReader& reader, std::uint64_t limit) { return read_npy(reader, limit); });
    case FileKind::idx:
      return nameless([](ByteReader& reader, std::uint64_t limit) { return read_idx(reader, limit); });
    case FileKind::text:
      return nameless([](ByteReader& reader, std::uint64_t limit) {
        try {
          return read_number_table(reader, limit);
        } catch (const std::runtime_error& error) {
          throw std::runtime_error(fmt::format("{} (it is a text; accepted are {})", error.what(), kArrayFormats));
        }
      });
    case FileKind::zip:
      return read_npz(path, request, byte_limit);
    case FileKind::hdf5:
    case FileKind::matlab_hdf5:
      return read_hdf5(path, request, byte_limit, file.kind == FileKind::matlab_hdf5);
    case FileKind::matlab:
      return read_matlab(path, byte_limit,
                         [&](const std::vector<std::string>& names) { return choose_listed(path, request, names); });
    case FileKind::other:
      throw std::runtime_error(fmt::format("{}: is {}; accepted are {}", path, file.what, kArrayFormats));
  }
  throw std::logic_error("file kind");
}

NumericArray read_array(const std::string& path, const std::string& name, const std::string& usual,
                        std::uint64_t byte_limit) {
  const ArrayRequest request{{{name.empty() ? usual : name}}, name.empty()};
  return std::move(read_arrays(path, request, byte_limit).front().second);
}

}  // namespace core
