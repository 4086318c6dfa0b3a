// dambench._core: the library as Python sees it. Words and checks that need no C++ stand in the package beside it.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "core/files/output_file.h"
#include "core/provenance.h"
#include "core/text.h"
#include "experiments/command_line/cli.h"
#include "python/src/bindings.h"
#include "results/spec_difference.h"

namespace nb = nanobind;

NB_MODULE(_core, module) {
  // A file that is refused is a kind of error of its own; the program's exit code 4.
  auto refused = nb::exception<results::SpecMismatch>(module, "Refused", PyExc_ValueError);
  nb::register_exception_translator(
      [](const std::exception_ptr& thrown, void* kind) {
        try {
          std::rethrow_exception(thrown);
        } catch (const results::SpecMismatch& error) {
          PyErr_SetString(static_cast<PyObject*>(kind), error.what());
        } catch (const core::Refused& error) {
          PyErr_SetString(static_cast<PyObject*>(kind), core::shown(error.what()).c_str());
        } catch (const experiments::UsageError& error) {
          PyErr_SetString(PyExc_ValueError, core::shown(error.what()).c_str());
        } catch (const std::system_error& error) {
          PyErr_SetString(PyExc_OSError, core::shown(error.what()).c_str());
        } catch (const std::bad_alloc&) {
          PyErr_SetString(PyExc_MemoryError, "out of memory; lower max_memory, threads or the number of patterns");
        } catch (const std::invalid_argument& error) {
          PyErr_SetString(PyExc_ValueError, core::shown(error.what()).c_str());
        }
      },
      refused.ptr());
  const core::Provenance built = core::build_provenance();
  module.attr("version") = built.program_version;
  module.attr("commit") = built.commit;
  python::bind_sweeps(module);
  python::bind_theory(module);
  python::bind_memory(module);
  python::bind_networks(module);
}
