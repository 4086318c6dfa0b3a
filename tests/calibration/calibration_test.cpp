#include "tests/calibration/calibration.h"
