# Helpers: one line per library. Libraries of one kind share a precompiled
# header (lib/CMakeLists.txt); runtime libraries see no MLIR include path at all.

# mho_add_pch(name HEADERS headers... LINK libs... DEPENDS targets...): a precompiled header that
# libraries and tools name by PCH. Other compilers than Clang do without: they
# were not tried.
function(mho_add_pch name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINK;DEPENDS" ${ARGN})
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cpp
    CONTENT "// The precompiled header's owner.\n")
  add_library(${name} STATIC ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  add_dependencies(${name} ${ARG_DEPENDS})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${name} PRIVATE -Xclang -fno-pch-timestamp)
    target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  endif()
endfunction()

function(mho_use_pch target pch)
  if(pch AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
endfunction()

# mho_add_library(name SOURCES... LINK libs... [DEPENDS targets...] [PCH pch])
function(mho_add_library name)
  cmake_parse_arguments(ARG "" "PCH" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  mho_use_pch(${name} "${ARG_PCH}")
endfunction()

# What compiling against MLIR needs; linking it links the two dylibs.
add_library(mhoMlirSettings INTERFACE)
target_include_directories(mhoMlirSettings SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_compile_definitions(mhoMlirSettings INTERFACE ${mho_llvm_definitions})
target_link_libraries(mhoMlirSettings INTERFACE MLIR LLVM)

# mho_add_mlir_library(name SOURCES... LINK libs... [PCH pch]): after every
# generated header of the dialects, with their precompiled header unless another
# is named.
function(mho_add_mlir_library name)
  cmake_parse_arguments(ARG "" "PCH" "LINK" ${ARGN})
  if(NOT ARG_PCH)
    set(ARG_PCH mhoDialectPch)
  endif()
  mho_add_library(${name} ${ARG_UNPARSED_ARGUMENTS} LINK ${ARG_LINK} mhoMlirSettings
    DEPENDS mhoHeaders PCH ${ARG_PCH})
endfunction()

# mho_add_tool(name SOURCES... LINK libs... [PCH pch]), mho_add_mlir_tool likewise
function(mho_add_tool name)
  cmake_parse_arguments(ARG "" "PCH" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  if(ARG_PCH)
    # A precompiled header is for one kind of code: the libraries'.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
    mho_use_pch(${name} ${ARG_PCH})
  endif()
endfunction()
function(mho_add_mlir_tool name)
  cmake_parse_arguments(ARG "" "PCH" "LINK" ${ARGN})
  if(NOT ARG_PCH)
    set(ARG_PCH mhoDialectPch)
  endif()
  mho_add_tool(${name} ${ARG_UNPARSED_ARGUMENTS} LINK ${ARG_LINK} mhoMlirSettings PCH ${ARG_PCH})
  add_dependencies(${name} mhoHeaders)
endfunction()

# mho_tablegen_dialect(Graph graph): ops, types, attributes and dialect of
# include/mho/Dialect/<Name>/IR/<Name>Ops.td into the same place of the build.
function(mho_tablegen_dialect name namespace)
  set(LLVM_TARGET_DEFINITIONS ${name}Ops.td)
  mlir_tablegen(${name}Ops.h.inc -gen-op-decls)
  mlir_tablegen(${name}Ops.cpp.inc -gen-op-defs)
  mlir_tablegen(${name}Dialect.h.inc -gen-dialect-decls -dialect=${namespace})
  mlir_tablegen(${name}Dialect.cpp.inc -gen-dialect-defs -dialect=${namespace})
  mlir_tablegen(${name}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${namespace})
  mlir_tablegen(${name}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${namespace})
  mlir_tablegen(${name}Types.h.inc -gen-typedef-decls -typedefs-dialect=${namespace})
  mlir_tablegen(${name}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${namespace})
  add_public_tablegen_target(mho${name}OpsIncGen)
  add_dependencies(mhoHeaders mho${name}OpsIncGen)
endfunction()

# mho_tablegen_passes(Graph): <Dialect>/Transforms/Passes.td here.
function(mho_tablegen_passes name)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name ${name})
  add_public_tablegen_target(mho${name}PassesIncGen)
  add_dependencies(mhoHeaders mho${name}PassesIncGen)
endfunction()

add_custom_target(mhoHeaders)
