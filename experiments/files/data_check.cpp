#include "experiments/files/data_check.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "core/files/file.h"
#include "core/formats/idx.h"

namespace experiments {
namespace {

using Digest = std::array<std::byte, 32>;

constexpr const char* kIdxDownloads[] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                         "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
constexpr const char* kCifarDownloads[] = {"cifar-10-binary.tar.gz"};
constexpr const char* kMnist[] = {"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                                  "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                                  "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                                  "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"};
constexpr const char* kFashion[] = {"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                                    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                                    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                                    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"};

constexpr Published kPublished[] = {
    {"mnist", "https://ossci-datasets.s3.amazonaws.com/mnist", kIdxDownloads, kMnist, "", {}, {}},
    {"fashion-mnist",
     "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
     kIdxDownloads,
     kFashion,
     "",
     {},
     {}},
    // The checksums of the single files are not published; the content's are ours, of the archive's images.
    {"cifar10",
     "https://www.cs.toronto.edu/~kriz",
     kCifarDownloads,
     {},
     "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
     {"d59acf989e068e709ce686cda292672c7b212c08d29d3d3e6d8c3aa99eba6a85",
      "899683d46c3a8c66fd56e1af12202e69fe5a4517be10b0f68e04c78fe585c57c"},
     {{{6, 9, 9, 4, 1, 1, 2, 7, 8, 3}, {3, 8, 8, 0, 6, 6, 1, 6, 3, 1}}}},
};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw std::runtime_error("SHA-256 is not available in this OpenSSL");
  }
  void add(std::span<const std::byte> bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  Digest digest() {
    Digest bytes;
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(bytes.data()), nullptr);
    return bytes;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

std::string text(const Digest& digest) {
  std::string hexadecimal;
  for (const std::byte byte : digest) hexadecimal += fmt::format("{:02x}", static_cast<int>(byte));
  return hexadecimal;
}

std::string label_counts(const ham::Images& images, int classes) {
  std::vector<long> counts(classes);
  for (const int label : images.labels) ++counts[label];
  return fmt::format("{}", fmt::join(counts, " "));
}

bool begins_with(const ham::Images& images, std::span<const int> labels) {
  return images.labels.size() >= labels.size() && std::equal(labels.begin(), labels.end(), images.labels.begin());
}

DataCheck check_files(const ham::FoundDataSet& found, const Published& known, const std::string& counts,
                      std::uint64_t byte_limit) {
  for (std::size_t i = 0; i < found.files.size(); ++i)
    if (idx_sha256(found.files[i].string(), byte_limit) != known.file_sha256[i])
      return {DataState::different,
              fmt::format("{}; {} is not the published file", counts, found.files[i].filename().string())};
  return {DataState::published, counts + "; the published files"};
}

DataCheck check_content(const ham::DataSet& set, const Published& known, const std::string& counts) {
  const ham::Images* parts[] = {&set.train, &set.test};
  bool same_order = true;
  for (int i = 0; i < 2; ++i) {
    if (content_sha256(*parts[i]) != known.content[i])
      return {DataState::different, fmt::format("{}; not the published {} images (labels by class: {})", counts,
                                                i == 0 ? "training" : "test", label_counts(*parts[i], set.classes))};
    same_order &= begins_with(*parts[i], known.labels[i]);
  }
  if (same_order) return {DataState::published, counts + "; the published images in the published order"};
  return {DataState::other_order, counts + "; the published images in another order"};
}

}  // namespace

const Published& published(const ham::KnownDataSet& data_set) {
  for (const Published& known : kPublished)
    if (std::string_view(known.data_set) == data_set.name) return known;
  throw std::logic_error(fmt::format("{} has no row of checksums", data_set.name));
}

DataCheck check_data(const ham::FoundDataSet& found, std::uint64_t byte_limit) {
  try {
    const ham::DataSet set = ham::read_data_set(found, byte_limit);
    const Published& known = published(*found.data_set);
    const std::string counts = fmt::format("{} + {} images", set.train.count(), set.test.count());
    return known.file_sha256.empty() ? check_content(set, known, counts)
                                     : check_files(found, known, counts, byte_limit);
  } catch (const std::runtime_error& error) {
    return {DataState::unreadable, error.what()};
  }
}

std::string file_sha256(const std::string& path, std::uint64_t byte_limit) {
  Sha256 sum;
  sum.add(core::read_file(path, byte_limit));
  return text(sum.digest());
}

std::string idx_sha256(const std::string& path, std::uint64_t byte_limit) {
  const core::NumericArray array = core::read_idx(path, byte_limit);
  Sha256 sum;
  const auto add_number = [&](std::uint64_t number) {
    std::array<std::byte, 4> bytes;
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>(number >> (24 - 8 * i));
    sum.add(bytes);
  };
  add_number(0x800 + array.shape.size());
  for (const std::uint64_t length : array.shape) add_number(length);
  sum.add(std::as_bytes(std::span(std::get<std::vector<std::uint8_t>>(array.values))));
  return text(sum.digest());
}

std::string content_sha256(const ham::Images& images) {
  std::vector<Digest> digests(images.count());
  for (long i = 0; i < images.count(); ++i) {
    Sha256 sum;
    sum.add(std::array{static_cast<std::byte>(images.labels[i])});
    sum.add(std::as_bytes(images.image(i)));
    digests[i] = sum.digest();
  }
  std::ranges::sort(digests);
  Sha256 all;
  all.add(std::as_bytes(std::span(digests)));
  return text(all.digest());
}

}  // namespace experiments
