// Hierarchical associative memories: a model file's network, its energies, descents, gradients and training.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>

#include "experiments/command_line/cli.h"
#include "experiments/command_line/machine.h"
#include "experiments/files/data_path.h"
#include "experiments/files/outputs.h"
#include "experiments/training/spec.h"
#include "experiments/training/weights.h"
#include "ham/engine/dynamics.h"
#include "ham/network/model_file.h"
#include "ham/training/trainer.h"
#include "python/src/bindings.h"
#include "python/src/convert.h"

namespace nb = nanobind;

namespace python {
namespace {

using Doubles = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;
using ham::Engine;
using ham::States;
using ham::Tensor;

nb::object numpy_array_of(Tensor<double> tensor) {
  return numpy_array(std::move(tensor.values), {tensor.shape.begin(), tensor.shape.end()});
}
nb::list numpy_arrays_of(States<double> states) {
  nb::list all;
  for (Tensor<double>& state : states) all.append(numpy_array_of(std::move(state)));
  return all;
}

Tensor<double> tensor_of(const Doubles& array) {
  ham::Shape shape;
  for (std::size_t axis = 0; axis < array.ndim(); ++axis) shape.push_back(static_cast<int>(array.shape(axis)));
  return {shape, std::vector<double>(array.data(), array.data() + array.size())};
}
States<double> states_of(const std::vector<Doubles>& arrays) {
  States<double> states;
  for (const Doubles& array : arrays) states.push_back(tensor_of(array));
  return states;
}

nb::dict energies_of(const ham::EnergyTable<double>& table) {
  nb::dict all;
  all["total"] = numpy_array(table.total());
  all["layers"] = numpy_array_of(table.layers);
  all["connections"] = numpy_array_of(table.connections);
  return all;
}

/// A network with the descent it was made for; what is computed is in double precision.
class Network {
 public:
  /// A run's `spec` changes what its model file says of norm, depth and time step; empty where there was no run.
  Network(const std::string& toml, const std::string& name, const std::string& spec)
      : toml_(toml), spec_(spec), model_(parsed(toml, name, spec)) {}
  static ham::Model parsed(const std::string& toml, const std::string& name, const std::string& spec) {
    return spec.empty() ? ham::parse_model(toml, name) : experiments::model_of(spec, toml, name);
  }

  const ham::Model& model() const { return model_; }
  const std::string& toml() const { return toml_; }
  const std::string& spec() const { return spec_; }

  nb::list layers() const {
    nb::list all;
    for (const auto& neurons : model_.network.layers()) {
      nb::dict one;
      one["name"] = nb::cast(neurons.layer.name);
      one["shape"] = nb::tuple(nb::cast(neurons.layer.shape));
      one["time_constant"] = neurons.layer.time_constant;
      all.append(one);
    }
    return all;
  }
  nb::list connections() const {
    nb::list all;
    for (std::size_t i = 0; i < model_.network.connections().size(); ++i) {
      const auto& connection = model_.network.connections()[i];
      nb::list names;
      for (const int layer : connection.layers)
        names.append(nb::cast(model_.network.layers()[static_cast<std::size_t>(layer)].layer.name));
      all.append(nb::make_tuple(connection.name, names));
    }
    return all;
  }
  nb::list parameters() const {
    nb::list all;
    for (const auto& parameter : model_.network.parameters())
      all.append(nb::make_tuple(parameter.name, nb::tuple(nb::cast(parameter.shape))));
    return all;
  }
  nb::object initial_parameters(std::uint64_t seed) const {
    return numpy_array(model_.network.initial_parameters<double>(seed));
  }

  nb::dict evaluate(const Doubles& parameters, const std::vector<Doubles>& states, int threads) const {
    const States<double> at = states_of(states);
    std::optional<ham::Evaluation<double>> found;
    {
      const nb::gil_scoped_release others_may_run;
      Engine<double> engine = ready(parameters, {.threads = threads});
      found = ham::evaluate(engine, at);
    }
    nb::dict all = energies_of(found->energies);
    all["activations"] = numpy_arrays_of(std::move(found->activations));
    all["gradients"] = numpy_arrays_of(std::move(found->gradients));
    return all;
  }

  nb::dict descend(const Doubles& parameters, const std::vector<Doubles>& states, int depth, double time_step,
                   double tolerance, const std::vector<std::string>& clamp,
                   const std::optional<std::vector<Doubles>>& free, bool trace, int threads) const {
    States<double> at = states_of(states);
    std::optional<States<double>> moves;
    if (free) moves = states_of(*free);
    ham::Trace<double> passed;
    std::vector<int> steps;
    {
      const nb::gil_scoped_release others_may_run;
      Engine<double> engine = ready(parameters, {.clamped = clamp, .threads = threads});
      steps = ham::descend(engine, at, {.depth = depth, .time_step = time_step, .tolerance = tolerance},
                           moves ? &*moves : nullptr, trace ? &passed : nullptr);
    }
    nb::dict all;
    all["states"] = numpy_arrays_of(std::move(at));
    all["steps"] = numpy_array(std::vector<std::int64_t>(steps.begin(), steps.end()));
    if (!trace) return all;
    nb::list trail, energies;
    for (States<double>& one : passed.states) trail.append(numpy_arrays_of(std::move(one)));
    for (const ham::EnergyTable<double>& one : passed.energies) energies.append(energies_of(one));
    all["trace"] = trail;
    all["energies"] = energies;
    return all;
  }

