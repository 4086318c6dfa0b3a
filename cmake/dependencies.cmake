# Everything below is a Debian package; the list that `make` installs stands in cmake/packages.txt.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(HDF5 REQUIRED COMPONENTS C HL)
find_package(hwy REQUIRED CONFIG)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(Eigen3 3.4 REQUIRED)
find_path(RANDOM123_INCLUDE_DIR Random123/threefry.h REQUIRED)

# Only the programs use MPI; whoever links the installed libraries does not need it.
if(DAMBENCH_MPI STREQUAL "AUTO")
  find_package(MPI QUIET COMPONENTS C)
  set(DAMBENCH_MPI ${MPI_C_FOUND})
elseif(DAMBENCH_MPI)
  find_package(MPI REQUIRED COMPONENTS C)
endif()
