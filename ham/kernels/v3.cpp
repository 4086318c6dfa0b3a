// The kernels for one instruction set; CMakeLists.txt gives the flags and the names.
#include "ham/kernels/loops.h"