  /// The readout's activations after the descent, and with `output_gradient` (∂L/∂ of them) the gradients of L.
  nb::dict respond(const Doubles& parameters, const std::vector<Doubles>& states, int depth, double time_step,
                   const std::vector<std::string>& clamp, const std::string& layer,
                   const std::optional<Doubles>& output_gradient, int threads) const {
    const States<double> at = states_of(states);
    States<double> by_states;
    Tensor<double> output;
    std::vector<double> by_parameters;
    {
      const nb::gil_scoped_release others_may_run;
      Engine<double> engine =
          ready(parameters, {.clamped = clamp, .threads = threads, .training = true, .state_gradients = true});
      const long batch = engine.batch_of(at);
      const int readout = model_.network.layer_index(layer);
      const long size = ham::count(model_.network.layers()[static_cast<std::size_t>(readout)].layer.shape);
      if (output_gradient && static_cast<long>(output_gradient->size()) != batch * size)
        throw std::invalid_argument("output_gradient: is not of the shape of layer " + layer);
      const double* wanted = output_gradient ? output_gradient->data() : nullptr;
      ham::Backpropagation<double> through(engine, {{.depth = depth, .time_step = time_step}, layer});
      const ham::Loss<double> loss = [&](long first, long rows, const double* g, double* g_bar) {
        double sum = 0;
        for (long i = 0; i < rows * size; ++i) {
          g_bar[i] = wanted ? wanted[first * size + i] : 0;
          sum += g_bar[i] * g[i];
        }
        return sum;
      };
      for (const Tensor<double>& state : at) by_states.emplace_back(state.shape);
      through.run(at, loss, nullptr, &by_states);
      output = through.output();
      by_parameters.assign(through.gradient().begin(), through.gradient().end());
    }
    nb::dict all;
    all["output"] = numpy_array_of(std::move(output));
    if (!output_gradient) return all;
    all["parameters"] = numpy_array(std::move(by_parameters));
    all["states"] = numpy_arrays_of(std::move(by_states));
    return all;
  }

 private:
  Engine<double> ready(const Doubles& parameters, ham::EngineOptions options) const {
    if (static_cast<long>(parameters.size()) != model_.network.num_parameters())
      throw std::invalid_argument("parameters: the network has " + std::to_string(model_.network.num_parameters()) +
                                  " numbers, not " + std::to_string(parameters.size()));
    Engine<double> engine(model_.network, std::move(options));
    engine.set_parameters({parameters.data(), parameters.size()});
    return engine;
  }

  std::string toml_, spec_;
  ham::Model model_;
};

/// A training under way, as `ham train` does it: the same weights bit for bit.
class Trainer {
 public:
  Trainer(const std::string& model_path, const std::string& data, const std::string& data_dir,
          const std::string& recipe, const std::vector<std::pair<std::string, std::string>>& switches, long epochs,
          std::uint64_t seed, int threads) {
    const nb::gil_scoped_release others_may_run;
    ham::Recipe chosen = ham::recipe(recipe);
    for (const auto& [name, text] : switches) {
      const ham::RecipeSwitch* found = nullptr;
      for (const ham::RecipeSwitch& one : ham::recipe_switches())
        if (name == one.name) found = &one;
      if (found == nullptr) throw std::invalid_argument(name + ": is no switch of a recipe");
      try {
        found->set(chosen, text);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(name + ": " + error.what());
      }
    }
    const auto directories = experiments::data_directories(data_dir);
    const auto limit = static_cast<std::uint64_t>(experiments::available_memory());
    spec_ = std::make_unique<experiments::TrainingSpec>(experiments::training_spec(
        model_path,
        std::make_shared<const ham::DataSet>(ham::read_data_set(
            data.empty() ? experiments::default_data(model_path, directories) : data, directories, limit)),
        {.recipe = chosen, .epochs = epochs, .seed = seed, .threads = threads}));
    trainer_ = std::make_unique<ham::Trainer>(spec_->model, *spec_->data, spec_->options);
  }

