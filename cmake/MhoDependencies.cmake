# What mho builds on. Debian's packages (utils/packages.txt), and ONNX's
# library, which third_party/onnx.sh builds into the user's cache.

list(APPEND CMAKE_PREFIX_PATH /usr/lib/llvm-22)
find_package(MLIR 22.1 CONFIG REQUIRED)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
set(LLVM_RUNTIME_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/bin)
set(LLVM_LIBRARY_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/lib)
set(MLIR_BINARY_DIR ${CMAKE_BINARY_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
set(MLIR_LINK_MLIR_DYLIB ON)
separate_arguments(mho_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")

if(NOT MHO_ONNX_PREFIX)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER}
            ${CMAKE_SOURCE_DIR}/third_party/onnx.sh
    OUTPUT_VARIABLE mho_onnx_prefix OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  set(MHO_ONNX_PREFIX ${mho_onnx_prefix} CACHE PATH "Where ONNX's C++ library is installed")
endif()
list(APPEND CMAKE_PREFIX_PATH ${MHO_ONNX_PREFIX})
find_package(Protobuf REQUIRED)
find_package(ONNX CONFIG REQUIRED)

find_package(FlatBuffers CONFIG REQUIRED)
find_program(MHO_FLATC flatc REQUIRED)
find_package(dnnl CONFIG REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(Threads REQUIRED)
find_library(MHO_LIBZIP zip REQUIRED)
find_library(MHO_XXHASH xxhash REQUIRED)
find_library(MHO_HWY hwy REQUIRED)
