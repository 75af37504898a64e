# lit's configuration: tests are text files with RUN lines, mirroring lib.
import os

import lit.formats

source = config.mho_source_dir

config.name = "mho"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".td", ".test", ".yaml"]
config.excludes = ["Inputs", "Unit", "EndToEnd", "Golden", "Benchmark", "Tree", "Fuzz", "Python"]
config.test_source_root = os.path.join(source, "test")
config.test_exec_root = os.path.join(config.mho_build_dir, "test")

config.environment["PATH"] = os.pathsep.join([config.mho_tools_dir, config.llvm_tools_dir, config.environment["PATH"]])
# Sanitizers' settings and the reference models reach the tools as they are.
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "HOME"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions.append(("%python", os.path.join(source, ".venv", "bin", "python")))
config.substitutions.append(("%source", source))
config.substitutions.append(("%llvm_include", os.path.join(os.path.dirname(config.llvm_tools_dir), "include")))

# Reference models lie beside the checkout where they are present at all.
models = os.environ.get("MHO_MODELS", os.path.join(source, "..", "shared", "models"))
if os.path.isdir(models):
    config.available_features.add("models")
    config.environment["MHO_MODELS"] = os.path.abspath(models)
    config.substitutions.append(("%models", os.path.abspath(models)))