  const std::string& spec() const { return spec_->text; }
  std::vector<std::string> warnings() const { return spec_->warnings; }
  long batches_per_epoch() const { return trainer_->batches_per_epoch(); }
  long epochs() const { return trainer_->state().epochs; }
  bool done() const { return trainer_->done(); }
  /// At most so many steps, to the end of the epoch at most.
  long step(long most) {
    const nb::gil_scoped_release others_may_run;
    return trainer_->step(most);
  }
  nb::list history() const {
    nb::list all;
    for (const ham::EpochResult& epoch : trainer_->state().results) {
      nb::dict one;
      one["epoch"] = epoch.epoch;
      one["learning_rate"] = epoch.learning_rate;
      one["loss"] = epoch.loss;
      one["train_accuracy"] = epoch.train_accuracy;
      one["gradient_norm"] = epoch.gradient_norm;
      one["test_loss"] = epoch.plain.loss;
      one["test_accuracy"] = epoch.plain.accuracy;
      one["test_accuracy_zoomed"] = epoch.zoomed.accuracy;
      all.append(one);
    }
    return all;
  }
  /// weights, averaged_weights or best_weights; empty where there are none.
  nb::object weights(const std::string& which) {
    nb::object found = nb::none();
    trainer_->checkpoint().for_each_array([&](const char* name, const char*, const std::vector<float>& numbers) {
      if (which == name) found = numpy_array(numbers);
    });
    if (found.is_none()) throw std::invalid_argument(which + ": is not weights, averaged_weights or best_weights");
    return found;
  }

 private:
  std::unique_ptr<experiments::TrainingSpec> spec_;
  std::unique_ptr<ham::Trainer> trainer_;
};

nb::dict read_network(const std::string& path, const std::string& weights) {
  std::optional<experiments::TrainedModel> trained;
  {
    const nb::gil_scoped_release others_may_run;
    trained = experiments::read_trained(path, weights);
  }
  nb::dict all;
  all["toml"] = nb::cast(trained->toml);
  all["spec"] = nb::cast(trained->spec);
  all["weights"] = numpy_array(std::move(trained->weights));
  return all;
}

void write_network(const std::string& path, const Network& network,
                   const nb::ndarray<const float, nb::c_contig, nb::device::cpu>& weights, bool force) {
  experiments::TrainedModel trained{
      .model = Network::parsed(network.toml(), path, network.spec()), .toml = network.toml(), .spec = network.spec()};
  trained.weights.assign(weights.data(), weights.data() + weights.size());
  const nb::gil_scoped_release others_may_run;
  experiments::write_weights(core::OutputFile(path, experiments::kWeightsFile, {}, force), trained, "dambench");
}

}  // namespace

void bind_networks(nb::module_& module) {
  nb::class_<Network>(module, "Network")
      .def(nb::init<const std::string&, const std::string&, const std::string&>(), nb::arg("toml"), nb::arg("name"),
           nb::arg("spec"))
      .def_prop_ro("spec", &Network::spec)
      .def_prop_ro("toml", &Network::toml)
      .def_prop_ro("name", [](const Network& network) { return network.model().name; })
      .def_prop_ro("clamped", [](const Network& network) { return network.model().clamped; })
      .def_prop_ro("readout", [](const Network& network) { return network.model().readout.layer; })
      .def_prop_ro("depth", [](const Network& network) { return network.model().readout.descent.depth; })
      .def_prop_ro("time_step", [](const Network& network) { return network.model().readout.descent.time_step; })
      .def_prop_ro("layers", &Network::layers)
      .def_prop_ro("connections", &Network::connections)
      .def_prop_ro("parameters", &Network::parameters)
      .def("initial_parameters", &Network::initial_parameters, nb::arg("seed"))
      .def("evaluate", &Network::evaluate, nb::arg("parameters"), nb::arg("states"), nb::arg("threads"))
      .def("descend", &Network::descend, nb::arg("parameters"), nb::arg("states"), nb::arg("depth"),
           nb::arg("time_step"), nb::arg("tolerance"), nb::arg("clamp"), nb::arg("free").none(), nb::arg("trace"),
           nb::arg("threads"))
      .def("respond", &Network::respond, nb::arg("parameters"), nb::arg("states"), nb::arg("depth"),
           nb::arg("time_step"), nb::arg("clamp"), nb::arg("layer"), nb::arg("output_gradient").none(),
           nb::arg("threads"));
  nb::class_<Trainer>(module, "Trainer")
      .def(nb::init<const std::string&, const std::string&, const std::string&, const std::string&,
                    const std::vector<std::pair<std::string, std::string>>&, long, std::uint64_t, int>(),
           nb::arg("model_path"), nb::arg("data"), nb::arg("data_dir"), nb::arg("recipe"), nb::arg("switches"),
           nb::arg("epochs"), nb::arg("seed"), nb::arg("threads"))
      .def_prop_ro("spec", &Trainer::spec)
      .def_prop_ro("warnings", &Trainer::warnings)
      .def_prop_ro("batches_per_epoch", &Trainer::batches_per_epoch)
      .def_prop_ro("epochs", &Trainer::epochs)
      .def_prop_ro("done", &Trainer::done)
      .def("step", &Trainer::step, nb::arg("most"))
      .def("history", &Trainer::history)
      .def("weights", &Trainer::weights, nb::arg("which"));
  module.def("read_network", read_network, nb::arg("path"), nb::arg("weights"));
  module.def("write_network", write_network, nb::arg("path"), nb::arg("network"), nb::arg("weights"), nb::arg("force"));
}

}  // namespace python
