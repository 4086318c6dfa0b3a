# Everything below is a Debian package; the list that `make` installs stands in cmake/packages.txt.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(HDF5 REQUIRED COMPONENTS C HL)
find_package(hwy REQUIRED CONFIG)
find_package(fmt REQUIRED)
find_package(Eigen3 3.4 REQUIRED)
find_path(RANDOM123_INCLUDE_DIR Random123/threefry.h REQUIRED)
