// The pages of ham's manual that belong to no verb, made of the tables that the programs read by.
#include <fmt/format.h>

#include "core/numbers.h"
#include "experiments/ham/verbs.h"
#include "ham/data/data_set.h"
#include "ham/network/model_keys.h"
#include "ham/training/recipe.h"
#include "ham/uses/inspect.h"

namespace experiments {
namespace {

std::string joined(const auto& items, const char* between) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : between) + std::string(item);
  return text;
}

std::string data_page() {
  std::string text =
      "# Images\n\n`--data` takes the name of a known data set or a file: NPZ, HDF5 or MATLAB (5 to 7.3), told apart "
      "by "
      "content.\n\n## Known data sets\n\n| name | images | training | test | folders below a data directory | files |\n"
      "|---|---|---|---|---|---|\n";
  for (const ham::KnownDataSet& known : ham::known_data_sets())
    text +=
        fmt::format("| `{}` | {}x{}x{} | {} | {} | {} | {} |\n", known.name, known.rows, known.columns, known.channels,
                    known.train_count, known.test_count, joined(known.folders, ", "), joined(known.files, ", "));
  text +=
      "\nData directories are `--data-dir`, `$DAMBENCH_DATA` (joined by `:`), `~/.cache/dambench`, "
      "`/usr/share/datasets`, in this order. `ham data` says what is where, `--download` fetches it. Files of MNIST "
      "and "
      "its relatives may be gzipped.\n\n## Files of arrays\n\nThe names of the arrays; the first of these sets whose "
      "first name is in the file is read:\n\n| training images | their labels | test images | their labels |\n"
      "|---|---|---|---|\n";
  for (const std::vector<std::string>& names : ham::array_layouts()) {
    text += "|";
    for (std::size_t i = 0; i < 4; ++i) text += i < names.size() ? fmt::format(" `{}` |", names[i]) : " a tenth |";
    text += "\n";
  }
  text +=
      "\nWhere no test images are named, a tenth of the images is drawn by a fixed seed, alike from every class, and "
      "trained on no more.\n\n"
      "- Images: (count, rows, columns); square grey ones also (count, pixels); with 1 or 3 channels (count, rows, "
      "columns, channels) or (count, channels, rows, columns).\n"
      "- Pixels: whole numbers 0 to 255 of any type, or real numbers that all lie from 0 to 1.\n"
      "- Labels: one whole number an image, from 0; the number of classes is the greatest plus one.\n\n"
      "## What the network is shown\n\n(pixel/255 − mean)/deviation, by channel:\n\n| images | mean | deviation |\n"
      "|---|---|---|\n";
  const auto numbers = [](std::span<const float> values) {
    std::string list;
    for (const float value : values)
      list += fmt::format("{}{:.4g}", list.empty() ? "" : ", ", static_cast<double>(value));
    return list;
  };
  for (const ham::KnownDataSet& known : ham::known_data_sets())
    text += fmt::format("| {} | {} | {} |\n", known.name, numbers(known.mean), numbers(known.deviation));
  return text +
         "| other grey images | 0 | 1 |\n| other colour images | measured on the training images | the same |\n\n"
         "Training images are augmented first (`ham help training`); test images are shown as they are and zoomed by "
         "1/0.875.\n";
}

std::string training_page() {
  std::string text = fmt::format(
      "# Training\n\nThe first clamped layer is held at the image, all other layers start at 0, and after `depth` "
      "steps "
      "the readout's activations p are the answer. The loss is the cross-entropy of smoothed labels\n\n"
      "    −Σ t log((p + {0})/(1 + {0} C)),   t = (onehot + {1}/C)/(1 + {1})\n\n"
      "with C classes, averaged over the batch; it cannot fall below the entropy of t (0.463 for ten classes). Its "
      "gradient goes back through every step of the descent. AdamW (decoupled weight decay, bias-corrected moments) "
      "takes the step.\n\n## Recipes\n\n`--recipe` names a row, each option below changes one of its values.\n\n"
      "| option | is |",
      core::number_text(ham::kLeastProbability), core::number_text(ham::kLabelSmoothing));
  for (const ham::Recipe& recipe : ham::recipes()) text += fmt::format(" `{}` |", recipe.name);
  text += "\n|---|---|";
  for (std::size_t i = 0; i < ham::recipes().size(); ++i) text += "---|";
  for (const ham::RecipeSwitch& option : ham::recipe_switches()) {
    text += fmt::format("\n| `--{}` | {} |", option.name, option.help);
    for (const ham::Recipe& recipe : ham::recipes()) text += fmt::format(" {} |", option.text(recipe));
  }
  text +=
      "\n\n## Images\n\nWhat `--augment` does to training images, in this order; each line is one of its words.\n\n";
  for (const int channels : {1, 3}) {
    text += fmt::format(
        "{} images:\n\n| | share of the area | width/height | flipped | jitter | erased | affine |\n"
        "|---|---|---|---|---|---|---|\n",
        channels == 1 ? "Grey" : "Colour");
    for (const std::string& name : ham::augmentation_names()) {
      ham::Recipe recipe;
      recipe.augmentation = name;
      const ham::Augmentation a = ham::augmentation(recipe, channels);
      const std::string affine =
          a.affine == ham::Affine{} ? "no"
                                    : fmt::format("turns ±{}°, shears ±{}°, sizes ±{} %, shifts ±{} %", a.affine.rotate,
                                                  a.affine.shear, 100 * a.affine.zoom, 100 * a.affine.shift);
      text += fmt::format("| `{}` | {:g} to {:g} | {:.3g} to {:.3g} | {:g} | ±{:g} | {:g} | {} |\n", name, a.scale[0],
                          a.scale[1], a.ratio[0], a.ratio[1], a.flip, a.jitter, a.erase, affine);
    }
    text += "\n";
  }
  return text +
         "`flipped` and `erased` are probabilities; an erased box becomes normal noise; jitter changes brightness, "
         "contrast and saturation by factors. `--augment none` shows images as they are.\n\n"
         "## What is kept\n\nEvery epoch's loss, accuracies, gradient norm and rate, the last and the best weights, "
         "and "
         "what it takes to go on bit for bit. `ham trim` makes a small copy, `--export-weights` files that others "
         "read.\n";
}

std::string arrays_page() {
  std::string text =
      "# Arrays of `ham inspect`\n\nArrays of double precision in one HDF5 or NPZ file, rows first (C order): the "
      "batch "
      "in front, then the layer's own axes. Layers and connections are counted from 0 in the order of the model "
      "file.\n";
  for (const bool given : {true, false}) {
    text += fmt::format("\n## {}\n\n| array | shape | is |\n|---|---|---|\n", given ? "Given" : "Returned");
    for (const ham::ArrayMeaning& array : ham::array_meanings())
      if (array.given == given) text += fmt::format("| `{}` | {} | {} |\n", array.name, array.shape, array.meaning);
  }
  return text;
}

const Topic kPages[] = {
    {"models", "model files: every key, its type, default and meaning; own energies", ham::model_manual},
    {"data", "images: known data sets, files of arrays, normalization", data_page},
    {"training", "the loss, recipes and what they do to images", training_page},
    {"arrays", "the arrays that ham inspect takes and gives", arrays_page}};

}  // namespace

const std::span<const Topic> kTopics = kPages;

}  // namespace experiments
