#include "core/formats/file_kind.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "core/files/byte_reader.h"

namespace core {
namespace {

using namespace std::string_view_literals;

/// A file that has these bytes at this place is that.
struct Signature {
  std::size_t offset;
  std::string_view bytes;
  FileKind kind;
  const char* what;
};
// The first that fits counts.
constexpr Signature kSignatures[] = {
    {0, "\x93NUMPY"sv, FileKind::npy, "an NPY file"},
    {0, "MATLAB 7.3 MAT-file"sv, FileKind::matlab_hdf5, "a MATLAB file of version 7.3"},
    {0, "MATLAB 5.0 MAT-file"sv, FileKind::matlab, "a MATLAB file of version 5"},
    {0, "\x89HDF\r\n\x1a\n"sv, FileKind::hdf5, "an HDF5 file"},
    {512, "\x89HDF\r\n\x1a\n"sv, FileKind::hdf5, "an HDF5 file"},
    {1024, "\x89HDF\r\n\x1a\n"sv, FileKind::hdf5, "an HDF5 file"},
    {2048, "\x89HDF\r\n\x1a\n"sv, FileKind::hdf5, "an HDF5 file"},
    {0, "PK\3\4"sv, FileKind::zip, "a ZIP archive"},
    {0, "PK\5\6"sv, FileKind::zip, "an empty ZIP archive"},
    {0, "\0\0\x08"sv, FileKind::idx, "an IDX file"},
    {0, "\0\0\x09"sv, FileKind::idx, "an IDX file"},
    {0, "\0\0\x0b"sv, FileKind::idx, "an IDX file"},
    {0, "\0\0\x0c"sv, FileKind::idx, "an IDX file"},
    {0, "\0\0\x0d"sv, FileKind::idx, "an IDX file"},
    {0, "\0\0\x0e"sv, FileKind::idx, "an IDX file"},
    {0, "\x80\2"sv, FileKind::other, "a Python pickle"},
    {0, "\x80\3"sv, FileKind::other, "a Python pickle"},
    {0, "\x80\4"sv, FileKind::other, "a Python pickle"},
    {0, "\x80\5"sv, FileKind::other, "a Python pickle"},
    {0, "(dp"sv, FileKind::other, "a Python pickle"},
    {0, "\x89PNG"sv, FileKind::other, "a PNG picture"},
    {0, "\xff\xd8\xff"sv, FileKind::other, "a JPEG picture"},
    {0, "GIF8"sv, FileKind::other, "a GIF picture"},
    {0, "II*\0"sv, FileKind::other, "a TIFF picture"},
    {0, "MM\0*"sv, FileKind::other, "a TIFF picture"},
    {0, "%PDF"sv, FileKind::other, "a PDF document"},
    {0, "\x1f\x8b"sv, FileKind::other, "compressed by gzip"},
    {0, "BZh"sv, FileKind::other, "compressed by bzip2"},
    {0,
     "\xfd"
     "7zXZ"sv,
     FileKind::other, "compressed by xz"},
    {0, "\x28\xb5\x2f\xfd"sv, FileKind::other, "compressed by zstd"},
    {0, "7z\xbc\xaf"sv, FileKind::other, "a 7z archive"},
    {257, "ustar"sv, FileKind::other, "a tar archive"},
    {8, "{\""sv, FileKind::other, "a safetensors file"},
    {0, "PAR1"sv, FileKind::other, "a Parquet file"},
    {0, "ARROW1"sv, FileKind::other, "an Arrow file"},
    {0, "CDF"sv, FileKind::other, "a netCDF-3 file"},
    {0, "SQLite format 3"sv, FileKind::other, "an SQLite database"},
    {0,
     "\x7f"
     "ELF"sv,
     FileKind::other, "a program"},
    {0, "\xff\xfe"sv, FileKind::other, "UTF-16 text (UTF-8 is read)"},
    {0, "\xfe\xff"sv, FileKind::other, "UTF-16 text (UTF-8 is read)"},
    {0, "version https://git-lfs"sv, FileKind::other, "a Git LFS pointer, not the data"},
    {0, "<!"sv, FileKind::other, "an HTML page"},
    {0, "<html"sv, FileKind::other, "an HTML page"},
    {0, "<?xml"sv, FileKind::other, "an XML document"},
    {0, "{"sv, FileKind::other, "JSON or another text of braces"},
    {0, "["sv, FileKind::other, "JSON or another text of brackets"},
};

bool is_text(std::string_view start) {
  return std::ranges::all_of(start, [](char c) {
    return static_cast<unsigned char>(c) >= ' ' ? c != '\x7f' : c == '\n' || c == '\r' || c == '\t' || c == '\f';
  });
}

}  // namespace

RecognizedFile recognize_start(std::string_view start) {
  if (start.empty()) return {FileKind::other, "empty"};
  for (const Signature& signature : kSignatures)
    if (start.size() >= signature.offset && start.substr(signature.offset).starts_with(signature.bytes))
      return {signature.kind, signature.what};
  if (is_text(start)) return {FileKind::text, "a text"};
  return {FileKind::other, "not a known format"};
}

RecognizedFile recognize_file(const std::string& path) {
  std::array<char, 4096> start{};
  const std::size_t size = FileReader(path).read(start.data(), start.size());
  RecognizedFile recognized = recognize_start({start.data(), size});
  std::array<char, 2> raw{};
  std::ifstream(path, std::ios::binary).read(raw.data(), raw.size());
  recognized.compressed = std::string_view(raw.data(), raw.size()) == "\x1f\x8b";
  return recognized;
}

}  // namespace core
