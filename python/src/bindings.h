// What each source adds to the module.
#pragma once

#include <nanobind/nanobind.h>

namespace python {

void bind_sweeps(nanobind::module_& module);    // capacity, curve, result files
void bind_theory(nanobind::module_& module);    // theory, fits
void bind_memory(nanobind::module_& module);    // patterns and recall
void bind_networks(nanobind::module_& module);  // hierarchical associative memories

}  // namespace python
