# Helpers: one line per library. MLIR libraries share one precompiled header;
# runtime libraries see no MLIR include path at all.

# mho_add_library(name SOURCES... LINK libs... [DEPENDS targets...])
function(mho_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# What compiling against MLIR needs; linking it links the two dylibs.
add_library(mhoMlirSettings INTERFACE)
target_include_directories(mhoMlirSettings SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_compile_definitions(mhoMlirSettings INTERFACE ${mho_llvm_definitions})
target_link_libraries(mhoMlirSettings INTERFACE MLIR LLVM)

# mho_add_mlir_library(name SOURCES... LINK libs... [DEPENDS tablegen targets...])
# DEPENDS always holds every generated header of the dialects.
function(mho_add_mlir_library name)
  cmake_parse_arguments(ARG "NO_PCH" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} mhoMlirSettings)
  add_dependencies(${name} mhoHeaders ${ARG_DEPENDS})
  if(NOT ARG_NO_PCH AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_precompile_headers(${name} REUSE_FROM mhoMlirPch)
  endif()
endfunction()

# mho_add_tool(name SOURCES... LINK libs...), mho_add_mlir_tool likewise
function(mho_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()
function(mho_add_mlir_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} mhoMlirSettings)
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
